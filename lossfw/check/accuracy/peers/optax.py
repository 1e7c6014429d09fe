"""JAX: the losses of optax and the activations of `jax.nn`, with JAX's derivatives.

float64 has to be switched on for the whole process, so making the peer does it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lossfw.check.accuracy.peers.peer import Offer, hard
from lossfw.losses.loss import Loss
from lossfw.nn.activation import Activation
from lossfw.numerics.arrays import NDArray

Function = Callable[..., Any]

# Called with `jax.nn` or `optax.losses` and the parameters; a function of arrays,
# or None where there is none at these parameters.
Maker = Callable[[Any, dict[str, Any]], Function | None]

_ACTIVATIONS: dict[str, Maker] = {
    "celu": lambda nn, p: lambda x: nn.celu(x, p["alpha"]),
    "elu": lambda nn, p: lambda x: nn.elu(x, p["alpha"]),
    "exp": lambda nn, p: _exp,
    "gelu": lambda nn, p: lambda x: nn.gelu(x, approximate=p["form"] == "tanh"),
    "hard_sigmoid": lambda nn, p: nn.hard_sigmoid,
    "hard_swish": lambda nn, p: nn.hard_swish,
    "leaky_relu": lambda nn, p: lambda x: nn.leaky_relu(x, p["negative_slope"]),
    "log_softmax": lambda nn, p: nn.log_softmax,
    "mish": lambda nn, p: nn.mish,
    "relu": lambda nn, p: nn.relu,
    "selu": lambda nn, p: nn.selu,
    "sigmoid": lambda nn, p: nn.sigmoid,
    "silu": lambda nn, p: nn.silu,
    "softmax": lambda nn, p: nn.softmax,
    "softplus": lambda nn, p: nn.softplus if p["beta"] == 1 else None,
    "softsign": lambda nn, p: nn.soft_sign,
    "tanh": lambda nn, p: nn.tanh,
}


def _cross_entropy(losses: Any, p: dict[str, Any]) -> Function | None:
    if not p["from_logits"] or p["label_smoothing"]:
        return None

    def function(z: Any, t: Any) -> Any:
        by_index = losses.softmax_cross_entropy_with_integer_labels
        return (by_index if t.ndim < z.ndim else losses.softmax_cross_entropy)(z, t)

    return function


def _focal(losses: Any, p: dict[str, Any]) -> Function | None:
    if not p["from_logits"]:
        return None
    return lambda z, t: losses.sigmoid_focal_loss(z, t, alpha=p["alpha"], gamma=p["gamma"])


def _poly(losses: Any, p: dict[str, Any]) -> Function | None:
    if not p.get("from_logits"):
        return None
    return lambda z, t: losses.poly_loss_cross_entropy(
        z, _one_hot(t, z) if t.ndim < z.ndim else t, epsilon=p["epsilon"]
    )


_LOSSES: dict[str, Maker] = {
    "binary_cross_entropy": lambda losses, p: (
        losses.sigmoid_binary_cross_entropy if p["from_logits"] else None
    ),
    "cosine_distance": lambda losses, p: losses.cosine_distance,
    "cross_entropy": _cross_entropy,
    "focal": _focal,
    "hinge": lambda losses, p: losses.hinge_loss if p["margin"] == 1 else None,
    "huber": lambda losses, p: lambda y, t: losses.huber_loss(y, t, delta=p["delta"]),
    "kl_divergence": lambda losses, p: (
        (lambda y, t: losses.kl_divergence(_log(y), t))
        if p["guard"] == "none" and not p["reverse"] and not p.get("from_logits")
        else None
    ),
    "log_cosh": lambda losses, p: losses.log_cosh,
    "perceptron": lambda losses, p: losses.perceptron_loss,
    "poly_cross_entropy": _poly,
    "squared_error": lambda losses, p: losses.squared_error if p["factor"] == 1 else None,
}


class Optax:
    """Optax and JAX on the processor."""

    name = "optax"

    def __init__(self) -> None:
        import jax
        import optax

        jax.config.update("jax_enable_x64", True)
        self.version = f"{optax.__version__} on JAX {jax.__version__}"
        self._losses, self._nn = optax.losses, jax.nn

    def offer(self, component: Loss | Activation) -> Offer | None:
        """Return its function for a component, None where it has none."""
        import jax

        lossy = isinstance(component, Loss)
        make = (_LOSSES if lossy else _ACTIVATIONS).get(component.name)
        if make is None:
            return None
        function = make(self._losses if lossy else self._nn, component.parameters)
        if function is None:
            return None
        value = _array_of(function)
        if component.takes_rows:
            # One function for each row; for an activation that is a Jacobian.
            derivative = jax.jacrev if isinstance(component, Activation) else jax.grad
            return Offer((value, _array_of(jax.vmap(derivative(function)))))
        slope = jax.grad(function)
        return Offer(
            (value, _array_of(jax.vmap(slope)), _array_of(jax.vmap(jax.grad(slope)))),
            takes=hard if component.name == "focal" else None,
        )


def _array_of(function: Function) -> Callable[..., NDArray]:
    import jax
    import jax.numpy as jnp

    compiled = jax.jit(function)
    return lambda *arrays: np.asarray(compiled(*map(jnp.asarray, arrays)))


def _one_hot(t: Any, z: Any) -> Any:
    import jax

    return jax.nn.one_hot(t, z.shape[-1], dtype=z.dtype)


def _log(y: Any) -> Any:
    import jax.numpy as jnp

    return jnp.log(y)


def _exp(x: Any) -> Any:
    import jax.numpy as jnp

    return jnp.exp(x)

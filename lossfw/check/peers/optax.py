"""JAX: the losses of optax and the activations of `jax.nn`, with JAX's derivatives.

float64 has to be switched on for the whole process, so importing this does it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from lossfw.activation import Activation
from lossfw.check.peers.peer import Offer
from lossfw.loss import Loss

NDArray = np.ndarray[Any, np.dtype[Any]]
Function = Callable[..., Any]

jax.config.update("jax_enable_x64", True)

_ACTIVATIONS: dict[str, Callable[[dict[str, Any]], Function | None]] = {
    "celu": lambda p: lambda x: jax.nn.celu(x, p["alpha"]),
    "elu": lambda p: lambda x: jax.nn.elu(x, p["alpha"]),
    "exp": lambda p: jnp.exp,
    "gelu": lambda p: lambda x: jax.nn.gelu(x, approximate=p["form"] == "tanh"),
    "hard_sigmoid": lambda p: jax.nn.hard_sigmoid,
    "hard_swish": lambda p: jax.nn.hard_swish,
    "leaky_relu": lambda p: lambda x: jax.nn.leaky_relu(x, p["negative_slope"]),
    "log_softmax": lambda p: jax.nn.log_softmax,
    "mish": lambda p: jax.nn.mish,
    "relu": lambda p: jax.nn.relu,
    "selu": lambda p: jax.nn.selu,
    "sigmoid": lambda p: jax.nn.sigmoid,
    "silu": lambda p: jax.nn.silu,
    "softmax": lambda p: jax.nn.softmax,
    "softplus": lambda p: jax.nn.softplus if p["beta"] == 1 else None,
    "softsign": lambda p: jax.nn.soft_sign,
    "tanh": lambda p: jnp.tanh,
}


def _cross_entropy(p: dict[str, Any]) -> Function | None:
    if not p["from_logits"] or p["label_smoothing"]:
        return None

    def function(z: Any, t: Any) -> Any:
        by_index = optax.losses.softmax_cross_entropy_with_integer_labels
        return (by_index if t.ndim < z.ndim else optax.losses.softmax_cross_entropy)(z, t)

    return function


def _focal(p: dict[str, Any]) -> Function | None:
    if not p["from_logits"]:
        return None
    return lambda z, t: optax.losses.sigmoid_focal_loss(z, t, alpha=p["alpha"], gamma=p["gamma"])


def _poly(p: dict[str, Any]) -> Function | None:
    if not p["from_logits"]:
        return None
    return lambda z, t: optax.losses.poly_loss_cross_entropy(
        z, jax.nn.one_hot(t, z.shape[-1]) if t.ndim < z.ndim else t, epsilon=p["epsilon"]
    )


_LOSSES: dict[str, Callable[[dict[str, Any]], Function | None]] = {
    "binary_cross_entropy": lambda p: (
        optax.losses.sigmoid_binary_cross_entropy if p["from_logits"] else None
    ),
    "cosine_distance": lambda p: optax.losses.cosine_distance,
    "cross_entropy": _cross_entropy,
    "focal": _focal,
    "hinge": lambda p: optax.losses.hinge_loss if p["margin"] == 1 else None,
    "huber": lambda p: lambda y, t: optax.losses.huber_loss(y, t, delta=p["delta"]),
    "kl_divergence": lambda p: (
        (lambda y, t: optax.losses.kl_divergence(jnp.log(y), t))
        if p["guard"] == "none" and not p["reverse"] and not p.get("from_logits")
        else None
    ),
    "log_cosh": lambda p: optax.losses.log_cosh,
    "perceptron": lambda p: optax.losses.perceptron_loss,
    "poly_cross_entropy": _poly,
    "squared_error": lambda p: optax.losses.squared_error if p["factor"] == 1 else None,
}


class Optax:
    """Optax and JAX on the processor."""

    name = "optax"
    version = f"{optax.__version__} on JAX {jax.__version__}"

    def offer(self, component: Loss | Activation) -> Offer | None:
        """Return its function for a component, None where it has none."""
        table: dict[str, Any] = _LOSSES if isinstance(component, Loss) else _ACTIVATIONS
        make = table.get(component.name)
        function = None if make is None else make(component.parameters)
        if function is None:
            return None
        value = _array_of(function)
        if component.takes_rows:
            # One function for each row; for an activation that is a Jacobian.
            derivative = jax.jacrev if isinstance(component, Activation) else jax.grad
            return Offer((value, _array_of(jax.vmap(derivative(function)))))
        slope = jax.grad(function)
        return Offer((value, _array_of(jax.vmap(slope)), _array_of(jax.vmap(jax.grad(slope)))))


def _array_of(function: Function) -> Callable[..., NDArray]:
    compiled = jax.jit(function)
    return lambda *arrays: np.asarray(compiled(*map(jnp.asarray, arrays)))


PEER = Optax()

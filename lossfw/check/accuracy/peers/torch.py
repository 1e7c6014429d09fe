"""PyTorch: `torch.nn.functional`, with derivatives by its autograd."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lossfw.check.accuracy.peers.peer import Offer
from lossfw.losses.loss import Loss
from lossfw.nn.activation import Activation
from lossfw.numerics.arrays import NDArray

Tensor = Any
Function = Callable[..., Tensor]

# Called with `torch.nn.functional` and the parameters; a function of tensors, or
# None where there is none at these parameters.
Maker = Callable[[Any, dict[str, Any]], Function | None]

_ACTIVATIONS: dict[str, Maker] = {
    "celu": lambda f, p: lambda x: f.celu(x, p["alpha"]),
    "elu": lambda f, p: lambda x: f.elu(x, p["alpha"]),
    "exp": lambda f, p: lambda x: x.exp(),
    "gelu": lambda f, p: lambda x: f.gelu(x, approximate="tanh" if p["form"] == "tanh" else "none"),
    "hard_sigmoid": lambda f, p: f.hardsigmoid,
    "hard_swish": lambda f, p: f.hardswish,
    "leaky_relu": lambda f, p: lambda x: f.leaky_relu(x, p["negative_slope"]),
    "log_softmax": lambda f, p: lambda x: f.log_softmax(x, -1),
    "mish": lambda f, p: f.mish,
    "relu": lambda f, p: f.relu,
    "selu": lambda f, p: f.selu,
    "sigmoid": lambda f, p: lambda x: x.sigmoid(),
    "silu": lambda f, p: f.silu,
    "softmax": lambda f, p: lambda x: f.softmax(x, -1),
    "softplus": lambda f, p: lambda x: f.softplus(x, p["beta"]),
    "softsign": lambda f, p: f.softsign,
    "tanh": lambda f, p: lambda x: x.tanh(),
}


def _cross_entropy(f: Any, p: dict[str, Any]) -> Function | None:
    if not p["from_logits"]:
        return None
    smoothing = p["label_smoothing"]
    return lambda z, t: f.cross_entropy(z, t, reduction="none", label_smoothing=smoothing)


def _binary_cross_entropy(f: Any, p: dict[str, Any]) -> Function | None:
    if p["from_logits"]:
        return lambda z, t: f.binary_cross_entropy_with_logits(z, t, reduction="none")
    if p["guard"] == "none":
        return lambda y, t: f.binary_cross_entropy(y, t, reduction="none")
    return None


def _gaussian_nll(f: Any, p: dict[str, Any]) -> Function:
    def function(y: Tensor, t: Tensor) -> Tensor:
        variance = p["variance"] + 0 * y.detach()
        return f.gaussian_nll_loss(y, t, variance, full=p["full"], reduction="none")

    return function


def _kl_divergence(f: Any, p: dict[str, Any]) -> Function | None:
    if p["guard"] != "none" or p["reverse"] or p.get("from_logits"):
        return None
    return lambda y, t: f.kl_div(y.log(), t, reduction="none").sum(-1)


_LOSSES: dict[str, Maker] = {
    "absolute_error": lambda f, p: lambda y, t: f.l1_loss(y, t, reduction="none"),
    "binary_cross_entropy": _binary_cross_entropy,
    "cosine_distance": lambda f, p: lambda y, t: 1 - f.cosine_similarity(y, t, -1),
    "cross_entropy": _cross_entropy,
    "gaussian_nll": _gaussian_nll,
    "huber": lambda f, p: lambda y, t: f.huber_loss(y, t, reduction="none", delta=p["delta"]),
    "kl_divergence": _kl_divergence,
    "logistic": lambda f, p: lambda y, t: f.soft_margin_loss(y, t, reduction="none"),
    "squared_error": lambda f, p: (
        (lambda y, t: f.mse_loss(y, t, reduction="none")) if p["factor"] == 1 else None
    ),
}


class Torch:
    """PyTorch on the processor."""

    name = "torch"

    def __init__(self) -> None:
        import torch

        self.version = str(torch.__version__)
        self._functional = torch.nn.functional

    def offer(self, component: Loss | Activation) -> Offer | None:
        """Return its function for a component, None where it has none."""
        table = _LOSSES if isinstance(component, Loss) else _ACTIVATIONS
        make = table.get(component.name)
        function = None if make is None else make(self._functional, component.parameters)
        if function is None:
            return None
        if component.takes_rows:
            first = _jacobian if isinstance(component, Activation) else _gradient
            return Offer((_value(function), first(function)))
        return Offer((_value(function), _gradient(function), _second(function)))


def _tensors(arrays: tuple[NDArray, ...]) -> list[Tensor]:
    import torch

    return [torch.from_numpy(np.ascontiguousarray(x)) for x in arrays]


def _value(function: Function) -> Callable[..., NDArray]:
    def value(*arrays: NDArray) -> NDArray:
        result: NDArray = function(*_tensors(arrays)).numpy(force=True)
        return result

    return value


def _gradient(function: Function) -> Callable[..., NDArray]:
    def gradient(*arrays: NDArray) -> NDArray:
        from torch import autograd

        y, *others = _tensors(arrays)
        y.requires_grad_()
        (slope,) = autograd.grad(function(y, *others).sum(), y)
        return np.asarray(slope.numpy(force=True))

    return gradient


def _second(function: Function) -> Callable[..., NDArray]:
    def second(*arrays: NDArray) -> NDArray:
        from torch import autograd

        y, *others = _tensors(arrays)
        y.requires_grad_()
        (slope,) = autograd.grad(function(y, *others).sum(), y, create_graph=True)
        if not slope.requires_grad:
            return np.zeros_like(arrays[0])
        (bend,) = autograd.grad(slope.sum(), y, allow_unused=True)
        return np.zeros_like(arrays[0]) if bend is None else np.asarray(bend.numpy(force=True))

    return second


def _jacobian(function: Function) -> Callable[..., NDArray]:
    """Return a function of the Jacobian, [row, result, argument]."""

    def jacobian(x: NDArray) -> NDArray:
        columns = range(x.shape[-1])
        found = [_gradient(lambda y, j=j: function(y)[:, j])(x) for j in columns]
        return np.stack(found, axis=1)

    return jacobian

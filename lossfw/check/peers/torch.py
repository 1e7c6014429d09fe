"""PyTorch: `torch.nn.functional`, with derivatives by its autograd."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  # as everyone writes it

from lossfw.activation import Activation
from lossfw.check.peers.peer import Offer
from lossfw.loss import Loss

NDArray = np.ndarray[Any, np.dtype[Any]]
Tensor = Any
Function = Callable[..., Tensor]

_ACTIVATIONS: dict[str, Callable[[dict[str, Any]], Function]] = {
    "celu": lambda p: lambda x: F.celu(x, p["alpha"]),
    "elu": lambda p: lambda x: F.elu(x, p["alpha"]),
    "exp": lambda p: torch.exp,
    "gelu": lambda p: lambda x: F.gelu(x, approximate="tanh" if p["form"] == "tanh" else "none"),
    "hard_sigmoid": lambda p: F.hardsigmoid,
    "hard_swish": lambda p: F.hardswish,
    "leaky_relu": lambda p: lambda x: F.leaky_relu(x, p["negative_slope"]),
    "log_softmax": lambda p: lambda x: F.log_softmax(x, -1),
    "mish": lambda p: F.mish,
    "relu": lambda p: F.relu,
    "selu": lambda p: F.selu,
    "sigmoid": lambda p: torch.sigmoid,
    "silu": lambda p: F.silu,
    "softmax": lambda p: lambda x: F.softmax(x, -1),
    "softplus": lambda p: lambda x: F.softplus(x, p["beta"]),
    "softsign": lambda p: F.softsign,
    "tanh": lambda p: torch.tanh,
}


def _cross_entropy(p: dict[str, Any]) -> Function | None:
    if not p["from_logits"]:
        return None
    smoothing = p["label_smoothing"]
    return lambda z, t: F.cross_entropy(z, t, reduction="none", label_smoothing=smoothing)


def _binary_cross_entropy(p: dict[str, Any]) -> Function | None:
    if p["from_logits"]:
        return lambda z, t: F.binary_cross_entropy_with_logits(z, t, reduction="none")
    if p["guard"] == "none":
        return lambda y, t: F.binary_cross_entropy(y, t, reduction="none")
    return None


def _gaussian_nll(p: dict[str, Any]) -> Function:
    def function(y: Tensor, t: Tensor) -> Tensor:
        variance = torch.full_like(y, p["variance"])
        return F.gaussian_nll_loss(y, t, variance, full=p["full"], reduction="none")

    return function


def _kl_divergence(p: dict[str, Any]) -> Function | None:
    if p["guard"] != "none" or p["reverse"] or p.get("from_logits"):
        return None
    return lambda y, t: F.kl_div(torch.log(y), t, reduction="none").sum(-1)


_LOSSES: dict[str, Callable[[dict[str, Any]], Function | None]] = {
    "absolute_error": lambda p: lambda y, t: F.l1_loss(y, t, reduction="none"),
    "binary_cross_entropy": _binary_cross_entropy,
    "cosine_distance": lambda p: lambda y, t: 1 - F.cosine_similarity(y, t, -1),
    "cross_entropy": _cross_entropy,
    "gaussian_nll": _gaussian_nll,
    "huber": lambda p: lambda y, t: F.huber_loss(y, t, reduction="none", delta=p["delta"]),
    "kl_divergence": _kl_divergence,
    "logistic": lambda p: lambda y, t: F.soft_margin_loss(y, t, reduction="none"),
    "squared_error": lambda p: (
        (lambda y, t: F.mse_loss(y, t, reduction="none")) if p["factor"] == 1 else None
    ),
}


class Torch:
    """PyTorch on the processor."""

    name = "torch"
    version = torch.__version__

    def offer(self, component: Loss | Activation) -> Offer | None:
        """Return its function for a component, None where it has none."""
        table: dict[str, Any] = _LOSSES if isinstance(component, Loss) else _ACTIVATIONS
        make = table.get(component.name)
        function = None if make is None else make(component.parameters)
        if function is None:
            return None
        if component.takes_rows:
            first = _jacobian if isinstance(component, Activation) else _gradient
            return Offer((_value(function), first(function)))
        return Offer((_value(function), _gradient(function), _second(function)))


def _tensors(arrays: tuple[NDArray, ...]) -> list[Tensor]:
    return [torch.from_numpy(np.ascontiguousarray(x)) for x in arrays]


def _value(function: Function) -> Callable[..., NDArray]:
    def value(*arrays: NDArray) -> NDArray:
        result: NDArray = function(*_tensors(arrays)).numpy(force=True)
        return result

    return value


def _gradient(function: Function) -> Callable[..., NDArray]:
    def gradient(*arrays: NDArray) -> NDArray:
        y, *others = _tensors(arrays)
        y.requires_grad_()
        (slope,) = torch.autograd.grad(function(y, *others).sum(), y)
        return np.asarray(slope.numpy(force=True))

    return gradient


def _second(function: Function) -> Callable[..., NDArray]:
    def second(*arrays: NDArray) -> NDArray:
        y, *others = _tensors(arrays)
        y.requires_grad_()
        (slope,) = torch.autograd.grad(function(y, *others).sum(), y, create_graph=True)
        if not slope.requires_grad:
            return np.zeros_like(arrays[0])
        (bend,) = torch.autograd.grad(slope.sum(), y, allow_unused=True)
        return np.zeros_like(arrays[0]) if bend is None else np.asarray(bend.numpy(force=True))

    return second


def _jacobian(function: Function) -> Callable[..., NDArray]:
    """Return a function of the Jacobian, [row, result, argument]."""

    def jacobian(x: NDArray) -> NDArray:
        columns = range(x.shape[-1])
        found = [_gradient(lambda y, j=j: function(y)[:, j])(x) for j in columns]
        return np.stack(found, axis=1)

    return jacobian


PEER = Torch()

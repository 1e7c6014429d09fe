"""Cross-entropy of float32 logits in PyTorch's own operations, by float64.

In float64 the distances of float32 logits have no rounding error that matters, so it takes
a third of the operations of `lossfw.numerics.softmax`. On small batches each costs as much
as a thousand exponentials.
"""

from __future__ import annotations

from typing import Any

from lossfw.numerics.arrays import Array, is_torch

_INFINITE = 1e300


def is_meant(z: Any) -> bool:
    """Tell whether logits are float32 of PyTorch."""
    return is_torch(z) and z.dtype.itemsize == 4


def cross_entropy_at(z: Array, index: Array) -> Array:
    """Return what `lossfw.numerics.softmax_cross_entropy_at` returns."""
    own, others, _ = _take_apart(z, index[..., None].long())
    return _loss(own, others)[0][..., 0].to(z.dtype)


def cross_entropy_and_gradient_at(z: Array, index: Array) -> tuple[Array, Array]:
    """Return what `lossfw.numerics.softmax_cross_entropy_and_gradient_at` returns."""
    place = index[..., None].long()
    own, others, e = _take_apart(z, place)
    loss, total = _loss(own, others)
    slope = (e / total).scatter(-1, place, -others / total)
    return loss[..., 0].to(z.dtype), slope.to(z.dtype)


def _take_apart(z: Array, place: Array) -> tuple[Array, Array, Array]:
    """Return the target's distance from the largest logit, and the exponentials of the others.

    Their sum comes first; they are 0 at the target.
    """
    # Infinite logits as good as infinite: a loss of that size is infinite in float32.
    wide = z.double().clamp(-_INFINITE, _INFINITE)
    d = wide - wide.amax(dim=-1, keepdim=True)
    e = d.exp().scatter(-1, place, 0.0)
    return d.gather(-1, place), e.sum(dim=-1, keepdim=True), e


def _loss(own: Array, others: Array) -> tuple[Array, Array]:
    """Return the losses, and the sums of all exponentials."""
    total = others + own.exp()
    # log1p keeps the digits of a small loss, where the target has the largest logit.
    return others.log1p().where(own == 0.0, total.log() - own), total

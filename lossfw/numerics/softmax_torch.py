"""Cross-entropy of float32 logits in PyTorch's own operations, by float64.

In float64 the distances of float32 logits have no rounding error that matters, so it takes
a third of the operations of `lossfw.numerics.softmax`. On small batches each costs as much
as a thousand exponentials.
"""

from __future__ import annotations

from typing import Any

from lossfw.numerics.arrays import Array, is_torch

_INFINITE = 1e300

# The logarithm of a probability of more than a half comes from the others, of less from itself.
_MINUS_HALF = -0.5


def is_meant(z: Any) -> bool:
    """Tell whether logits are float32 of PyTorch."""
    return is_torch(z) and z.dtype.itemsize == 4


def cross_entropy_at(z: Array, index: Array) -> Array:
    """Return what `lossfw.numerics.softmax_cross_entropy_at` returns."""
    return _take_apart(z, index.unsqueeze(-1).long())[0]


def cross_entropy_and_gradient_at(z: Array, index: Array) -> tuple[Array, Array]:
    """Return what `lossfw.numerics.softmax_cross_entropy_and_gradient_at` returns."""
    place = index.unsqueeze(-1).long()
    loss, slope, at_target = _take_apart(z, place)
    return loss, slope.scatter(-1, place, at_target).to(z.dtype)


def _take_apart(z: Array, place: Array) -> tuple[Array, Array, Array]:
    """Return the losses, the probabilities but 0 at the target, and the slope at the target."""
    # Infinite logits as good as infinite: a loss of that size is infinite in float32.
    logarithm = z.double().clamp(-_INFINITE, _INFINITE).log_softmax(-1)
    own = logarithm.gather(-1, place)
    # Not in place, which `torch.func.vmap` has no rule for.
    p = logarithm.exp_().scatter(-1, place, 0.0)
    # Minus the sum of the others is p - 1 at the target, with the digits of a small one. So has
    # its logarithm.
    slope = p.sum(-1, keepdim=True).neg_()
    loss = slope.log1p().where(slope > _MINUS_HALF, own).neg_()
    return loss.squeeze(-1).to(z.dtype), p, slope

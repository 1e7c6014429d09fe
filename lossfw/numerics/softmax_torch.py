"""Cross-entropy of float32 logits in PyTorch's own operations, by float64.

In float64 the distances of float32 logits have negligible rounding errors, so a third of the
operations of `lossfw.numerics.softmax` suffice. On small batches an operation costs as much as a
thousand exponentials.
"""

from __future__ import annotations

from typing import Any

from lossfw.numerics.arrays import Array, is_torch

_INFINITE = 1e300


def is_float32_tensor(z: Any) -> bool:
    """Tell whether logits are a float32 tensor."""
    return is_torch(z) and z.dtype.itemsize == 4


def cross_entropy_at(z: Array, index: Array) -> Array:
    """`lossfw.numerics.softmax_cross_entropy_at` for tensors."""
    own, others, _, _ = _decompose(z, index.unsqueeze(-1).long(), _may_write())
    return _loss(own, others)[0].to(z.dtype)


def cross_entropy_and_gradient_at(z: Array, index: Array) -> tuple[Array, Array]:
    """`lossfw.numerics.softmax_cross_entropy_and_gradient_at` for tensors."""
    place, write = index.unsqueeze(-1).long(), _may_write()
    own, others, e, scatter = _decompose(z, place, write)
    loss, total = _loss(own, others)
    derivative = scatter(e, -1, place, -others)
    derivative = derivative.div_(total) if write else derivative / total
    return loss.to(z.dtype), derivative.to(z.dtype)


def _may_write() -> bool:
    """Tell whether results may be written over, as on large batches new memory takes most time.

    A graph may need them, and `torch.func` has no rules for it.
    """
    import torch  # whoever made the tensors has imported it

    if torch.is_grad_enabled() or torch.compiler.is_compiling():
        return False
    return not torch._C._are_functorch_transforms_active()


def _decompose(z: Array, place: Array, in_place: bool) -> tuple[Array, Array, Array, Any]:
    """Return the target's distance from the largest logit, and the exponentials of the others.

    Their sum comes before them; they are 0 at the target. The last is the function that writes
    at the targets.
    """
    import torch

    scatter = torch.Tensor.scatter_ if in_place else torch.Tensor.scatter
    # Infinite logits as good as infinite: a loss of that size is infinite in float32.
    wide = z.double()
    wide = wide.clamp_(-_INFINITE, _INFINITE) if in_place else wide.clamp(-_INFINITE, _INFINITE)
    largest = wide.amax(dim=-1, keepdim=True)
    d = wide.sub_(largest) if in_place else wide - largest
    own = d.gather(-1, place)
    e = scatter(d.exp_() if in_place else d.exp(), -1, place, 0.0)
    return own, e.sum(dim=-1, keepdim=True), e, scatter


def _loss(own: Array, others: Array) -> tuple[Array, Array]:
    """Return the losses, and the sums of all exponentials."""
    # The largest exponential is 1. The sum less 1 keeps the digits of a small loss, and nothing
    # else cancels: a target of another class has one of the largest among the others.
    rest = others + own.expm1()
    return (rest.log1p() - own).squeeze(-1), rest + 1.0

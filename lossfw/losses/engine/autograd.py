"""The losses of a call as PyTorch and JAX differentiate them: by the published derivatives.

Differentiating a body operation by operation goes wrong where it is hard: at ties, at kinks,
and where a factor is 0 and another infinite. So to both libraries the losses of a call are
one operation, whose derivative is the published slope, and the derivative of that the
published curvature. Other libraries do not differentiate.
"""

from __future__ import annotations

from lossfw.losses.base import Definition
from lossfw.losses.engine.tiling import EngineBody
from lossfw.numerics.arrays import Array, Namespace, is_jax, is_torch


def losses(
    body: EngineBody, xp: Namespace, y: Array, t: Array, kept: Array | None, by_index: bool
) -> Array:
    """Return the unreduced losses, differentiable by their published derivatives.

    Parameters
    ----------
    body : EngineBody
        The loss, or a body without derivatives.
    xp : namespace
    y, t : array
        Prediction and target, in the dtype of the computation.
    kept : array of bool or None
        Which elements or rows count; the others have the slope 0, whatever they hold.
    by_index : bool
        The target holds class indices.
    """
    if isinstance(body, Definition):
        if is_torch(y):
            # Each defines functions of its library, which is imported by whoever made `y`.
            from lossfw.losses.engine import torch_rules

            return torch_rules.losses(body, y, t, by_index)
        if is_jax(y):
            from lossfw.losses.engine import jax_rules

            return jax_rules.losses(body, y, t, kept, by_index)
    return (body.unreduced_at if by_index else body.unreduced)(xp, y, t)

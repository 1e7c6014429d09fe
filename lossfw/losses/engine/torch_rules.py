"""Rules of PyTorch: the losses of a call as one function with published derivatives.

The functions also serve `torch.func` (vmap, grad, jvp, hessian) and `torch.compile`, which
cannot follow a rule for tangents: so each function is there without and with it.
"""

from __future__ import annotations

from typing import Any

import torch

from lossfw.losses.base import Definition
from lossfw.losses.engine import published
from lossfw.numerics.arrays import Array, namespace_of

# The gradients of the four arguments of a function whose result nothing depends on.
_NONE = (None, None, None, None)


def losses(body: Definition, y: Array, t: Array, by_index: bool) -> Array:
    """Return the unreduced losses; see `lossfw.losses.engine.autograd`."""
    if t.requires_grad:
        published.check_target(body)
    compiling = torch.compiler.is_compiling()
    # Slopes that a backward pass will want are computed beside the losses.
    if y.requires_grad and torch.is_grad_enabled():
        return _both(compiling).apply(y, t, body, by_index)[0]
    function = _Losses if compiling else _LossesWithTangents
    return function.apply(y, t, body, by_index)


def _both(compiling: bool) -> type[_LossesAndSlopes]:
    if compiling:
        return _LossesAndSlopes
    # There is no public name for the question.
    mapped = torch._C._are_functorch_transforms_active()
    return _LossesAndSlopesWithTangents if mapped else _PlainLossesAndSlopes


def slopes(ctx: Any) -> Array:
    """Return the published slopes at the saved arguments of a function, differentiable."""
    y, t = ctx.saved_tensors[:2]
    return _slopes_at(y, t, ctx)


def _slopes_at(y: Array, t: Array, ctx: Any) -> Array:
    function = _Slopes if torch.compiler.is_compiling() else _SlopesWithTangents
    return function.apply(y, t, ctx.body, ctx.by_index)


def _slopes_of_target(ctx: Any, slope: Array) -> Array:
    """Return the slopes by the target: minus those of a residual, or with both exchanged."""
    if published.of_residual(ctx.body):
        return -slope
    y, t = ctx.saved_tensors[:2]
    return _slopes_at(t, y, ctx)


def losses_and_slopes(y: Array, t: Array, body: Definition, by_index: bool) -> tuple[Array, Array]:
    """Return the losses with their published slopes."""
    both = body.unreduced_with_gradient_at if by_index else body.unreduced_with_gradient
    return both(namespace_of(y), y, t)


class _OfArguments(torch.autograd.Function):  # type: ignore[misc]  # torch may be missing
    """A function whose derivative is computed from its arguments."""

    generate_vmap_rule = True

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Array) -> None:
        y, t, ctx.body, ctx.by_index = inputs
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(y, t)
        ctx.save_for_forward(y, t)


class _Losses(_OfArguments):
    """Losses of which no derivative may be wanted."""

    @staticmethod
    def forward(y: Array, t: Array, body: Definition, by_index: bool) -> Array:
        function = body.unreduced_at if by_index else body.unreduced
        return function(namespace_of(y), y, t)

    @staticmethod
    def backward(ctx: Any, up: Array | None) -> tuple[Any, ...]:
        return _NONE if up is None else _back(ctx, slopes(ctx), up)


class _LossesWithTangents(_Losses):
    @staticmethod
    def jvp(ctx: Any, y_tangent: Array, t_tangent: Array, *_: Any) -> Array:
        return _along(ctx, y_tangent, t_tangent)


class _LossesAndSlopes(torch.autograd.Function):  # type: ignore[misc]  # torch may be missing
    """Losses with their slopes, which the backward pass takes."""

    generate_vmap_rule = True

    @staticmethod
    def forward(y: Array, t: Array, body: Definition, by_index: bool) -> tuple[Array, Array]:
        return losses_and_slopes(y, t, body, by_index)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Array, Array]) -> None:
        y, t, ctx.body, ctx.by_index = inputs
        ctx.mark_non_differentiable(output[1])
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(y, t, output[1])
        ctx.save_for_forward(y, t)

    @staticmethod
    def backward(ctx: Any, up: Array | None, _: Any) -> tuple[Any, ...]:
        if up is None:
            return _NONE
        # With gradients enabled the result is to be differentiated again.
        slope = slopes(ctx) if torch.is_grad_enabled() else ctx.saved_tensors[2]
        return _back(ctx, slope, up)


class _LossesAndSlopesWithTangents(_LossesAndSlopes):
    @staticmethod
    def jvp(ctx: Any, y_tangent: Array, t_tangent: Array, *_: Any) -> tuple[Array, None]:
        return _along(ctx, y_tangent, t_tangent), None


class _PlainLossesAndSlopes(_LossesAndSlopesWithTangents):
    """The same in one step and not in two, which `torch.func` needs and PyTorch is slower with."""

    generate_vmap_rule = False
    setup_context = torch.autograd.Function.setup_context

    @staticmethod
    def forward(  # type: ignore[override]  # PyTorch has two forms
        ctx: Any, y: Array, t: Array, body: Definition, by_index: bool
    ) -> tuple[Array, Array]:
        output = _LossesAndSlopes.forward(y, t, body, by_index)
        _LossesAndSlopes.setup_context(ctx, (y, t, body, by_index), output)
        return output


class _Slopes(_OfArguments):
    """Published slopes, whose derivative is the published curvature."""

    @staticmethod
    def forward(y: Array, t: Array, body: Definition, by_index: bool) -> Array:
        return published.slopes(body, namespace_of(y), y, t, by_index)

    @staticmethod
    def backward(ctx: Any, up: Array | None) -> tuple[Any, ...]:
        if up is None:
            return _NONE
        # A Hessian is symmetric: from above it acts as along a direction.
        bent = _bent(ctx, up)
        if not ctx.needs_input_grad[1]:
            return bent, None, None, None
        if published.of_residual(ctx.body):
            return bent, -bent, None, None
        # The derivative by y and t is that by t and y, of the slope with both exchanged.
        y, t = ctx.saved_tensors
        return bent, _crossed(ctx, t, y, up), None, None


class _SlopesWithTangents(_Slopes):
    @staticmethod
    def jvp(ctx: Any, y_tangent: Array, t_tangent: Array, *_: Any) -> Array:
        if t_tangent is None or published.of_residual(ctx.body):
            return _bent(ctx, _tangent(y_tangent, t_tangent))
        y, t = ctx.saved_tensors
        crossed = _crossed(ctx, y, t, t_tangent)
        return crossed if y_tangent is None else _bent(ctx, y_tangent) + crossed


def _bent(ctx: Any, direction: Array) -> Array:
    y, t = ctx.saved_tensors
    bent = published.bend(ctx.body, namespace_of(y), y, t, ctx.by_index, direction)
    return _unless_still(ctx, direction, bent)


def _crossed(ctx: Any, y: Array, t: Array, direction: Array) -> Array:
    crossed = published.cross(ctx.body, namespace_of(y), y, t, direction)
    return _unless_still(ctx, direction, crossed)


def _unless_still(ctx: Any, direction: Array, bent: Array) -> Array:
    # A row along which nothing moves, or of which nothing is wanted, has no say.
    still = direction == 0
    if ctx.body.takes_rows:
        still = still.all(dim=-1, keepdim=True)
    return torch.where(still, torch.zeros_like(bent), bent)


def _back(ctx: Any, slope: Array, up: Array) -> tuple[Any, ...]:
    """Return the gradients of the arguments from the gradient of the losses."""
    above = _spread(up, slope)
    of_target = None
    if ctx.needs_input_grad[1]:
        published.check_target(ctx.body)
        of_target = _times(above, _slopes_of_target(ctx, slope))
    return _times(above, slope), of_target, None, None


def _times(up: Array, slope: Array) -> Array:
    """Return a product, 0 where the factor from above is 0, so that masked elements do no harm."""
    blocked = up == 0
    if torch.is_grad_enabled():
        # Not everywhere, for the product has the derivative `slope` with respect to `up`.
        blocked = blocked & ~torch.isfinite(slope)
    return torch.where(blocked, torch.zeros_like(slope), up * slope)


def _along(ctx: Any, y_tangent: Array, t_tangent: Array) -> Array:
    """Return the derivative of the losses along a direction."""
    if t_tangent is None or published.of_residual(ctx.body):
        along = _times(_tangent(y_tangent, t_tangent), slopes(ctx))
    else:
        published.check_target(ctx.body)
        along = _times(t_tangent, _slopes_of_target(ctx, t_tangent))
        if y_tangent is not None:
            along = along + _times(y_tangent, slopes(ctx))
    return along.sum(dim=-1) if ctx.body.takes_rows else along


def _tangent(y_tangent: Any, t_tangent: Any) -> Any:
    """Return the tangent of the prediction, or that of the residual; None stands for 0."""
    if t_tangent is None:
        return y_tangent
    return -t_tangent if y_tangent is None else y_tangent - t_tangent


def _spread(up: Array, slope: Array) -> Array:
    """Return the gradient of losses of rows with an axis for the columns."""
    return up[..., None] if up.ndim < slope.ndim else up

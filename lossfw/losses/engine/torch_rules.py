"""Rules of PyTorch: the losses of a call as one function with published derivatives.

The functions also serve `torch.func` (vmap, grad, jvp, hessian). For `torch.compile` see
`lossfw.losses.engine.torch_compiled`.
"""

from __future__ import annotations

from typing import Any

import torch

from lossfw.losses.base import LossDefinition
from lossfw.losses.engine import loss_derivatives, torch_written
from lossfw.numerics.arrays import Array, namespace_of

# The gradients of the four arguments of a function whose result nothing depends on.
_NONE = (None, None, None, None)


def losses(loss: LossDefinition, y: Array, t: Array, by_index: bool) -> Array:
    """Return the unreduced losses; see `lossfw.losses.engine.whole_array`."""
    # Gradients that a backward pass will want are computed next to the losses.
    if y.requires_grad and torch.is_grad_enabled():
        # There is no public name for the question.
        mapped = torch._C._are_functorch_transforms_active()
        function = _LossesAndGradients if mapped else _PlainLossesAndGradients
        return function.apply(y, t, loss, by_index)[0]
    return _Losses.apply(y, t, loss, by_index)


def gradients(ctx: Any) -> Array:
    """Return the published gradients at the saved arguments of a function, differentiable."""
    y, t = ctx.saved_tensors[:2]
    return gradients_at(y, t, ctx.loss, ctx.by_index)


def gradients_at(y: Array, t: Array, loss: LossDefinition, by_index: bool) -> Array:
    """Return the published gradients, differentiable; of members of columns as flat rows."""
    return _Gradients.apply(y, t, loss, by_index)


def _gradients_of_target(ctx: Any, gradient: Array) -> Array:
    """Return the gradients by the target: minus those of a residual, or with both exchanged."""
    if loss_derivatives.depends_on_residual(ctx.loss):
        return -gradient
    y, t = ctx.saved_tensors[:2]
    return _Gradients.apply(t, y, ctx.loss, ctx.by_index)


class _FunctionOfArguments(torch.autograd.Function):  # type: ignore[misc]  # torch may be missing
    """A function whose derivative is computed from its arguments."""

    generate_vmap_rule = True

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Array) -> None:
        y, t, ctx.loss, ctx.by_index = inputs
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(y, t)
        ctx.save_for_forward(y, t)


class _Losses(_FunctionOfArguments):
    """Losses of which no derivative may be asked for."""

    @staticmethod
    def forward(y: Array, t: Array, loss: LossDefinition, by_index: bool) -> Array:
        return loss._unreduced_losses("value", namespace_of(y), y, t, by_index)

    @staticmethod
    def backward(ctx: Any, upstream: Array | None) -> tuple[Any, ...]:
        return _NONE if upstream is None else _input_gradients(ctx, gradients(ctx), upstream)

    @staticmethod
    def jvp(ctx: Any, y_tangent: Array, t_tangent: Array, *_: Any) -> Array:
        return _directional_derivative(ctx, y_tangent, t_tangent)


class _LossesAndGradients(torch.autograd.Function):  # type: ignore[misc]  # torch may be missing
    """Losses with their gradients, which the backward pass takes."""

    generate_vmap_rule = True

    @staticmethod
    def forward(y: Array, t: Array, loss: LossDefinition, by_index: bool) -> tuple[Array, Array]:
        return torch_written.losses_and_gradients(loss, y, t, by_index)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Array, Array]) -> None:
        y, t, ctx.loss, ctx.by_index = inputs
        ctx.mark_non_differentiable(output[1])
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(y, t, output[1])
        ctx.save_for_forward(y, t)

    @staticmethod
    def backward(ctx: Any, upstream: Array | None, _: Any) -> tuple[Any, ...]:
        if upstream is None:
            return _NONE
        # With gradients enabled the result is to be differentiated again.
        gradient = gradients(ctx) if torch.is_grad_enabled() else ctx.saved_tensors[2]
        return _input_gradients(ctx, gradient, upstream)

    @staticmethod
    def jvp(ctx: Any, y_tangent: Array, t_tangent: Array, *_: Any) -> tuple[Array, None]:
        return _directional_derivative(ctx, y_tangent, t_tangent), None


class _PlainLossesAndGradients(_LossesAndGradients):
    """The same in one step and not in two, which `torch.func` needs and PyTorch is slower with."""

    generate_vmap_rule = False
    setup_context = torch.autograd.Function.setup_context

    @staticmethod
    def forward(  # type: ignore[override]  # PyTorch has two forms
        ctx: Any, y: Array, t: Array, loss: LossDefinition, by_index: bool
    ) -> tuple[Array, Array]:
        output = _LossesAndGradients.forward(y, t, loss, by_index)
        _LossesAndGradients.setup_context(ctx, (y, t, loss, by_index), output)
        return output


class _Gradients(_FunctionOfArguments):
    """Published gradients, whose derivative is the published Hessian."""

    @staticmethod
    def forward(y: Array, t: Array, loss: LossDefinition, by_index: bool) -> Array:
        return loss._unreduced_losses("gradient", namespace_of(y), y, t, by_index)

    @staticmethod
    def backward(ctx: Any, upstream: Array | None) -> tuple[Any, ...]:
        if upstream is None:
            return _NONE
        # A Hessian is symmetric: from above it acts as along a direction.
        product = _hessian_product(ctx, upstream)
        if not ctx.needs_input_grad[1]:
            return product, None, None, None
        if loss_derivatives.depends_on_residual(ctx.loss):
            return product, -product, None, None
        # The derivative by y and t is that by t and y, of the gradient with both exchanged.
        y, t = ctx.saved_tensors
        return product, _cross_product(ctx, t, y, upstream), None, None

    @staticmethod
    def jvp(ctx: Any, y_tangent: Array, t_tangent: Array, *_: Any) -> Array:
        if t_tangent is None or loss_derivatives.depends_on_residual(ctx.loss):
            return _hessian_product(ctx, _tangent(y_tangent, t_tangent))
        y, t = ctx.saved_tensors
        product = _cross_product(ctx, y, t, t_tangent)
        return product if y_tangent is None else _hessian_product(ctx, y_tangent) + product


def _hessian_product(ctx: Any, direction: Array) -> Array:
    y, t = ctx.saved_tensors
    xp = namespace_of(y)
    product = loss_derivatives.hessian_product(ctx.loss, xp, y, t, ctx.by_index, direction)
    return _zero_where_unmoved(ctx, direction, product)


def _cross_product(ctx: Any, y: Array, t: Array, direction: Array) -> Array:
    product = loss_derivatives.cross_product(ctx.loss, namespace_of(y), y, t, direction)
    return _zero_where_unmoved(ctx, direction, product)


def _zero_where_unmoved(ctx: Any, direction: Array, product: Array) -> Array:
    # A row along which nothing moves, or of which nothing is asked, has no say.
    unmoved = direction == 0
    if ctx.loss.takes_rows:
        unmoved = unmoved.all(dim=-1, keepdim=True)
    return torch.where(unmoved, torch.zeros_like(product), product)


def _input_gradients(ctx: Any, gradient: Array, upstream: Array) -> tuple[Any, ...]:
    """Return the gradients of the arguments from the gradient of the losses."""
    # Losses of rows have no axis for the columns.
    upstream = upstream[..., None] if upstream.ndim < gradient.ndim else upstream
    of_target = None
    if ctx.needs_input_grad[1]:
        loss_derivatives.require_target_derivative(ctx.loss)
        of_target = _multiply_masked(upstream, _gradients_of_target(ctx, gradient))
    return _multiply_masked(upstream, gradient), of_target, None, None


def _multiply_masked(upstream: Array, gradient: Array) -> Array:
    """Return a product, 0 where the factor from above is 0, so that masked elements do no harm."""
    blocked = upstream == 0
    if torch.is_grad_enabled():
        # Not everywhere, because the product has the derivative `gradient` with respect to
        # `upstream`.
        blocked = blocked & ~torch.isfinite(gradient)
    return torch.where(blocked, torch.zeros_like(gradient), upstream * gradient)


def _directional_derivative(ctx: Any, y_tangent: Array, t_tangent: Array) -> Array:
    """Return the derivative of the losses along a direction."""
    if t_tangent is None or loss_derivatives.depends_on_residual(ctx.loss):
        derivative = _multiply_masked(_tangent(y_tangent, t_tangent), gradients(ctx))
    else:
        loss_derivatives.require_target_derivative(ctx.loss)
        derivative = _multiply_masked(t_tangent, _gradients_of_target(ctx, t_tangent))
        if y_tangent is not None:
            derivative = derivative + _multiply_masked(y_tangent, gradients(ctx))
    return derivative.sum(dim=-1) if ctx.loss.takes_rows else derivative


def _tangent(y_tangent: Any, t_tangent: Any) -> Any:
    """Return the tangent of the prediction, or that of the residual; None stands for 0."""
    if t_tangent is None:
        return y_tangent
    return -t_tangent if y_tangent is None else y_tangent - t_tangent

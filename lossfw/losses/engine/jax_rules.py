"""Rules of JAX: the losses of a call as one function with published derivatives.

They work with `jax.grad`, `jvp`, `hessian`, `vmap` and `jit`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, cast

import jax
import jax.experimental
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero

from lossfw.losses.base import LossDefinition
from lossfw.losses.engine import loss_derivatives
from lossfw.numerics.arrays import Array

_Function = Callable[..., Array]


def double_precision(enabled: bool) -> AbstractContextManager[Any]:
    """Let JAX compute in float64 inside a ``with`` block, or in float32."""
    # Its place before JAX 0.8 was another; that of today has no truth value.
    home: Any = jax if hasattr(jax, "enable_x64") else jax.experimental
    context: AbstractContextManager[Any] = home.enable_x64(enabled)
    return context


def losses(loss: LossDefinition, y: Array, t: Array, where: Array | None, by_index: bool) -> Array:
    """Return the unreduced losses; see `lossfw.losses.engine.whole_array`.

    Elements or rows that do not count have gradient 0, whatever their values.
    """
    return _losses_function(loss, by_index)(y, t, where)


# Losses are equal by value, so that the functions of equal ones are compiled once.
@functools.lru_cache(maxsize=256)
def _losses_function(loss: LossDefinition, by_index: bool) -> _Function:
    """Return the function of prediction, target and mask, with its derivative."""

    @functools.partial(jax.custom_jvp)
    def value(y: Array, t: Array, where: Array | None) -> Array:
        return loss._unreduced_losses("value", jnp, y, t, by_index)

    @functools.partial(value.defjvp, symbolic_zeros=True)
    def derivative(primals: Any, tangents: Any) -> tuple[Array, Array]:
        gradient = _gradient_function(loss, by_index)
        tangent, t_tangent = _tangents(loss, primals[0], *tangents[:2])
        along = tangent * gradient(*primals)
        if t_tangent is not None:
            y, t, where = primals
            along = along + t_tangent * gradient(t, y, where)
        return value(*primals), along.sum(axis=-1) if loss.takes_rows else along

    return cast(_Function, value)


@functools.lru_cache(maxsize=256)
def _gradient_function(loss: LossDefinition, by_index: bool) -> _Function:
    """Return the published gradient as a function whose derivative is the published Hessian."""

    @functools.partial(jax.custom_jvp)
    def gradient(y: Array, t: Array, where: Array | None) -> Array:
        return _zero_masked(where, loss._unreduced_losses("gradient", jnp, y, t, by_index))

    @functools.partial(gradient.defjvp, symbolic_zeros=True)
    def derivative(primals: Any, tangents: Any) -> tuple[Array, Array]:
        y, t, where = primals
        tangent, t_tangent = _tangents(loss, y, *tangents[:2])

        def hessian_product(direction: Array) -> Array:
            return loss_derivatives.hessian_product(loss, jnp, y, t, by_index, direction)

        def cross_product(direction: Array) -> Array:
            return loss_derivatives.cross_product(loss, jnp, y, t, direction)

        along = _as_linear_product(loss, where, y, tangent, hessian_product)
        if t_tangent is not None:
            along = along + _as_linear_product(loss, where, y, t_tangent, cross_product)
        return gradient(*primals), along

    return cast(_Function, gradient)


def _as_linear_product(
    loss: LossDefinition, where: Array | None, y: Array, direction: Array, product: _Function
) -> Array:
    """Return a product with a direction in a form of which JAX sees that it is linear."""
    if not loss.takes_rows:
        return _zero_masked(where, product(jnp.ones_like(y))) * direction
    # So each row's matrix is made whole, column by column.
    columns = jax.vmap(lambda unit: _zero_masked(where, product(jnp.broadcast_to(unit, y.shape))))(
        jnp.eye(y.shape[-1], dtype=y.dtype)
    )
    return jnp.einsum("k...j,...k->...j", columns, direction)


def _tangents(
    loss: LossDefinition, y: Array, y_tangent: Any, t_tangent: Any
) -> tuple[Array, Array | None]:
    """Return the tangent of the prediction or the residual, and that of an exchanged target."""
    tangent = jnp.zeros_like(y) if isinstance(y_tangent, SymbolicZero) else y_tangent
    if isinstance(t_tangent, SymbolicZero):
        return tangent, None
    loss_derivatives.require_target_derivative(loss)
    if loss_derivatives.depends_on_residual(loss):
        return tangent - t_tangent, None
    return tangent, t_tangent


def _zero_masked(where: Array | None, gradient: Array) -> Array:
    """Return the gradient, 0 in elements and rows that do not count."""
    if where is None:
        return gradient
    where = where[..., None] if where.ndim < gradient.ndim else where
    return jnp.where(where, gradient, jnp.zeros_like(gradient))

"""Rules of JAX: the losses of a call as one function with published derivatives.

They hold for `jax.grad`, `jvp`, `hessian`, `vmap` and under `jit`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, cast

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero

from lossfw.losses.base import Definition
from lossfw.losses.engine import published
from lossfw.numerics.arrays import Array

_Function = Callable[..., Array]


def losses(body: Definition, y: Array, t: Array, kept: Array | None, by_index: bool) -> Array:
    """Return the unreduced losses; see `lossfw.losses.engine.autograd`."""
    return _losses(body, by_index)(y, t, kept)


# Losses are equal by value, so that the functions of equal ones are compiled once.
@functools.lru_cache(maxsize=256)
def _losses(body: Definition, by_index: bool) -> _Function:
    """Return the function of prediction, target and mask, with its derivative."""

    @functools.partial(jax.custom_jvp)
    def value(y: Array, t: Array, kept: Array | None) -> Array:
        return (body.unreduced_at if by_index else body.unreduced)(jnp, y, t)

    @functools.partial(value.defjvp, symbolic_zeros=True)
    def derivative(primals: Any, tangents: Any) -> tuple[Array, Array]:
        along = _tangent(body, *primals[:2], *tangents[:2]) * _slopes(body, by_index)(*primals)
        return value(*primals), along.sum(axis=-1) if body.takes_rows else along

    return cast(_Function, value)


@functools.lru_cache(maxsize=256)
def _slopes(body: Definition, by_index: bool) -> _Function:
    """Return the published slope as a function whose derivative is the published curvature."""

    @functools.partial(jax.custom_jvp)
    def slope(y: Array, t: Array, kept: Array | None) -> Array:
        return _chosen(kept, published.slopes(body, jnp, y, t, by_index))

    @functools.partial(slope.defjvp, symbolic_zeros=True)
    def derivative(primals: Any, tangents: Any) -> tuple[Array, Array]:
        y, t, kept = primals
        direction = _tangent(body, y, t, *tangents[:2])
        return slope(*primals), _bent(body, y, t, kept, by_index, direction)

    return cast(_Function, slope)


def _bent(
    body: Definition, y: Array, t: Array, kept: Array | None, by_index: bool, direction: Array
) -> Array:
    """Return the Hessian times a direction, of which JAX must see that it is linear."""
    if not body.takes_rows:
        one = jnp.ones_like(y)
        return _chosen(kept, published.bend(body, jnp, y, t, by_index, one)) * direction
    # So each row's Hessian is made whole, column by column.
    columns = jax.vmap(
        lambda unit: _chosen(
            kept, published.bend(body, jnp, y, t, by_index, jnp.broadcast_to(unit, y.shape))
        )
    )(jnp.eye(y.shape[-1], dtype=y.dtype))
    return jnp.einsum("k...j,...k->...j", columns, direction)


def _tangent(body: Definition, y: Array, t: Array, y_tangent: Any, t_tangent: Any) -> Array:
    """Return the tangent of the prediction, or that of the residual."""
    along = jnp.zeros_like(y) if isinstance(y_tangent, SymbolicZero) else y_tangent
    if isinstance(t_tangent, SymbolicZero):
        return along
    if not published.of_residual(body):
        raise published.refuse_slope_of_target(body)
    return along - t_tangent


def _chosen(kept: Array | None, slope: Array) -> Array:
    """Return the slope, 0 in elements and rows that do not count."""
    if kept is None:
        return slope
    kept = kept[..., None] if kept.ndim < slope.ndim else kept
    return jnp.where(kept, slope, jnp.zeros_like(slope))

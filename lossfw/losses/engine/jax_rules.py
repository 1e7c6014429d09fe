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
        slope = _slopes(body, by_index)
        of_residual, of_target = _tangents(body, primals[0], *tangents[:2])
        along = of_residual * slope(*primals)
        if of_target is not None:
            y, t, kept = primals
            along = along + of_target * slope(t, y, kept)
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
        direction, of_target = _tangents(body, y, *tangents[:2])
        bent = _along(
            body, kept, y, direction, lambda unit: published.bend(body, jnp, y, t, by_index, unit)
        )
        if of_target is not None:
            bent = bent + _along(
                body, kept, y, of_target, lambda unit: published.cross(body, jnp, y, t, unit)
            )
        return slope(*primals), bent

    return cast(_Function, slope)


def _along(
    body: Definition, kept: Array | None, y: Array, direction: Array, bend: _Function
) -> Array:
    """Return a bend along a direction, of which JAX must see that it is linear."""
    if not body.takes_rows:
        return _chosen(kept, bend(jnp.ones_like(y))) * direction
    # So each row's matrix is made whole, column by column.
    columns = jax.vmap(lambda unit: _chosen(kept, bend(jnp.broadcast_to(unit, y.shape))))(
        jnp.eye(y.shape[-1], dtype=y.dtype)
    )
    return jnp.einsum("k...j,...k->...j", columns, direction)


def _tangents(
    body: Definition, y: Array, y_tangent: Any, t_tangent: Any
) -> tuple[Array, Array | None]:
    """Return the tangent of the prediction or the residual, and that of an exchanged target."""
    along = jnp.zeros_like(y) if isinstance(y_tangent, SymbolicZero) else y_tangent
    if isinstance(t_tangent, SymbolicZero):
        return along, None
    published.check_target(body)
    return (along - t_tangent, None) if published.of_residual(body) else (along, t_tangent)


def _chosen(kept: Array | None, slope: Array) -> Array:
    """Return the slope, 0 in elements and rows that do not count."""
    if kept is None:
        return slope
    kept = kept[..., None] if kept.ndim < slope.ndim else kept
    return jnp.where(kept, slope, jnp.zeros_like(slope))

"""Angles between rows of numbers, accurate also for small angles.

The component of one row orthogonal to another is computed from determinants, so it is exactly 0 for
parallel rows. Thus the distance 1 - cos, half the squared distance of the unit rows, keeps its
digits for the smallest angle that the rows determine.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from lossfw import Array, Namespace
from lossfw.numerics import (
    apply_where,
    apply_where_rows,
    column_numbers,
    computed_in_float64,
)

# Up to this cosine its difference from 1 keeps the digits.
_NEAR = 0.5


class _RowNorms(NamedTuple):
    """The lengths of two rows, with a last axis of 1; 1 in the place of 0."""

    lost: Array  # one of the two is a row of zeros; angles mean nothing there
    norm: Array
    norm_t: Array
    cosine: Array  # of the angle between them


class Angle(NamedTuple):
    """The directions of two rows."""

    lost: Array  # one of the two is a row of zeros; the others mean nothing there
    across: Array  # the part of the unit row of t that is at right angles to y
    cosine: Array  # of the angle between them
    norm: Array  # of y


def _row_norms(xp: Namespace, y: Array, t: Array) -> _RowNorms:
    squares = [xp.sum(x * x, axis=-1, keepdims=True) for x in (y, t)]
    lost = (squares[0] == 0) | (squares[1] == 0)
    norm, norm_t = (xp.sqrt(xp.where(lost, xp.ones_like(x), x)) for x in squares)
    cosine = xp.sum(y * t, axis=-1, keepdims=True) / (norm * norm_t)
    return _RowNorms(lost, norm, norm_t, cosine)


def angle_between(xp: Namespace, y: Array, t: Array) -> Angle:
    """Return the directions of two rows."""
    r = _row_norms(xp, y, t)
    across = _orthogonal_part(xp, y, t, r.norm, r.norm_t)
    return Angle(r.lost[..., 0], across, r.cosine[..., 0], r.norm)


def _value_of(xp: Namespace, angle: Angle, at_zero: float) -> Array:
    narrow = _distance_from_across(xp, angle.across, angle.cosine)
    result = xp.where(angle.cosine > _NEAR, narrow, 1.0 - angle.cosine)
    return xp.where(angle.lost, xp.full_like(result, at_zero), result)


def _distance_from_across(xp: Namespace, across: Array, cosine: Array) -> Array:
    """Return sin^2 / (1 + cos)."""
    return xp.sum(across * across, axis=-1) / (1.0 + cosine)


def _derivative_of(xp: Namespace, angle: Angle) -> Array:
    result = -angle.across / angle.norm
    lost = xp.broadcast_to(angle.lost[..., None], result.shape)
    return apply_where(xp, result, lost, lambda xp, x: xp.zeros_like(x), result)


@computed_in_float64
def distance(xp: Namespace, y: Array, t: Array, at_zero: float) -> Array:
    """Return 1 - cos: as sin^2 / (1 + cos), or directly where it does not cancel.

    A row of zeros has no direction, and its loss is `at_zero`.

    Examples
    --------
    >>> import numpy as np
    >>> distance(np, np.asarray([[1.0, 1e-9]]), np.asarray([[1.0, 0.0]]), 1.0)
    array([5.e-19])
    """

    def near_distance(
        xp: Namespace, y: Array, t: Array, norm: Array, norm_t: Array, cosine: Array
    ) -> Array:
        return _distance_from_across(xp, _orthogonal_part(xp, y, t, norm, norm_t), cosine[..., 0])

    r = _row_norms(xp, y, t)
    cosine = r.cosine[..., 0]
    rows = (y, t, r.norm, r.norm_t, r.cosine)
    result = apply_where_rows(xp, 1.0 - cosine, cosine > _NEAR, near_distance, *rows)
    return xp.where(r.lost[..., 0], xp.full_like(cosine, at_zero), result)


@computed_in_float64
def cosine_minus(xp: Namespace, y: Array, t: Array, limit: float) -> Array:
    """Return the cosine minus a limit, from 1 - cos where the cosine is near 1.

    Examples
    --------
    >>> import numpy as np
    >>> cosine_minus(np, np.asarray([[1.0, 1e-9]]), np.asarray([[0.0, 1.0]]), 0.0)
    array([1.e-09])
    """
    cosine = _row_norms(xp, y, t).cosine[..., 0]
    near = (1.0 - limit) - distance(xp, y, t, math.nan)
    return xp.where(cosine > _NEAR, near, cosine - limit)


@computed_in_float64
def derivative(xp: Namespace, y: Array, t: Array) -> Array:
    """Return the derivative of `distance` by y: the unit row of t across y over -norm(y)."""
    return _derivative_of(xp, angle_between(xp, y, t))


@computed_in_float64
def distance_and_derivative(
    xp: Namespace, y: Array, t: Array, at_zero: float
) -> tuple[Array, Array]:
    """Return both for one angle."""
    angle = angle_between(xp, y, t)
    return _value_of(xp, angle, at_zero), _derivative_of(xp, angle)


@computed_in_float64
def second_derivative(xp: Namespace, y: Array, t: Array) -> Array:
    """Return the second derivative of `distance` by each number of y.

    It is (2 a u + cos (1 - u^2)) / norm(y)^2; u the unit row of y, a that across it.
    """
    angle = angle_between(xp, y, t)
    u = y / angle.norm
    result = 2.0 * angle.across * u + angle.cosine[..., None] * one_minus_square(xp, u)
    result = result / (angle.norm * angle.norm)
    return xp.where(angle.lost[..., None], xp.zeros_like(result), result)


def _orthogonal_part(xp: Namespace, y: Array, t: Array, norm: Array, norm_t: Array) -> Array:
    """Return the part of the unit row of t that is at right angles to y.

    With k the place of the largest element of y, t - (t_k / y_k) y is made of determinants t_j
    y_k - t_k y_j. They are exactly 0 for parallel rows. What they have along y is at most as large
    as they are, so taking it off costs few digits.
    """
    k = xp.argmax(xp.abs(y), axis=-1, keepdims=True)
    y_k, t_k = xp.take_along_axis(y, k, axis=-1), xp.take_along_axis(t, k, axis=-1)
    y_k = xp.where(y_k == 0, xp.ones_like(y_k), y_k)
    part = (t * y_k - t_k * y) / (y_k * norm_t)
    return part - xp.sum(part * y, axis=-1, keepdims=True) / (norm * norm) * y


def one_minus_square(xp: Namespace, u: Array) -> Array:
    """Return 1 - u^2 for the elements u of unit rows, from the other elements where u is near 1."""
    square = u * u
    largest = column_numbers(xp, u) == xp.argmax(square, axis=-1, keepdims=True)
    others = xp.sum(xp.where(largest, xp.zeros_like(u), square), axis=-1, keepdims=True)
    return xp.where(largest, others, 1.0 - square)

"""The cosine distance."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal, NamedTuple, TypeAlias

import numpy as np
from pydantic import Field

from lossfw import (
    REAL,
    Array,
    CategoricalLoss,
    Claims,
    DomainError,
    Namespace,
    NDArray,
    Order,
    Space,
)
from lossfw.numerics import (
    apply_where,
    apply_where_rows,
    columns,
    computed_in_float64,
    namespace_of,
    two_prod,
    with_float32_form,
)

# The loss of a row of zeros, from 0 (alike) to 2 (opposite).
Zero: TypeAlias = Literal["error"] | Annotated[float, Field(ge=0, le=2)]

# Up to this cosine its difference from 1 keeps the digits.
_NEAR = 0.5


class CosineDistance(CategoricalLoss):
    """Cosine distance, 1 - sum(y t) / (norm(y) norm(t)).

    Use it when the direction of a vector counts and not its length, as for
    embeddings.

    Prediction and target of shape (..., K): rows of real numbers of any size.
    One loss per row: 0 for the same direction, 1 for a right angle, 2 for the
    opposite direction.

    Parameters
    ----------
    zero : "error" or float
        A row of zeros has no direction: it is a `DomainError`, or costs this
        much, from 0 to 2, and has no gradient.

    Notes
    -----
    It equals half the squared distance of the unit rows, so its digits do not
    end where the cosine rounds to 1. Both are computed here from the sine: the
    part of t that is at right angles to y comes from products without rounding,
    so that it is exactly 0 for parallel rows, and keeps its digits for the
    smallest angle. Not convex, and steep without bound near y = 0. Source:
    Salton and McGill, *Introduction to modern information retrieval*, 1983.

    See Also
    --------
    squared_error : of unit rows, twice this loss with ``per="row"``.

    Examples
    --------
    >>> CosineDistance()([[1.0, 1e-9]], [[1.0, 0.0]])
    5e-19
    """

    prediction: ClassVar[Space] = REAL
    target: ClassVar[Space] = REAL

    zero: Zero = "error"

    def check_domain(self, y: NDArray, t: NDArray, by_index: bool, start: int) -> None:
        """Raise for a row of zeros where ``zero`` says so, and as every loss does."""
        super().check_domain(y, t, by_index, start)
        if self.zero != "error":
            return
        xp = namespace_of(y, t)
        for role, rows in (("prediction", y), ("target", t)):
            bad = xp.all(rows == 0, axis=-1)
            if bool(xp.any(bad)):
                index = np.argwhere(bad)[0]
                at = ", ".join(str(i + start if axis == 0 else i) for axis, i in enumerate(index))
                raise DomainError(
                    f"{role}{f'[{at}]' if at else ''} is a row of zeros, which has no direction: "
                    "leave it out by where=False, or say what it costs with zero=..., from 0 to 2."
                )

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """1 - sum(y t) / (norm(y) norm(t))."""
        norms = xp.sqrt(xp.sum(y * y, axis=-1)) * xp.sqrt(xp.sum(t * t, axis=-1))
        lost = norms == 0
        distance = 1 - xp.sum(y * t, axis=-1) / xp.where(lost, xp.ones_like(norms), norms)
        return xp.where(lost, xp.full_like(norms, self._at_zero()), distance)

    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """sin^2 / (1 + cos), which is 1 - cos; that itself where it does not cancel."""
        return _value(xp, y, t, self._at_zero())

    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Minus the part of the unit row of t across y, divided by the norm of y."""
        return _slope(xp, y, t)

    def value_and_derivative(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        """Both, of one angle."""
        return _both(xp, y, t, self._at_zero())

    @computed_in_float64
    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """(2 a u + cos (1 - u^2)) / norm(y)^2; u the unit row of y, a that across it."""
        angle = _angle(xp, y, t)
        u = angle.unit
        bend = 2.0 * angle.across * u + angle.cosine[..., None] * _one_minus_square(xp, u)
        bend = (bend / angle.norm) * angle.scale
        bend = (bend / angle.norm) * angle.scale
        return xp.where(angle.lost[..., None], xp.zeros_like(bend), bend)

    def terms(self, xp: Namespace, y: Array, t: Array, order: Order) -> tuple[Array, ...]:
        """The whole row of the slope and of the bend: one element may be small.

        The cosine is a sum that cancels: it has an error of the size of 1.
        """
        if order == 0:
            return ()
        angle = _angle(xp, y, t)
        inverse = angle.scale / angle.norm
        row = xp.sqrt(xp.sum(angle.across**2, axis=-1, keepdims=True))
        if order == 1:
            return (row * inverse,)
        bend = 2.0 * row * angle.unit
        return bend * inverse * inverse, _one_minus_square(xp, angle.unit) * inverse * inverse

    def claims(self) -> Claims:
        """Bounded; smooth but for the row of zeros, if that is legal."""
        return Claims(
            nonnegative=True,
            bounded=2.0,
            zero_at_target=self.zero in ("error", 0.0) or None,
            twice_smooth=self.zero == "error" or None,
            permutation_equivariant=True,
            exchangeable=True,
        )

    def _at_zero(self) -> float:
        """Return the loss of a row of zeros; NaN where that is an error."""
        return math.nan if self.zero == "error" else self.zero


class _Rows(NamedTuple):
    """Rows in the middle of the exponents; all but y and t have a last axis of 1."""

    y: Array
    t: Array
    lost: Array  # one of the two is a row of zeros; the others mean nothing there
    norm: Array
    norm_t: Array
    scale: Array  # of y


class _Angle(NamedTuple):
    """Two rows seen as directions."""

    lost: Array  # one of the two is a row of zeros; the others mean nothing there
    unit: Array  # the unit row of y
    across: Array  # the part of the unit row of t that is at right angles to y
    cosine: Array  # of the angle between them
    norm: Array
    scale: Array | float  # 1 / norm(y) is scale / norm, neither near an end of the exponents


def _rows(xp: Namespace, y: Array, t: Array) -> _Rows:
    largest_y, largest_t = (xp.max(xp.abs(x), axis=-1, keepdims=True) for x in (y, t))
    lost = (largest_y == 0) | (largest_t == 0)
    filled = xp.astype(lost, y.dtype)
    scale = _scale(xp, largest_y + filled)
    y, t = y * scale + filled, t * _scale(xp, largest_t + filled) + filled
    norm, norm_t = (xp.sqrt(xp.sum(x * x, axis=-1, keepdims=True)) for x in (y, t))
    return _Rows(y, t, lost, norm, norm_t, scale)


def _cosine(xp: Namespace, r: _Rows) -> Array:
    return xp.sum(r.y * r.t, axis=-1) / (r.norm * r.norm_t)[..., 0]


def _angle(xp: Namespace, y: Array, t: Array) -> _Angle:
    r = _rows(xp, y, t)
    across = _across(xp, r.y, r.t) / r.norm_t
    return _Angle(r.lost[..., 0], r.y / r.norm, across, _cosine(xp, r), r.norm, r.scale)


def _plain_angle(xp: Namespace, y: Array, t: Array) -> _Angle:
    """Return the angle in float64 that was float32: products are exact and in range."""
    k = xp.argmax(xp.abs(y), axis=-1, keepdims=True)
    y_k, t_k = xp.take_along_axis(y, k, axis=-1), xp.take_along_axis(t, k, axis=-1)
    square, square_t = (xp.sum(x * x, axis=-1, keepdims=True) for x in (y, t))
    lost = (square == 0) | (square_t == 0)
    one = xp.ones_like(square)
    square, y_k = xp.where(lost, one, square), xp.where(lost, one, y_k)
    norm, norm_t = xp.sqrt(square), xp.sqrt(xp.where(lost, one, square_t))
    # As in `_across`.
    part = (t * y_k - t_k * y) / (y_k * norm_t)
    part = part - xp.sum(part * y, axis=-1, keepdims=True) / square * y
    cosine = xp.sum(y * t, axis=-1, keepdims=True) / (norm * norm_t)
    return _Angle(lost[..., 0], y, part, cosine[..., 0], norm, 1.0)


def _value_of(xp: Namespace, angle: _Angle, at_zero: float) -> Array:
    narrow = _narrow(xp, angle.across, angle.cosine)
    distance = xp.where(angle.cosine > _NEAR, narrow, 1.0 - angle.cosine)
    return xp.where(angle.lost, xp.full_like(distance, at_zero), distance)


def _narrow(xp: Namespace, across: Array, cosine: Array) -> Array:
    """Return sin^2 / (1 + cos)."""
    return xp.sum(across * across, axis=-1) / (1.0 + cosine)


def _slope_of(xp: Namespace, angle: _Angle) -> Array:
    slope = (-angle.across / angle.norm) * angle.scale
    lost = xp.broadcast_to(angle.lost[..., None], slope.shape)
    return apply_where(xp, slope, lost, lambda xp, x: xp.zeros_like(x), slope)


def _plain_both(xp: Namespace, y: Array, t: Array, at_zero: float) -> tuple[Array, Array]:
    angle = _plain_angle(xp, y, t)
    return _value_of(xp, angle, at_zero), _slope_of(xp, angle)


@with_float32_form(lambda xp, y, t, at_zero: _value_of(xp, _plain_angle(xp, y, t), at_zero))
def _value(xp: Namespace, y: Array, t: Array, at_zero: float) -> Array:
    def near(xp: Namespace, y: Array, t: Array, norm_t: Array, cosine: Array) -> Array:
        return _narrow(xp, _across(xp, y, t) / norm_t, cosine[..., 0])

    r = _rows(xp, y, t)
    cosine = _cosine(xp, r)
    rows = (r.y, r.t, r.norm_t, cosine[..., None])
    distance = apply_where_rows(xp, 1.0 - cosine, cosine > _NEAR, near, *rows)
    return xp.where(r.lost[..., 0], xp.full_like(cosine, at_zero), distance)


@with_float32_form(lambda xp, y, t: _slope_of(xp, _plain_angle(xp, y, t)))
def _slope(xp: Namespace, y: Array, t: Array) -> Array:
    return _slope_of(xp, _angle(xp, y, t))


@with_float32_form(_plain_both)
def _both(xp: Namespace, y: Array, t: Array, at_zero: float) -> tuple[Array, Array]:
    angle = _angle(xp, y, t)
    return _value_of(xp, angle, at_zero), _slope_of(xp, angle)


def _scale(xp: Namespace, largest: Array) -> Array:
    """Return the power of two that brings rows to the middle of the exponents."""
    # 2^511 in float64, 2^63 in float32: two steps reach from either end.
    step = 1.0 / math.sqrt(float(xp.finfo(largest.dtype).smallest_normal))
    middle = math.sqrt(step)
    ones = xp.ones_like(largest)
    factor = ones
    for _ in range(2):
        up = xp.where(largest < 1.0 / middle, step * ones, ones)
        change = xp.where(largest > middle, ones / step, up)
        largest, factor = largest * change, factor * change
    return factor


def _across(xp: Namespace, y: Array, t: Array) -> Array:
    """Return the part of t that is at right angles to y.

    With k the place of the largest element of y, t - (t_k / y_k) y is made of determinants
    t_j y_k - t_k y_j. They are exactly 0 for parallel rows. What they have
    along y is at most as large as they are, so taking it off costs few digits.
    """
    k = xp.argmax(xp.abs(y), axis=-1, keepdims=True)
    y_k, t_k = xp.take_along_axis(y, k, axis=-1), xp.take_along_axis(t, k, axis=-1)
    product, rounding = two_prod(xp, t, y_k)
    other, other_rounding = two_prod(xp, t_k, y)
    part = ((product - other) + (rounding - other_rounding)) / y_k
    along = xp.sum(part * y, axis=-1, keepdims=True) / xp.sum(y * y, axis=-1, keepdims=True)
    return part - along * y


def _one_minus_square(xp: Namespace, u: Array) -> Array:
    """Return 1 - u^2 for the elements of unit rows, by the others where u is near 1."""
    square = u * u
    largest = columns(xp, u) == xp.argmax(square, axis=-1, keepdims=True)
    others = xp.sum(xp.where(largest, xp.zeros_like(u), square), axis=-1, keepdims=True)
    return xp.where(largest, others, 1.0 - square)

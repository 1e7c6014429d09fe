"""The cosine distance."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal, TypeAlias

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
from lossfw.numerics import columns, in_double, namespace_of, two_prod

# The loss of a row of zeros, from 0 (alike) to 2 (opposite).
Zero: TypeAlias = Literal["error"] | Annotated[float, Field(ge=0, le=2)]


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
        return xp.where(lost, self._at_zero(xp, norms), distance)

    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """sin^2 / (1 + cos), which is 1 - cos; that itself where it does not cancel."""
        angle = _Angle(xp, y, t)
        cosine = angle.cosine
        acute = cosine > 0
        sine_squared = xp.sum(angle.across * angle.across, axis=-1)
        narrow = sine_squared / (1.0 + xp.where(acute, cosine, xp.zeros_like(cosine)))
        distance = xp.where(acute, narrow, 1.0 - cosine)
        return xp.where(angle.lost, self._at_zero(xp, cosine), distance)

    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Minus the part of the unit row of t across y, divided by the norm of y."""
        angle = _Angle(xp, y, t)
        slope = (-angle.across / angle.norm) * angle.scale
        return xp.where(angle.lost[..., None], xp.zeros_like(slope), slope)

    @in_double
    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """(2 a u + cos (1 - u^2)) / norm(y)^2; u the unit row of y, a that across it."""
        angle = _Angle(xp, y, t)
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
        angle = _Angle(xp, y, t)
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
        )

    def _at_zero(self, xp: Namespace, like: Array) -> Array:
        """Return the loss of a row of zeros; NaN where that is an error."""
        return xp.full_like(like, math.nan if self.zero == "error" else self.zero)


class _Angle:
    """Two rows seen as directions.

    Attributes
    ----------
    lost : array of bool
        One of the two is a row of zeros; the other attributes mean nothing there.
    unit : array
        The unit row of y.
    across : array
        The part of the unit row of t that is at right angles to y.
    cosine : array
        Of the angle between them.
    norm, scale : array
        1/norm(y) is scale / norm; neither is near an end of the exponents.
    """

    def __init__(self, xp: Namespace, y: Array, t: Array) -> None:
        self.lost = xp.all(y == 0, axis=-1) | xp.all(t == 0, axis=-1)
        filled = self.lost[..., None]
        y, self.scale = _scaled(xp, xp.where(filled, xp.ones_like(y), y))
        t, _ = _scaled(xp, xp.where(filled, xp.ones_like(t), t))
        across = _across(xp, y, t)
        self.norm = xp.sqrt(xp.sum(y * y, axis=-1, keepdims=True))
        norm_t = xp.sqrt(xp.sum(t * t, axis=-1, keepdims=True))
        self.unit = y / self.norm
        self.across = across / norm_t
        self.cosine = xp.sum(self.unit * (t / norm_t), axis=-1)


def _scaled(xp: Namespace, x: Array) -> tuple[Array, Array]:
    """Return rows times a power of two that brings them to the middle of the exponents."""
    # 2^511 in float64, 2^63 in float32: two steps reach from either end.
    step = 1.0 / math.sqrt(float(xp.finfo(x.dtype).smallest_normal))
    middle = math.sqrt(step)
    factor = xp.ones_like(x[..., :1])
    for _ in range(2):
        largest = xp.max(xp.abs(x), axis=-1, keepdims=True)
        ones = xp.ones_like(largest)
        up = xp.where(largest < 1.0 / middle, step * ones, ones)
        change = xp.where(largest > middle, ones / step, up)
        x, factor = x * change, factor * change
    return x, factor


def _across(xp: Namespace, y: Array, t: Array) -> Array:
    """Return the part of t that is at right angles to y.

    With k the largest element of y, t - (t_k / y_k) y is made of determinants
    t_j y_k - t_k y_j. They are exactly 0 for parallel rows. What they have
    along y is no larger than themselves, so taking it off costs few digits.
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

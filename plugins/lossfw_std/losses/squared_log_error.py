"""The squared logarithmic error."""

from __future__ import annotations

from typing import ClassVar

from lossfw import Array, Claims, Interval, Namespace, Order, PointwiseLoss, Space
from lossfw.numerics import holdable, in_double, two_diff, two_prod

ABOVE_MINUS_ONE = Interval("ABOVE_MINUS_ONE", "the numbers above -1", low=-1.0, low_included=False)

# Outside of these the rounding error of a quotient is not looked for: above,
# products overflow; and the logarithm of a quotient beyond 2^40 is so large
# that the error is nothing beside it.
_LARGEST_FACTOR = 1e290
_LARGEST_QUOTIENT = 2.0**40

# More than the logarithm of any finite float: an infinite prediction has slope 0.
_MORE_THAN_ANY_LOG = 1e4


class SquaredLogError(PointwiseLoss):
    """Squared logarithmic error, (log(1 + y) - log(1 + t))^2.

    Use it when targets are nonnegative and span orders of magnitude.

    Prediction and target of one shape, both above -1; one loss per element.

    Notes
    -----
    The squared error of log(1 + y) and log(1 + t), symmetric in prediction and
    target. Not convex: beyond e (1 + t) - 1 it bends the other way. What it
    elicits, the geometric mean of 1 + t less 1, has no name here. The second
    derivative goes through 0 there; close to it its accuracy is that of its
    terms. Source: Tofallis, *A better measure of relative prediction accuracy
    for model selection and model estimation*, Journal of the Operational
    Research Society 66, 2015, doi:10.1057/jors.2014.103.

    See Also
    --------
    squared_error : of the numbers themselves; about this one near 0.
    absolute_percentage_error : relative too, in another way.

    Examples
    --------
    >>> SquaredLogError()([0.0, 1e-9], [0.0, 0.0], reduction="none")
    array([0.00000000e+00, 9.99999999e-19])
    """

    prediction: ClassVar[Space] = ABOVE_MINUS_ONE
    target: ClassVar[Space] = ABOVE_MINUS_ONE

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The definition."""
        difference = xp.log(1 + y) - xp.log(1 + t)
        return difference * difference

    @in_double
    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The same without the cancellation of logarithms."""
        size, error = _distance(xp, y, t)
        return size * (size + 2.0 * error)

    @in_double
    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """2 (log(1 + y) - log(1 + t)) / (1 + y)."""
        size, error = _finite_distance(xp, y, t)
        return 2.0 * xp.sign(y - t) * (size + error) / (1.0 + y)

    @in_double
    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """2 (1 - log(1 + y) + log(1 + t)) / (1 + y)^2."""
        size, error = _finite_distance(xp, y, t)
        sign = xp.sign(y - t)
        return 2.0 * ((1.0 - sign * size) - sign * error) / (1.0 + y) / (1.0 + y)

    def claims(self) -> Claims:
        """Smooth; neither convex nor Lipschitz."""
        return Claims(nonnegative=True, zero_at_target=True, twice_smooth=True)

    def terms(self, xp: Namespace, y: Array, t: Array, order: Order) -> tuple[Array, ...]:
        """Of the second derivative both, which cancel a factor e above the target."""
        if order < 2:
            return ()
        size, _ = _finite_distance(xp, y, t)
        return 2.0 / (1.0 + y) / (1.0 + y), 2.0 * size / (1.0 + y) / (1.0 + y)


def _distance(xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
    """Return abs(log(1 + y) - log(1 + t)), and its error, which is to be added.

    It is log1p(x) with x = abs(y - t) / (1 + min(y, t)). The square would
    double the rounding error of that quotient, so it is found and taken along.
    """
    larger = xp.where(y > t, y, t)
    smaller = xp.where(y > t, t, y)
    top, top_error = two_diff(xp, larger, smaller)
    bottom, bottom_error = two_diff(xp, smaller, -xp.ones_like(smaller))
    x = top / bottom
    known = (bottom < holdable(xp, _LARGEST_FACTOR, bottom)) & (x < _LARGEST_QUOTIENT)
    one = xp.ones_like(x)
    product, lost = two_prod(xp, xp.where(known, x, one), xp.where(known, bottom, one))
    rest = ((top - product) - lost + top_error - x * bottom_error) / bottom
    error = xp.where(known, rest / (1.0 + x), 0.0 * one)
    # The quotient overflows only where the larger is huge and the other next to -1.
    far = xp.log1p(larger) - xp.log(bottom)
    return xp.where(xp.isinf(x), far, xp.log1p(x)), error


def _finite_distance(xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
    """Return the same with a bound that no finite prediction reaches."""
    size, error = _distance(xp, y, t)
    return xp.minimum(size, xp.full_like(size, _MORE_THAN_ANY_LOG)), error

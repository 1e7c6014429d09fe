"""The squared logarithmic error."""

from __future__ import annotations

from typing import ClassVar

from lossfw import Array, Claims, Interval, Namespace, Order, PointwiseLoss, Space
from lossfw.numerics import apply_where, computed_in_float64, difference_error, with_float32_form
from lossfw_std.shared_parts import Deferred, shared_parts

ABOVE_MINUS_ONE = Interval("ABOVE_MINUS_ONE", "the numbers above -1", low=-1.0, low_included=False)

# Below this x = (y - t) / (1 + t) has lost so many digits of 1 + x that float32 would miss them.
_LEAST_RISE = -1.0 + 2.0**-27

# More than the logarithm of any finite float: an infinite prediction has slope 0.
_MORE_THAN_ANY_LOG = 1e4


@shared_parts
def _plain(loss: SquaredLogError, xp: Namespace, y: Array, t: Array) -> Deferred:
    """With log(1 + y) - log(1 + t)."""
    x = (y - t) / (1.0 + t)
    d = apply_where(xp, xp.log1p(x), x < _LEAST_RISE, _difference, y, t)
    return lambda: d * d, lambda: 2.0 * _bounded(xp, d) / (1.0 + y)


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
        difference = xp.log(1 + y) - xp.log(1 + t)
        return difference * difference

    @with_float32_form(_plain.value)
    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The same without the cancellation of logarithms."""
        size = _distance(xp, y, t)
        return size * size

    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """2 (log(1 + y) - log(1 + t)) / (1 + y)."""
        return self.value_and_derivative(xp, y, t)[1]

    @with_float32_form(_plain.both)
    def value_and_derivative(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        """Both, from one logarithm."""
        size = _distance(xp, y, t)
        return size * size, 2.0 * xp.sign(y - t) * _bounded(xp, size) / (1.0 + y)

    @computed_in_float64
    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """2 (1 - log(1 + y) + log(1 + t)) / (1 + y)^2."""
        size = _bounded(xp, _distance(xp, y, t))
        return 2.0 * (1.0 - xp.sign(y - t) * size) / (1.0 + y) / (1.0 + y)

    def claims(self) -> Claims:
        """Smooth; neither convex nor Lipschitz."""
        return Claims(nonnegative=True, zero_at_target=True, twice_smooth=True, exchangeable=True)

    def terms(self, xp: Namespace, y: Array, t: Array, order: Order) -> tuple[Array, ...]:
        """Both of the second derivative, which cancel a factor e above the target."""
        if order < 2:
            return ()
        size = _bounded(xp, _distance(xp, y, t))
        return 2.0 / (1.0 + y) / (1.0 + y), 2.0 * size / (1.0 + y) / (1.0 + y)


def _distance(xp: Namespace, y: Array, t: Array) -> Array:
    """Return abs(log(1 + y) - log(1 + t)).

    It is log1p(x) with x = abs(y - t) / (1 + min(y, t)). The square doubles its rounding
    errors, so that of the sum is taken along.
    """
    smaller = xp.minimum(y, t)
    bottom = smaller + 1.0
    lost = difference_error(smaller, -1.0, bottom)
    x = xp.abs(y - t) / bottom
    size = xp.log1p(x) - (x / (1.0 + x)) * (lost / bottom)
    # The quotient overflows only where the larger is huge and the other next to -1; an
    # infinite number has no rounding error.
    return apply_where(xp, size, xp.isnan(size) | xp.isinf(x), _apart, y, t)


def _apart(xp: Namespace, y: Array, t: Array) -> Array:
    return xp.abs(_difference(xp, y, t))


def _difference(xp: Namespace, y: Array, t: Array) -> Array:
    return xp.log1p(y) - xp.log1p(t)


def _bounded(xp: Namespace, size: Array) -> Array:
    """Return a distance with a bound that no finite prediction reaches."""
    return xp.clip(size, -_MORE_THAN_ANY_LOG, _MORE_THAN_ANY_LOG)

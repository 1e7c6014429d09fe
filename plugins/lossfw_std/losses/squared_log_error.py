"""The squared logarithmic error."""

from __future__ import annotations

from typing import ClassVar

from lossfw import Array, Claims, Interval, Namespace, PointwiseLoss, Space

ABOVE_MINUS_ONE = Interval("ABOVE_MINUS_ONE", "the numbers above -1", low=-1.0, low_included=False)


class SquaredLogError(PointwiseLoss):
    """Squared logarithmic error, (log(1 + y) - log(1 + t))^2.

    Use it when targets are non-negative and span orders of magnitude.

    Prediction and target of one shape, both above -1; one loss per element.

    Notes
    -----
    The squared error of log(1 + y) and log(1 + t), symmetric in prediction and target. Not convex:
    beyond e (1 + t) - 1 it is concave. It elicits the geometric mean of 1 + t, minus 1, for which
    there is no claim. Source: Tofallis, *A better measure of relative prediction accuracy for model
    selection and model estimation*, Journal of the Operational Research Society 66, 2015,
    doi:10.1057/jors.2014.103.

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

    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The same without the cancellation of logarithms."""
        d = _difference(xp, y, t)
        return d * d

    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """2 (log(1 + y) - log(1 + t)) / (1 + y)."""
        return 2.0 * _difference(xp, y, t) / (1.0 + y)

    def value_and_derivative(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        """Both, from one logarithm."""
        d = _difference(xp, y, t)
        return d * d, 2.0 * d / (1.0 + y)

    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """2 (1 - log(1 + y) + log(1 + t)) / (1 + y)^2."""
        return 2.0 * (1.0 - _difference(xp, y, t)) / (1.0 + y) / (1.0 + y)

    def claims(self) -> Claims:
        """Smooth; neither convex nor Lipschitz."""
        return Claims(nonnegative=True, zero_at_target=True, twice_smooth=True, exchangeable=True)


def _difference(xp: Namespace, y: Array, t: Array) -> Array:
    """Return log(1 + y) - log(1 + t), of the larger and the smaller: neither quotient cancels."""
    rise = xp.abs(y - t) / (1.0 + xp.minimum(y, t))
    return xp.sign(y - t) * xp.log1p(rise)

"""The squared error."""

from __future__ import annotations

from lossfw import Array, Claims, DistanceLoss, Namespace


class SquaredError(DistanceLoss):
    """Squared error, factor * r^2 with r = y - t.

    Use it to predict the mean of the target, when large errors should count most.

    Prediction and target of one shape, both real; one loss per element.

    Parameters
    ----------
    factor : float
        1 for the mean squared error, 0.5 for the form whose derivative is r. A negative factor
        turns the loss into a gain, and changes its claims accordingly.

    Notes
    -----
    With ``factor=0.5, per="row"`` it is the sum of squares of a batch of rows, ``0.5 * sum((y -
    t)^2)``. It elicits the mean. Source: Gauss, *Theoria combinationis observationum erroribus
    minimis obnoxiae*, 1823.

    Examples
    --------
    >>> SquaredError(factor=0.5)([3.0], [1.0])
    2.0
    """

    factor: float = 1.0

    def value(self, xp: Namespace, r: Array) -> Array:
        """factor * r^2."""
        return (self.factor * r) * r

    def derivative(self, xp: Namespace, r: Array) -> Array:
        """2 factor r."""
        return (2.0 * self.factor) * r

    def second_derivative(self, xp: Namespace, r: Array) -> Array:
        """2 factor."""
        # 0 r keeps a NaN residual NaN, but an infinite one also has a curvature.
        return 2.0 * self.factor + xp.where(xp.isinf(r), xp.zeros_like(r), 0.0 * r)

    def claims(self) -> Claims:
        """Quadratic: everything that a loss of the residual can have, except bounds."""
        curvature = 2.0 * self.factor
        if self.factor <= 0:
            return Claims(
                bounded=0.0,
                zero_at_target=True,
                gradient_lipschitz=abs(curvature),
                symmetric=True,
                twice_smooth=True,
            )
        return Claims(
            nonnegative=True,
            zero_at_target=True,
            strongly_convex=curvature,
            gradient_lipschitz=curvature,
            symmetric=True,
            twice_smooth=True,
            elicits="mean",
        )

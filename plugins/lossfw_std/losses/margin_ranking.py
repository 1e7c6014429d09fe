"""The margin ranking loss of two scores."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import NonNegativeFloat

from lossfw import REAL, SIGN, Array, Claims, Columns, Namespace, PointwiseLoss, Space
from lossfw.numerics import positive_part
from lossfw_std.parabolas import absolute_curvature


class MarginRanking(PointwiseLoss):
    """Margin ranking loss, max(0, margin - t (first - second)).

    Use it when each example is a pair of scores, and the target says which should be higher.

    The prediction has the columns first and second, both real. Target: +1 where the first should
    be higher, -1 where the second should. One loss for each pair.

    Parameters
    ----------
    margin : float
        The loss is 0 if the right one is higher by this margin.

    Notes
    -----
    Convex, with a kink where the scores differ by the margin; there the derivative is the mean of
    both sides. Source: Herbrich, Graepel and Obermayer, *Large margin rank boundaries for ordinal
    regression*, Advances in Large Margin Classifiers, MIT Press, 2000.

    See Also
    --------
    pairwise_hinge : for all pairs of a group.
    hinge : for one score.

    Examples
    --------
    >>> MarginRanking(margin=0.5)([[1.0, 0.75], [1.0, 0.75]], [1, -1], reduction="none")
    array([0.25, 0.75])
    """

    prediction: ClassVar[Space] = Columns.of(first=REAL, second=REAL)
    target: ClassVar[Space] = SIGN

    margin: NonNegativeFloat = 0.0

    def formula(self, xp: Namespace, y: Any, t: Array) -> Array:
        missing = self._violation(xp, y, t)
        return xp.maximum(missing, xp.zeros_like(missing))

    def value(self, xp: Namespace, y: Any, t: Array) -> Array:
        """The same."""
        return positive_part(xp, self._violation(xp, y, t))

    def derivative(self, xp: Namespace, y: Any, t: Array) -> tuple[Array, Array]:
        """-t by the first and t by the second below the kink, 0 above."""
        derivative = t * 0.5 * (1.0 + xp.sign(self._violation(xp, y, t)))
        return 0.0 - derivative, derivative

    def second_derivative(self, xp: Namespace, y: Any, t: Array) -> tuple[Array, Array]:
        """0 on both sides of the kink."""
        zero = 0.0 * self._violation(xp, y, t)
        return zero, zero

    def curvature_bound(self, xp: Namespace, y: Any, t: Array) -> tuple[Array, Array]:
        """Twice the bound of the difference: (a - b)^2 is at most 2 a^2 + 2 b^2."""
        bound = absolute_curvature(xp, self._violation(xp, y, t))
        return bound, bound

    def claims(self) -> Claims:
        """Convex, with a kink."""
        return Claims(nonnegative=True, convex=True, lipschitz=2.0**0.5, shift_invariant=True)

    def _violation(self, xp: Namespace, y: Any, t: Array) -> Array:
        return self.margin - t * (y.first - y.second)

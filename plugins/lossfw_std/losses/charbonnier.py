"""The Charbonnier loss."""

from __future__ import annotations

from pydantic import PositiveFloat

from lossfw import Array, Claims, Namespace
from lossfw_std.parabolas import ConcaveInSquare


class Charbonnier(ConcaveInSquare):
    """Charbonnier loss, sqrt(r^2 + c^2) - c.

    Use it in place of absolute error when the derivative must exist everywhere, as for pixels and
    optical flow.

    Prediction and target of one shape, both real; one loss per element. Near 0 it is r^2 / (2 c),
    far out |r| - c.

    Parameters
    ----------
    c : float
        Scale, in units of the target, at which it turns from square to line.

    Notes
    -----
    Strictly convex, but not strongly: far out it is as good as a straight line. It elicits neither
    mean nor median. Source: Charbonnier, Blanc-Feraud, Aubert and Barlaud, *Two deterministic
    half-quadratic regularization algorithms for computed imaging*, ICIP 1994,
    doi:10.1109/ICIP.1994.413553.

    See Also
    --------
    pseudo_huber : c times this loss.
    absolute_error : its limit for c towards 0.

    Examples
    --------
    >>> Charbonnier(c=3.0)([4.0, 6e-9], [0.0, 0.0], reduction="none")
    array([2.e+00, 6.e-18])
    """

    c: PositiveFloat = 1.0

    def formula(self, xp: Namespace, r: Array) -> Array:
        c = self.c * xp.ones_like(r)
        return xp.sqrt(r * r + c * c) - c

    def value(self, xp: Namespace, r: Array) -> Array:
        """r^2 / (sqrt(r^2 + c^2) + c), which cancels nowhere."""
        return r * r / (self._root(xp, r) + self.c)

    def derivative(self, xp: Namespace, r: Array) -> Array:
        """r / sqrt(r^2 + c^2)."""
        return r / self._root(xp, r)

    def value_and_derivative(self, xp: Namespace, r: Array) -> tuple[Array, Array]:
        """Both, from one root."""
        root = self._root(xp, r)
        return r * r / (root + self.c), r / root

    def second_derivative(self, xp: Namespace, r: Array) -> Array:
        """c^2 / (r^2 + c^2)^(3/2)."""
        root = self._root(xp, r)
        share = self.c / root
        return share * share / root

    def _root(self, xp: Namespace, r: Array) -> Array:
        return xp.sqrt(r * r + self.c * self.c)

    def claims(self) -> Claims:
        """Strictly convex and smooth; the derivative comes near 1 far out."""
        return Claims(
            nonnegative=True,
            zero_at_target=True,
            strictly_convex=True,
            lipschitz=1.0,
            gradient_lipschitz=1.0 / self.c,
            symmetric=True,
            twice_smooth=True,
        )

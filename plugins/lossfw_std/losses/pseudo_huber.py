"""The pseudo-Huber loss."""

from __future__ import annotations

from pydantic import PositiveFloat

from lossfw import Array, Claims, Namespace
from lossfw_std.parabolas import ConcaveInSquare


class PseudoHuber(ConcaveInSquare):
    """Pseudo-Huber loss, delta^2 (sqrt(1 + (r/delta)^2) - 1).

    Use it in place of Huber's loss when second derivatives are needed everywhere.

    Prediction and target of one shape, both real; one loss per element. Near 0 it is r^2 / 2, far
    out delta (|r| - delta).

    Parameters
    ----------
    delta : float
        Scale, in units of the target, at which it turns from square to line.

    Notes
    -----
    Strictly convex, but not strongly: far out it is as good as a straight line. It elicits neither
    mean nor median. Source: Hartley and Zisserman, *Multiple view geometry in computer vision*,
    2003, appendix 6.8, doi:10.1017/CBO9780511811685.

    See Also
    --------
    charbonnier : this loss divided by delta.
    huber : never below this loss, and at most delta^2 / 2 above it.

    Examples
    --------
    >>> PseudoHuber(delta=3.0)([4.0, 2e-9], [0.0, 0.0], reduction="none")
    array([6.e+00, 2.e-18])
    """

    delta: PositiveFloat = 1.0

    def formula(self, xp: Namespace, r: Array) -> Array:
        delta = self.delta * xp.ones_like(r)
        x = r / delta
        return delta * delta * (xp.sqrt(1 + x * x) - 1)

    def value(self, xp: Namespace, r: Array) -> Array:
        """r^2 / (sqrt(1 + (r/delta)^2) + 1), which cancels nowhere."""
        return r * r / (self._root(xp, r) + 1.0)

    def derivative(self, xp: Namespace, r: Array) -> Array:
        """r / sqrt(1 + (r/delta)^2)."""
        return r / self._root(xp, r)

    def value_and_derivative(self, xp: Namespace, r: Array) -> tuple[Array, Array]:
        """Both, from one root."""
        root = self._root(xp, r)
        return r * r / (root + 1.0), r / root

    def second_derivative(self, xp: Namespace, r: Array) -> Array:
        """(1 + (r/delta)^2)^(-3/2)."""
        share = 1.0 / self._root(xp, r)
        return share * share * share

    def _root(self, xp: Namespace, r: Array) -> Array:
        x = r / self.delta
        return xp.sqrt(1.0 + x * x)

    def claims(self) -> Claims:
        """Strictly convex and smooth; the derivative comes near delta far out."""
        return Claims(
            nonnegative=True,
            zero_at_target=True,
            strictly_convex=True,
            lipschitz=self.delta,
            gradient_lipschitz=1.0,
            symmetric=True,
            twice_smooth=True,
        )

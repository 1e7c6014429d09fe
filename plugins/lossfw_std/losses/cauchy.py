"""The Cauchy loss."""

from __future__ import annotations

from pydantic import PositiveFloat

from lossfw import Array, Claims, Namespace
from lossfw_std.parabolas import ConcaveInSquare


class Cauchy(ConcaveInSquare):
    """Cauchy loss, c^2/2 log(1 + (r/c)^2).

    Use it when a regression has gross outliers, which should still pull a little.

    Prediction and target of one shape, both real; one loss per element. Near 0 it is r^2 / 2, far
    out it grows like a logarithm.

    Parameters
    ----------
    c : float
        Scale, in units of the target, beyond which a residual pulls less the larger it is.

    Notes
    -----
    The likelihood of Cauchy's distribution, apart from a constant. Not convex beyond c, and so it
    elicits nothing by a formula. It is neither bounded nor strongly convex. Black's "Lorentzian"
    has another scale: log(1 + (r/s)^2 / 2). Source: Black and Anandan, *The robust estimation of
    multiple motions*, Computer Vision and Image Understanding 63, 1996, doi:10.1006/cviu.1996.0006.

    See Also
    --------
    welsch, geman_mcclure, tukey : bounded ones.

    Examples
    --------
    >>> Cauchy()([1.0, 1e-9], [0.0, 0.0], reduction="none")
    array([3.4657359e-01, 5.0000000e-19])
    """

    c: PositiveFloat = 1.0

    def formula(self, xp: Namespace, r: Array) -> Array:
        c = self.c * xp.ones_like(r)
        x = r / c
        return c * c / 2 * xp.log(1 + x * x)

    def value(self, xp: Namespace, r: Array) -> Array:
        """The same by log1p."""
        x = r / self.c
        return 0.5 * self.c * self.c * xp.log1p(x * x)

    def derivative(self, xp: Namespace, r: Array) -> Array:
        """r / (1 + (r/c)^2)."""
        x = r / self.c
        return r / (1.0 + x * x)

    def second_derivative(self, xp: Namespace, r: Array) -> Array:
        """(1 - (r/c)^2) / (1 + (r/c)^2)^2."""
        x = r / self.c
        u = x * x
        share = 1.0 / (1.0 + u)
        return (1.0 - u) * share * share

    def claims(self) -> Claims:
        """Smooth and not convex; the derivative is steepest at r = c."""
        return Claims(
            convex=False,
            nonnegative=True,
            zero_at_target=True,
            lipschitz=0.5 * self.c,
            gradient_lipschitz=1.0,
            symmetric=True,
            twice_smooth=True,
        )

"""The log-cosh loss."""

from __future__ import annotations

from lossfw import Array, Claims, Namespace
from lossfw.numerics import log_cosh, sech_squared
from lossfw_std.parabolas import ConcaveInSquare


class LogCosh(ConcaveInSquare):
    """Log-cosh, log(cosh(r)) with r = y - t.

    Use it when a regression has outliers and second derivatives are needed everywhere.

    Prediction and target of one shape, both real; one loss per element. Near 0 it is r^2 / 2, far
    out |r| - log 2.

    Notes
    -----
    Strictly convex, but not strongly: far out it is as good as a straight line. It elicits neither
    mean nor median. Source: Green, *Bayesian reconstructions from emission tomography data using a
    modified EM algorithm*, IEEE Transactions on Medical Imaging 9, 1990, doi:10.1109/42.52985.

    See Also
    --------
    huber, pseudo_huber : also quadratic, then linear, with a scale.
    logistic : log_cosh(r) is logistic(2 r) + r - log 2.

    Examples
    --------
    >>> LogCosh()([1e-9, 100.0], [0.0, 0.0], reduction="none")
    array([5.00000000e-19, 9.93068528e+01])
    """

    def formula(self, xp: Namespace, r: Array) -> Array:
        return xp.log(xp.cosh(r))

    def value(self, xp: Namespace, r: Array) -> Array:
        """The same without overflow, and with every digit near 0."""
        return log_cosh(xp, r)

    def derivative(self, xp: Namespace, r: Array) -> Array:
        """tanh(r)."""
        return xp.tanh(r)

    def second_derivative(self, xp: Namespace, r: Array) -> Array:
        """1 / cosh(r)^2."""
        return sech_squared(xp, r)

    def claims(self) -> Claims:
        """Smooth and strictly convex; both constants are reached, one of them in the limit."""
        return Claims(
            nonnegative=True,
            zero_at_target=True,
            strictly_convex=True,
            lipschitz=1.0,
            gradient_lipschitz=1.0,
            symmetric=True,
            twice_smooth=True,
        )

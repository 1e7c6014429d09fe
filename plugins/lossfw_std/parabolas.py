"""Curvatures of parabolas above a function that touch it at two points."""

from __future__ import annotations

from lossfw import Array, DistanceLoss, Namespace

# The limit of tanh(z/2) / (2 z) at 0, which it is to 1e-17 within so much of 0.
_AT_ZERO, _NEAR = 0.25, 1e-8


class ConcaveInSquare(DistanceLoss):
    """A loss whose value is a concave function of r^2."""

    def curvature_bound(self, xp: Namespace, y: Array, t: Array) -> Array:
        """That of the touching parabola, the flattest one above such a function."""
        return self.touching_parabola(xp, y - t)


def absolute_curvature(xp: Namespace, x: Array) -> Array:
    """Return 1 / |x|, of the parabola that touches the absolute value; infinite at 0.

    Examples
    --------
    >>> import numpy as np
    >>> absolute_curvature(np, np.asarray([0.0, -4.0]))
    array([ inf, 0.25])
    """
    a = xp.abs(x)
    return xp.where(a == 0, xp.full_like(a, xp.inf), 1.0 / xp.where(a == 0, xp.ones_like(a), a))


def logistic_curvature(xp: Namespace, z: Array) -> Array:
    """Return tanh(z/2) / (2 z), of the parabola that touches log(1 + exp(z)).

    Source: Jaakkola and Jordan, *Bayesian parameter estimation via variational methods*, Statistics
    and Computing 10, 2000.

    Examples
    --------
    >>> import numpy as np
    >>> logistic_curvature(np, np.asarray([0.0, 50.0]))
    array([0.25, 0.01])
    """
    near = xp.abs(z) < _NEAR
    safe = xp.where(near, xp.ones_like(z), z)
    return xp.where(near, xp.full_like(z, _AT_ZERO), xp.tanh(0.5 * safe) / safe * 0.5)

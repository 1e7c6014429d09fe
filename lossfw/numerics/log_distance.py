"""How far the logarithm of a number is from another logarithm."""

from __future__ import annotations

import math

from lossfw.numerics.arrays import Array, ErrorFreeNamespace, Namespace
from lossfw.numerics.dual.namespace import DualNamespace
from lossfw.numerics.primitive import computed_in_float64

# log(2) in two parts, of which the first has 32 bits: its product with an exponent is exact.
_LOG_TWO_HIGH = 0.6931471803691238
_LOG_TWO_LOW = 1.9082149292705877e-10
_PER_LOG_TWO = 1.0 / math.log(2.0)

# Up to this 2 to the power of -m / log(2) is a normal float, and so is its product with t if the
# distance is below the next: farther out nothing cancels.
_LARGEST_LOG, _FAR = 700.0, 8.0


def log_distance(xp: Namespace, t: Array, m: Array) -> Array:
    """Return log(t) - m, with an error of 1e-16, and not of the last digit of log(t).

    Parameters
    ----------
    xp : namespace
    t : array
        Positive numbers.
    m : array
        Logarithms, of the shape of `t`.

    Examples
    --------
    >>> import numpy as np
    >>> t, m = np.asarray([1e300]), np.asarray([690.7755278982137])
    >>> (np.log(t) - m, log_distance(np, t, m))
    (array([0.]), array([2.37315194e-14]))
    """
    return log_and_distance(xp, t, m)[1]


@computed_in_float64
def log_and_distance(xp: Namespace, t: Array, m: Array) -> tuple[Array, Array]:
    """Return log(t), and `log_distance` from the same logarithm.

    Examples
    --------
    >>> import numpy as np
    >>> log_and_distance(np, np.asarray([1.0]), np.asarray([2.0]))
    (array([0.]), array([-2.]))
    """
    log = xp.log(t)
    plain = log - m
    inner = xp
    while isinstance(inner, DualNamespace):
        inner = inner.inner
    if isinstance(inner, ErrorFreeNamespace):
        return log, plain
    # A power of 2 near exp(m): divided by it both are of ordinary size.
    n = xp.floor(xp.clip(m, -_LARGEST_LOG, _LARGEST_LOG) * _PER_LOG_TWO + 0.5)
    near = xp.abs(plain) < _FAR
    # The standard has no exp2, which costs NumPy a quarter of a power.
    power = xp.exp2(-n) if hasattr(xp, "exp2") else xp.pow(xp.full_like(n, 2.0), -n)
    scaled = xp.log(xp.where(near, t * power, xp.ones_like(t)))
    distance = (scaled - (m - n * _LOG_TWO_HIGH)) + n * _LOG_TWO_LOW
    return log, xp.where(near, distance, plain)

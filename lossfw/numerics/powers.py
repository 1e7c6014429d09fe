"""Powers with a parameter as the exponent, which keeps its own digits."""

from __future__ import annotations

from lossfw.numbers.arrays import Array, Namespace
from lossfw.numerics.logistic import positive_part
from lossfw.numerics.primitive import in_double


@in_double
def power(xp: Namespace, x: Array, exponent: float) -> Array:
    """Return ``x**exponent`` for x >= 0.

    In float32 the exponent would be rounded too, and the logarithm of a tiny x
    multiplies that error by up to 100: so float32 goes by float64.

    Examples
    --------
    >>> import numpy as np
    >>> np.float32(1e-30) ** -0.7, power(np, np.asarray([1e-30], np.float32), -0.7)
    (np.float32(9.999992e+20), array([1.e+21], dtype=float32))
    """
    return x**exponent


@in_double
def complement_power(xp: Namespace, p: Array, exponent: float) -> Array:
    """Return ``(1 - p)**exponent`` for p from 0 to 1; 0 for a p beyond 1 and an exponent above 0.

    The rounding of 1 - p, which the exponent multiplies, is found and put right.

    Examples
    --------
    >>> import numpy as np
    >>> complement_power(np, np.asarray([0.0, 0.75, 1.0]), 2.0)
    array([1.    , 0.0625, 0.    ])
    """
    q = positive_part(xp, 1 - p)
    at_zero = q == 0
    # q + lost is 1 - p without any rounding.
    lost = xp.where(at_zero, 0.0 * q, (1 - q) - p)
    return q**exponent * (1 + exponent * (lost / xp.where(at_zero, xp.ones_like(q), q)))

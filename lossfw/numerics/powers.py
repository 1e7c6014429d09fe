"""Powers with a parameter as the exponent, which keeps its own digits."""

from __future__ import annotations

from lossfw.numerics.arrays import Array, Namespace
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

"""Powers with a parameter as the exponent, which is not rounded to float32."""

from __future__ import annotations

from lossfw.numerics.arrays import Array, Namespace
from lossfw.numerics.primitive import in_double


@in_double
def power(xp: Namespace, x: Array, exponent: float) -> Array:
    """Return ``x**exponent`` for x >= 0.

    Float32 is computed in float64: otherwise the exponent would be rounded too, and the
    logarithm of a tiny x multiplies that error by up to 100.

    Examples
    --------
    >>> import numpy as np
    >>> np.float32(1e-30) ** -0.7, power(np, np.asarray([1e-30], np.float32), -0.7)
    (np.float32(9.999992e+20), array([1.e+21], dtype=float32))
    """
    return x**exponent

"""Error-free transformations: differences and products as pairs of floats.

The first float is the rounded result, the second its rounding error; their sum is exact.
Sources: Knuth, *The art of computer programming* 2, 4.2.2; Dekker, *A floating-point
technique for extending the available precision*, 1971, with Veltkamp's splitting.
"""

from __future__ import annotations

import math

import numpy as np

from lossfw.numerics.arrays import Array, Namespace, TextbookNamespace


def two_diff(xp: Namespace, a: Array, b: Array) -> tuple[Array, Array]:
    """Return two arrays whose sum is exactly ``a - b``.

    The second is 0 where the difference is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> two_diff(np, np.asarray([1.0]), np.asarray([1e-20]))
    (array([1.]), array([-1.e-20]))
    """
    d = a - b
    if isinstance(xp, TextbookNamespace):
        return d, xp.zeros_like(d)
    # Knuth's rounding error of d, which is itself a float.
    minus_b = d - a
    finite, error = xp.isfinite(d), (a - (d - minus_b)) - (b + minus_b)
    if xp is np and finite.all():
        return d, error
    return d, xp.where(finite, error, xp.zeros_like(d))


def two_prod(xp: Namespace, a: Array, b: Array) -> tuple[Array, Array]:
    """Return two arrays whose sum is exactly ``a * b``.

    The factors must be far from the largest and the smallest floats, and the product far
    from the smallest.

    Examples
    --------
    >>> import numpy as np
    >>> p, error = two_prod(np, np.asarray([0.1]), np.asarray([10.0]))
    >>> p, error * 2.0**54
    (array([1.]), array([1.]))
    """
    p = a * b
    if isinstance(xp, TextbookNamespace):
        return p, xp.zeros_like(p)
    high_a, low_a = _halves(xp, a)
    high_b, low_b = _halves(xp, b)
    error = ((high_a * high_b - p) + high_a * low_b + low_a * high_b) + low_a * low_b
    return p, error


def _halves(xp: Namespace, x: Array) -> tuple[Array, Array]:
    """Return two floats with half of the digits each, whose sum is x."""
    digits = 1 - round(math.log2(float(xp.finfo(x.dtype).eps)))
    scaled = x * (2.0 ** ((digits + 1) // 2) + 1.0)
    high = scaled - (scaled - x)
    return high, x - high

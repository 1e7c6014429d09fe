"""Quantiles of Student's t distribution: `scipy.stats.t.ppf` without scipy."""

from __future__ import annotations

import functools
import math


@functools.cache
def t_quantile(level: float, freedom: int) -> float:
    """Return the number below which a t variable lies in absolute value, `level` of the time.

    The degrees of freedom are at least 1.

    Notes
    -----
    The distribution at whole degrees of freedom is a finite sum: Abramowitz
    and Stegun, *Handbook of mathematical functions*, 26.7.3 and 26.7.4. It is
    inverted by bisection over the angle whose tangent is t / sqrt(freedom).

    Examples
    --------
    >>> round(t_quantile(0.95, 1), 4), round(t_quantile(0.95, 99), 4)
    (12.7062, 1.9842)
    """
    low, high = 0.0, math.pi / 2
    # Until no float lies between them.
    while low < (middle := (low + high) / 2) < high:
        if _within(middle, freedom) < level:
            low = middle
        else:
            high = middle
    return math.tan(low) * math.sqrt(freedom)


def _within(angle: float, freedom: int) -> float:
    """Return the probability of an absolute value below tan(angle) sqrt(freedom)."""
    sine, cosine = math.sin(angle), math.cos(angle)
    # 1 + c^2 / 2 + 1 3 c^4 / (2 4) + ... for even, c + 2 c^3 / 3 + ... for odd ones.
    odd = freedom % 2
    term = total = cosine if odd else 1.0
    for power in range(2 + odd, freedom - 1, 2):
        term *= cosine * cosine * (power - 1) / power
        total += term
    if not odd:
        return sine * total
    return 2 / math.pi * (angle + (sine * total if freedom > 1 else 0.0))

"""The discounted cumulative gain of a group: gains of relevances, discounts of positions."""

from __future__ import annotations

import math

from lossfw import Array, Namespace
from lossfw.numerics import apply_where, column_numbers
from lossfw_std.pairs import ABSENT, pairs

# Closer relevances have a difference of gains that cancels.
_NEAR = 0.5

_LOG_TWO = math.log(2.0)


def gains(xp: Namespace, t: Array) -> Array:
    """Return the gains 2^t - 1 of relevances, and 0 for absent rows.

    Examples
    --------
    >>> import numpy as np
    >>> gains(np, np.asarray([0.0, 1.0, 3.0, -np.inf]))
    array([0., 1., 7., 0.])
    """
    t = xp.where(t > ABSENT, t, xp.zeros_like(t))
    small = t < _NEAR
    return apply_where(xp, xp.exp2(t) - 1.0, small, lambda xp, t: xp.expm1(_LOG_TWO * t), t)


def gain_differences(xp: Namespace, t: Array) -> Array:
    """Return how much larger the gain of row i is than that of row j, or 0.

    Examples
    --------
    >>> import numpy as np
    >>> gain_differences(np, np.asarray([3.0, 1.0, 1.0]))
    array([[0., 6., 6.],
           [0., 0., 0.],
           [0., 0., 0.]])
    """
    power = xp.exp2(t)
    (pi, pj), (ti, tj) = pairs(power), pairs(t)
    better = (ti > tj) & (tj > ABSENT)
    d = xp.where(better, ti - tj, xp.zeros_like(ti - tj))

    def small_difference(xp: Namespace, d: Array, power: Array) -> Array:
        return power * xp.expm1(_LOG_TWO * d)

    difference = xp.where(better, pi - pj, xp.zeros_like(d))
    return apply_where(
        xp, difference, better & (d < _NEAR), small_difference, d, xp.broadcast_to(pj, d.shape)
    )


def discounts(xp: Namespace, t: Array, k: int | None) -> Array:
    """Return 1 / log2(2 + position) for the positions of a group, and 0 from position k on.

    Examples
    --------
    >>> import numpy as np
    >>> discounts(np, np.zeros(3), 2)
    array([1.        , 0.63092975, 0.        ])
    """
    place = column_numbers(xp, t)
    discount = 1.0 / xp.log2(xp.astype(place, t.dtype) + 2.0)
    return discount if k is None else xp.where(place < k, discount, xp.zeros_like(discount))


def discount_differences(xp: Namespace, t: Array, k: int | None) -> Array:
    """Return the distances between the discounts of two positions, an array (n, n).

    The logarithms of large positions are close, so their difference is computed from a
    quotient.

    Examples
    --------
    >>> import numpy as np
    >>> discount_differences(np, np.zeros(3), 1)
    array([[0., 1., 1.],
           [1., 0., 0.],
           [1., 0., 0.]])
    """
    place = xp.astype(column_numbers(xp, t), t.dtype) + 2.0
    (i, j), (log_i, log_j), (di, dj) = (
        pairs(place),
        pairs(xp.log2(place)),
        pairs(discounts(xp, t, k)),
    )
    near = xp.log1p(xp.abs(i - j) / xp.minimum(i, j)) / _LOG_TWO / (log_i * log_j)
    return xp.where((di > 0) & (dj > 0), near, xp.abs(di - dj))


def ideal_gain(xp: Namespace, t: Array, k: int | None) -> Array:
    """Return the discounted gain of the best order of a group, (..., 1); 1 instead of 0.

    Examples
    --------
    >>> import numpy as np
    >>> ideal_gain(np, np.asarray([0.0, 3.0]), None)
    array([7.])
    """
    best_first = -xp.sort(-gains(xp, t), axis=-1)
    best = xp.sum(best_first * discounts(xp, t, k), axis=-1, keepdims=True)
    return xp.where(best > 0, best, xp.ones_like(best))

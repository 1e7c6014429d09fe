"""Tweedie's deviance of powers p between 1 and 2 in float64, by functions that do not cancel.

With b = 2 - p and c = p - 1, whose sum is 1, r = t - y and e = log(t / y), half the deviance is
y^(1-p) times one of ::

    r^2 / (t + y) R(e)                                                near the target
    max(t, y) ((1 - exp(-k x)) / k - exp(-k x) (1 - exp(-m x)) / m)   for x = abs(e) far from it

k and m are c and b for a target above the mean, and b and c for one below it. R is a smooth
function, 1 at the target and near to it elsewhere, so that the rounding of e does not matter; a
polynomial of e has all its digits. The second form loses a bit or less.
"""

from __future__ import annotations

import math
from decimal import Decimal

from lossfw import Array, Namespace
from lossfw.numerics import difference_error, polynomial, precisely, remembered, select, step_of
from lossfw_std.tweedie import Exponents

# Up to this distance of logarithms, 16 to 1, the second form would lose more than a bit.
_NEAR = 2.77

# Points at which the polynomial is right, for an error below 3e-17. An even number of
# Chebyshev's has none at 0, where R is a quotient of zeros.
_POINTS = 30

# Means, and sums of mean and target, for which no product leaves the range of floats, and the
# least part of the mean that a target may be unless it is 0.
_LEAST, _LARGEST, _LEAST_PART = 1e-40, 1e100, 1e-260


def is_between(k: Exponents) -> bool:
    """Tell whether a power lies between 1 and 2."""
    return k.a < 0 < k.b


def is_rare(y: Array, t: Array) -> Array:
    """Tell where `half_deviance` is not to be used."""
    usual = (y > _LEAST) & (t + y < _LARGEST)
    return ~usual | ((t < _LEAST_PART * y) & (t > 0.0))


def half_deviance(xp: Namespace, y: Array, t: Array, power: Array, k: Exponents) -> Array:
    """Return half the deviance from y, t and y^(1-p)."""
    e = xp.log(t / y)
    return power * select(xp, xp.abs(e) < _NEAR, _near(y, t, e, k), _far(xp, y, t, e, k))


def _near(y: Array, t: Array, e: Array, k: Exponents) -> Array:
    r, total = t - y, t + y
    share = r / total
    factor = share * polynomial(e, _coefficients(float(k.b)))
    # The rounding errors of difference and sum, of which the first would count twice.
    lost = 2.0 * difference_error(t, y, r) - share * difference_error(t, -y, total)
    return factor * r + factor * lost


def _far(xp: Namespace, y: Array, t: Array, e: Array, k: Exponents) -> Array:
    x, b, c = xp.abs(e), float(k.b), -float(k.a)
    # c for a target above the mean and b for one below it; no part of this is rounded.
    first = (c - b) * step_of(xp, e) + b
    second = 1.0 - first
    own, other = first * x, second * x
    falling = xp.exp(-own) * (xp.expm1(-other) / second)
    return xp.maximum(y, t) * (falling - xp.expm1(-own) / first)


@remembered
def _coefficients(b: float) -> tuple[float, ...]:
    """Return the polynomial of e that is R at Chebyshev's points, by Newton's differences."""
    with precisely():
        nodes = [Decimal(_NEAR * math.cos(math.pi * (n + 0.5) / _POINTS)) for n in range(_POINTS)]
        differences = [_exact_r(e, Decimal(b)) for e in nodes]
        for n in range(1, _POINTS):
            for i in range(_POINTS - 1, n - 1, -1):
                rise = differences[i] - differences[i - 1]
                differences[i] = rise / (nodes[i] - nodes[i - n])
        found = [Decimal(0)]
        for node, difference in zip(reversed(nodes), reversed(differences), strict=True):
            # Times e - node, plus the difference.
            shifted = [difference, *found]
            found = [s - node * f for s, f in zip(shifted, [*found, Decimal(0)], strict=True)]
        return tuple(map(float, found[:-1]))


def _exact_r(e: Decimal, b: Decimal) -> Decimal:
    """Return R(e), whose definition is h(e) (t + y) y / r^2 with h of `lossfw_std.tweedie`."""
    x = e.exp() - 1
    return ((b * e).exp() - 1 - b * x) / ((b - 1) * b) * (x + 2) / (x * x)

"""Compute z - log(t) for a float z that is very close to log(t).

log(t) is no float, and the nearest float may share 53 to 70 bits with it. So the difference
needs a logarithm of some 120 bits. It is the sum of pieces of one float each, added as if
with three times the digits: Ogita, Rump and Oishi, *Accurate sum and dot product*, SIAM
Journal on Scientific Computing 26, 2005. It is for float64.

Numbers are split by `frexp`, which the array API standard does not have. NumPy, PyTorch and
JAX have it; `splits_floats` asks for it.
"""

from __future__ import annotations

import functools
import operator
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from lossfw.numerics.arrays import Array, Namespace, TextbookNamespace, device_of
from lossfw.numerics.double_double import DoubleDouble, add_words, multiply_words, words_of
from lossfw.numerics.dual.namespace import DualNamespace
from lossfw.numerics.error_free import two_diff, two_prod
from lossfw.numerics.parameters import remembered
from lossfw.numerics.primitive import polynomial

# A mantissa from 3/4 to 3/2 is divided by the nearest multiple of 1 / PARTS.
PARTS = 64
FIRST, LAST = 48, 96

# Bits of a piece of log(2), so that its product with any exponent is exact.
_SHORT = 41

# Decimal digits of the tables, more than three floats hold.
_DIGITS = 60

# The number of coefficients of (atanh(s) - s) / s^3 = 1/3 + w/5 + w^2/7 ..., w = s^2, that
# need two words, with s below 1/128; the others need one.
_TWO_WORDS = 4
_ONE_WORD = tuple(1 / n for n in range(3 + 2 * _TWO_WORDS, 20, 2))


class Tables(NamedTuple):
    """Logarithms as sums of pieces, the largest first."""

    log_2: tuple[float, ...]  # all but the last are short
    log_c: tuple[Array, ...]  # of each part, from FIRST to LAST


class Reduced(NamedTuple):
    """x = 2^k c (1 + ...), with c = (FIRST + row) / PARTS."""

    k: Array
    m: Array
    c: Array
    row: Array


@remembered
def tables() -> Tables:
    """Return the pieces of log(2) and of the logarithms of all multiples of 1 / PARTS."""
    with localcontext(prec=_DIGITS):
        unit = Decimal(2) ** _SHORT
        rest, log_2 = Decimal(2).ln(), []
        for n in (1, 2):
            log_2.append(float(int(rest * unit**n) / unit**n))
            rest -= Decimal(log_2[-1])
        rests = [(Decimal(i) / PARTS).ln() for i in range(FIRST, LAST + 1)]
        log_c = []
        for _ in range(3):
            piece = np.array([float(x) for x in rests])
            rests = [x - Decimal(float(p)) for x, p in zip(rests, piece, strict=True)]
            log_c.append(piece)
        return Tables((*log_2, float(rest)), tuple(log_c))


def splits_floats(xp: Namespace, x: Array) -> bool:
    """Tell whether the functions here can take `x`: float64, of a library with ``frexp``."""
    if isinstance(xp, TextbookNamespace | DualNamespace):
        return False
    return hasattr(xp, "frexp") and bool(x.dtype == xp.float64)


def reduced(xp: Namespace, x: Array) -> Reduced:
    """Split finite floats above 0 into exponent, multiple of 1 / PARTS and mantissa."""
    m, exponent = xp.frexp(x)
    # An integer times a Python number would be float32 in some libraries.
    k = xp.astype(exponent, m.dtype)
    low_half = m < FIRST / PARTS
    m, k = xp.where(low_half, m + m, m), xp.where(low_half, k - 1.0, k)
    part = xp.round(m * PARTS)
    return Reduced(k, m, part / PARTS, xp.astype(part, xp.int64) - FIRST)


def looked_up(xp: Namespace, table: Array, row: Array) -> Array:
    """Return the elements of one of the `tables` for rows from `reduced`."""
    if xp is not np:
        # On the device of the rows, where the library has devices.
        table = xp.asarray(table, device=device_of(row))
    return xp.take(table, row)


def close_distance(xp: Namespace, z: Array, t: Array) -> DoubleDouble:
    """Return z - log(t) for floats z and t > 0 with about the same logarithm.

    Examples
    --------
    >>> import numpy as np
    >>> z = np.asarray([2.302585092994046])  # the float next to log(10)
    >>> close_distance(np, z, np.asarray([10.0])).high
    array([2.17075622e-16])
    """
    log_2, log_c = tables()
    k, m, c, row = reduced(xp, t)
    s = _thirds(xp, m - c, *two_diff(xp, m, -c))
    tail = _tail(xp, DoubleDouble(s[0], s[1]))
    pieces = [z, *(-k * piece for piece in log_2)]
    pieces += [-looked_up(xp, piece, row) for piece in log_c]
    pieces += [*(-2.0 * piece for piece in s), -2.0 * tail.high, -2.0 * tail.low]
    return _sum(xp, pieces)


def _thirds(xp: Namespace, a: Array, b: Array, b_rest: Array) -> tuple[Array, Array, Array]:
    """Return a / (b + b_rest) as three floats."""
    first = a / b
    rest = _remainder(xp, a, first, b)
    product, lost = two_prod(xp, first, b_rest)
    rest, lower = two_diff(xp, rest, product)
    second = rest / b
    third = (_remainder(xp, rest, second, b) + (lower - lost) - second * b_rest) / b
    return first, second, third


def _remainder(xp: Namespace, a: Array, q: Array, b: Array) -> Array:
    """Return a - q b, which is a float where q is a / b rounded."""
    product, lost = two_prod(xp, q, b)
    return (a - product) - lost


def _tail(xp: Namespace, s: DoubleDouble) -> DoubleDouble:
    """Return atanh(s) - s in two words."""
    w = multiply_words(xp, s, s)
    high = polynomial(w.high, _ONE_WORD)
    series = DoubleDouble(high, xp.zeros_like(high))
    for n in range(_TWO_WORDS, 0, -1):
        coefficient = words_of(xp, Fraction(1, 2 * n + 1), high)
        series = add_words(xp, multiply_words(xp, series, w), coefficient)
    return multiply_words(xp, multiply_words(xp, series, w), s)


def _sum(xp: Namespace, pieces: list[Array]) -> DoubleDouble:
    """Return the sum of arrays, computed as if with three times their digits."""
    for _ in range(2):
        for i in range(1, len(pieces)):
            pieces[i], pieces[i - 1] = two_diff(xp, pieces[i], -pieces[i - 1])
    rest = functools.reduce(operator.add, pieces[:-1])
    total = pieces[-1] + rest
    return DoubleDouble(total, rest - (total - pieces[-1]))

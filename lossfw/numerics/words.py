"""Words: numbers of 104 bits whose exponents have no end.

A `Words` is (high + low) 2^scale, with two float64 and an integer in arrays of NumPy. A stable
body, run on them, has every digit where its floats overflow, vanish, divide subnormal numbers
or multiply the rounding of an exponential's argument. `lossfw.numerics.extended_range` runs a
body so for the few elements that need it.

High and low are a double-double: Dekker, *A floating-point technique for extending the
available precision*, Numerische Mathematik 18, 1971, doi:10.1007/BF01397083.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

from lossfw.numerics.arrays import Array, NDArray
from lossfw.numerics.parameters import cache_constants, high_precision

# High and low of a double-double.
_Pair: TypeAlias = tuple[Any, Any]

# The scale of 0, below that of any number. Further below another number nothing counts.
_ZERO, _FARTHEST = np.int64(-(2**45)), np.int64(-300)

# Beyond 2^_MOST the exponential is 0 or infinite; below 2^_TINY it is 1 + x, to all digits.
_MOST, _TINY = 42, -120

# The high words of products may leave [1/2, 1) by so many bits before they are brought back.
_SLACK = 60

# Half of the digits of a float (Veltkamp).
_SPLIT = 2.0**27 + 1.0

_LOG_2 = (0.6931471805599453, 2.3190468138462996e-17)

# exp is taken from a table of multiples of 1 / _PARTS, and of the rest by its series, whose last
# terms need one float.
_PARTS, _LAST_PART = 256, 90
_TWO_WORDS, _TERMS = 5, 11

_INTEGER_POWER = 64


def _operator(function: Callable[[Words, Words], Any]) -> Any:
    """Return a method that takes numbers and arrays beside words."""

    def method(self: Words, other: Any) -> Any:
        return function(self, Words.of(other)) if isinstance(other, _NUMBERS) else NotImplemented

    return method


class Words:
    """Numbers (high + low) 2^scale, or 0, infinity or NaN, with the operators of arrays.

    Parameters
    ----------
    high, low : ndarray of float64
        The low word is at most half a unit in the last place of the high one.
    scale : ndarray of int64
    slack : int
        log2 of the high word lies within this of 0.

    See Also
    --------
    extended_range : runs a body on them where floats do not suffice.

    Examples
    --------
    >>> x = Words.of(np.array([1e-200]))
    >>> (x * x).to_float(), (x * x / x).to_float(), (x * x).scale
    (array([0.]), array([1.e-200]), array([-1328]))
    """

    __slots__ = ("high", "low", "scale", "slack")
    __array_ufunc__ = None  # NumPy leaves the operators to this class
    __hash__ = None  # type: ignore[assignment]  # as Python itself says it
    dtype = np.dtype(np.float64)

    def __init__(self, high: Any, low: Any, scale: Any, slack: int = 1) -> None:
        self.high, self.low, self.scale, self.slack = high, low, scale, slack

    @classmethod
    def of(cls, x: Any) -> Words:
        """Return floats or a rational number as words."""
        if isinstance(x, Words):
            return x
        if isinstance(x, Fraction):
            high = float(x)
            return _normal(np.float64(high), np.float64(x - Fraction(high)), np.int64(0))
        return _normal(np.asarray(x, np.float64), 0.0, np.int64(0))

    def to_float(self) -> Array:
        """Return the nearest floats."""
        total = self.high + self.low
        finite = np.isfinite(total)
        total = total if finite.all() else np.where(finite, total, self.high)
        return np.ldexp(total, np.clip(self.scale, -4000, 4000))

    def each(self, function: Callable[[Any], Any]) -> Words:
        """Return words whose three arrays are moved or reshaped alike."""
        parts = np.broadcast_arrays(self.high, self.low, self.scale)
        high, low, scale = map(function, parts)
        return Words(high, low, scale, self.slack)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the numbers."""
        return np.broadcast_shapes(np.shape(self.high), np.shape(self.low), np.shape(self.scale))

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __getitem__(self, key: Any) -> Words:
        return self.each(lambda part: part[key])

    def normal(self) -> Words:
        """Return the same with high words in [1/2, 1)."""
        return self if self.slack <= 1 else _normal(self.high, self.low, self.scale)

    def __neg__(self) -> Words:
        return Words(-self.high, -self.low, self.scale, self.slack)

    def __pos__(self) -> Words:
        return self

    def __abs__(self) -> Words:
        sign = np.where(self.high < 0.0, -1.0, 1.0)
        return Words(sign * self.high, sign * self.low, self.scale, self.slack)

    __add__ = __radd__ = _operator(lambda a, b: _plus(a, b))
    __sub__ = _operator(lambda a, b: _plus(a, -b))
    __rsub__ = _operator(lambda a, b: _plus(b, -a))
    __mul__ = __rmul__ = _operator(lambda a, b: _times(a, b))
    __truediv__ = _operator(lambda a, b: _over(a, b))
    __rtruediv__ = _operator(lambda a, b: _over(b, a))
    __rpow__ = _operator(lambda a, b: b**a)
    __lt__ = _operator(lambda a, b: _minus(a, b) < 0.0)
    __gt__ = _operator(lambda a, b: _minus(a, b) > 0.0)
    __le__ = _operator(lambda a, b: _minus(a, b) <= 0.0)
    __ge__ = _operator(lambda a, b: _minus(a, b) >= 0.0)
    __eq__ = _operator(lambda a, b: _minus(a, b) == 0.0)
    __ne__ = _operator(lambda a, b: _minus(a, b) != 0.0)

    def __pow__(self, exponent: Any) -> Any:
        if isinstance(exponent, int | float | Fraction):
            k: Any = exponent
            if k == 0.5:
                return sqrt(self)
            if k == int(k) and abs(k) <= _INTEGER_POWER:
                found = _integer_power(self, abs(int(k)))
                return found if k >= 0 else 1.0 / found
        return exp(exponent * log(self)) if isinstance(exponent, _NUMBERS) else NotImplemented


# What an operator takes beside words; others, such as dual numbers, have operators of their own.
_NUMBERS = (Words, int, float, Fraction, np.generic, np.ndarray)


def _plus(a: Words, b: Words) -> Words:
    top = np.maximum(a.scale, b.scale)
    (ah, al), (bh, bl) = _shifted(a, top), _shifted(b, top)
    high, low = _add((ah, al), (bh, bl))
    finite = np.isfinite(high)
    if not finite.all():
        high, low = np.where(finite, high, ah + bh), np.where(finite, low, 0.0)
    return _normal(high, low, top)


def _times(a: Words, b: Words) -> Words:
    high, low = _multiply((a.high, a.low), (b.high, b.low))
    return _of_factors(high, low, a.high * b.high, a.scale + b.scale, a.slack + b.slack)


def _over(a: Words, b: Words) -> Words:
    q = a.high / b.high
    product, low = _multiply((q, 0.0), (b.high, b.low))
    high, low = _quick_sum(q, ((a.high - product) - low + a.low) / b.high)
    return _of_factors(high, low, q, a.scale - b.scale, a.slack + b.slack)


def _minus(a: Words, b: Words) -> Array:
    """Return numbers with the signs of a difference; equal infinities are equal."""
    equal = np.isinf(a.high) & (a.high == b.high)
    return np.where(equal, 0.0, _plus(a, -b).high)


# Arithmetic of double-doubles.


def _sum(a: Any, b: Any) -> _Pair:
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _quick_sum(a: Any, b: Any) -> _Pair:
    """Return the sum of a number and a smaller one."""
    total = a + b
    return total, b - (total - a)


def _add(a: _Pair, b: _Pair) -> _Pair:
    high, rest = _sum(a[0], b[0])
    more, least = _sum(a[1], b[1])
    high, rest = _sum(high, rest + more)
    return _quick_sum(high, rest + least)


def _halves(a: Any) -> _Pair:
    scaled = _SPLIT * a
    high = scaled - (scaled - a)
    return high, a - high


def _multiply(a: _Pair, b: _Pair, b_halves: _Pair | None = None) -> _Pair:
    product = a[0] * b[0]
    (ah, al), (bh, bl) = _halves(a[0]), b_halves or _halves(b[0])
    error = ((ah * bh - product) + ah * bl + al * bh) + al * bl
    return _quick_sum(product, error + (a[0] * b[1] + a[1] * b[0]))


# Parts of words.


def _normal(high: Any, low: Any, scale: Any) -> Words:
    """Return words with the high one in [1/2, 1)."""
    m, k = np.frexp(high)
    low = np.ldexp(low, -k)
    usual = np.isfinite(m) & (m != 0.0)
    if usual.all():
        return Words(m, low, scale + k)
    scale = np.where(m == 0.0, _ZERO, np.where(usual, scale + k, np.int64(0)))
    return Words(m, np.where(usual, low, 0.0), scale)


def _of_factors(high: Any, low: Any, plain: Any, scale: Any, slack: int) -> Words:
    """Return a product or a quotient, which is `plain` to the digits of a float."""
    finite = np.isfinite(high)
    if not finite.all():
        high, low = np.where(finite, high, plain), np.where(finite, low, 0.0)
    return _normal(high, low, scale) if slack > _SLACK else Words(high, low, scale, slack)


def _shifted(x: Words, top: Any) -> _Pair:
    """Return high and low words in units of 2^top, not below all that counts."""
    by = np.maximum(x.scale - top, _FARTHEST)
    return np.ldexp(x.high, by), np.ldexp(x.low, by)


def choose(condition: Any, a: Any, b: Any) -> Words:
    """Return `a` where the condition holds, and `b` elsewhere."""
    a, b = Words.of(a), Words.of(b)
    pairs = ((a.high, b.high), (a.low, b.low), (a.scale, b.scale))
    high, low, scale = (np.where(condition, one, other) for one, other in pairs)
    return Words(high, low, scale, max(a.slack, b.slack))


def _integer_power(x: Words, exponent: int) -> Words:
    found = Words.of(1.0)
    for digit in f"{exponent:b}":
        found = found * found
        found = found * x if digit == "1" else found
    return choose(x == x, found, x)  # NaN stays


# Functions.


@cache_constants
def _exp_table() -> tuple[NDArray, NDArray]:
    """Return exp(k / _PARTS) - 1 in two floats, for k from -_LAST_PART to _LAST_PART."""
    with high_precision():
        exact = [(Decimal(k) / _PARTS).exp() - 1 for k in range(-_LAST_PART, _LAST_PART + 1)]
        high = [float(x) for x in exact]
        low = [float(x - Decimal(h)) for x, h in zip(exact, high, strict=True)]
    return np.array(high), np.array(low)


# 1, 1/2!, 1/3! ...: the coefficients of (exp(x) - 1) / x, in two floats.
_EXACT_SERIES = [Fraction(1, math.factorial(k + 1)) for k in range(_TERMS)]
_SERIES = [(float(x), float(x - Fraction(float(x)))) for x in _EXACT_SERIES]


def _expm1_of_pair(x: _Pair) -> _Pair:
    """Return exp(x) - 1 for x between -log(2) / 2 and log(2) / 2."""
    part = np.rint(_PARTS * x[0])
    d = _sum(x[0] - part / _PARTS, x[1])
    halves = _halves(d[0])
    tail = _SERIES[-1][0]
    for coefficient, _ in _SERIES[-2:_TWO_WORDS:-1]:
        tail = tail * d[0] + coefficient
    total: _Pair = (tail * d[0] + _SERIES[_TWO_WORDS][0], _SERIES[_TWO_WORDS][1])
    for high, low in _SERIES[_TWO_WORDS - 1 :: -1]:
        product = _multiply(total, d, halves)
        head, rest = _quick_sum(high, product[0])
        total = _quick_sum(head, rest + (product[1] + low))
    small = _multiply(total, d, halves)
    row = part.astype(np.int64) + _LAST_PART
    whole = tuple(table.take(row) for table in _exp_table())
    return _add(_add(whole, small), _multiply(whole, small))


def _expm1_parts(x: Words) -> tuple[_Pair, NDArray, NDArray, NDArray]:
    """Return exp(x - n log 2) - 1, n, x as a float, and where all this is known."""
    given = x.to_float()
    known = np.abs(given) < 2.0**_MOST
    if not known.all():
        x = choose(known, x, 0.0)
    n = np.rint((given if known.all() else x.to_float()) / _LOG_2[0])
    gone = _multiply((n, 0.0), _LOG_2)
    scale = np.maximum(x.scale, -900)
    rest = _add((np.ldexp(x.high, scale), np.ldexp(x.low, scale)), (-gone[0], -gone[1]))
    return _expm1_of_pair(rest), n.astype(np.int64), given, known


def exp(x: Words) -> Words:
    """Return exp(x), with as many digits less than 104 as x has bits before the point."""
    rest, n, given, known = _expm1_parts(x)
    found = _normal(*_add((1.0, 0.0), rest), n)
    return found if known.all() else choose(known, found, np.exp(np.sign(given) * np.inf))


def expm1(x: Words) -> Words:
    """Return exp(x) - 1."""
    rest, n, given, known = _expm1_parts(x)
    found = _normal(*rest, np.int64(0))
    far = n != 0
    if far.any():
        found = choose(far, _normal(*_add((1.0, 0.0), rest), n) - 1.0, found)
    tiny = x.normal().scale < _TINY
    found = choose(tiny, x, found) if tiny.any() else found
    return found if known.all() else choose(known, found, np.expm1(np.sign(given) * np.inf))


def _log1p_of_pair(u: _Pair) -> _Pair:
    """Return log(1 + u) for 1 + u between 1 / sqrt(2) and sqrt(2), by a step of Newton's."""
    first = np.log1p(u[0])
    e = _expm1_of_pair((-first, 0.0))
    slip = _add(_add(u, e), _multiply(u, e))
    return _quick_sum(first, slip[0] + slip[1])


def _positive(x: Words) -> tuple[Words, NDArray, NDArray]:
    """Return words with 1 where they are not positive and finite, where they are, and as given."""
    x = x.normal()
    usual = (x.high > 0.0) & np.isfinite(x.high)
    return (x if usual.all() else choose(usual, x, 1.0)), usual, x.high


def log(x: Words) -> Words:
    """Return log(x)."""
    x, usual, given = _positive(x)
    below = x.high < math.sqrt(0.5)
    factor, power = np.where(below, 2.0, 1.0), x.scale - below
    u = _sum(factor * x.high - 1.0, factor * x.low)
    whole = _multiply((power.astype(np.float64), 0.0), _LOG_2)
    found = _normal(*_add(whole, _log1p_of_pair(u)), np.int64(0))
    return found if usual.all() else choose(usual, found, np.log(given))


def log1p(x: Words) -> Words:
    """Return log(1 + x)."""
    x = x.normal()
    near = (x.scale <= -2) & np.isfinite(x.high)
    scale = np.maximum(x.scale, -900)
    small = [
        np.where(near, np.ldexp(part, np.where(near, scale, 0)), 0.0) for part in (x.high, x.low)
    ]
    found = _normal(*_log1p_of_pair((small[0], small[1])), np.int64(0))
    found = choose(x.scale < _TINY, x, found)
    return found if near.all() else choose(near, found, log(1.0 + x))


def sqrt(x: Words) -> Words:
    """Return the square root."""
    x, usual, given = _positive(x)
    odd = x.scale & 1
    high, low = np.ldexp(x.high, odd), np.ldexp(x.low, odd)
    first = np.sqrt(high)
    square, rest = _multiply((first, 0.0), (first, 0.0))
    pair = _quick_sum(first, ((high - square) - rest + low) / (2.0 * first))
    found = _normal(*pair, (x.scale - odd) >> 1)
    return found if usual.all() else choose(usual, found, np.sqrt(given))

"""Functions of balls of Arb, with the special cases of floats.

A ball is a number with a rigorous bound of its error. As for floats 1 / 0 is infinite, and the
logarithm of a negative number is NaN. A ball of unknown value, such as 1 / x where x may be 0, is
also NaN, and becomes a number with more digits. Exponents are nearly unlimited: a number whose
exponent has more than 8,192 bits is infinite.

python-flint's precision is global to the process, so it is set for each operation and restored,
while other threads wait.

Imported on use only, since it needs python-flint.
"""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from flint import arb, ctx

# A ball of Arb; python-flint has no types for checkers.
Ball: TypeAlias = Any

_lock = threading.RLock()

ZERO, ONE, MINUS_ONE, TWO, HALF, TEN = (arb(n) for n in (0, 1, -1, 2, 0.5, 10))
INFINITY, MINUS_INFINITY = arb(math.inf), arb(-math.inf)

# It has an infinite error: the arccosine of a NaN without one would be pi.
NAN = arb("nan")

# An exponential makes the absolute error of its argument a fraction of the result: with so many
# bits more, a difference up to 2**64 costs none of them.
_SPARE_BITS = 64

# Beyond it exp is infinite, and sine is unknown: it would need pi to as many bits.
_HUGE = arb((1, 2**13))

# Exponents below it do not fit the 64 bits that Arb's expm1 bounds its error with.
_ALMOST_ZERO = arb((1, -(2**62)))


class precision:  # noqa: N801  # a context manager that reads as a word
    """Compute with so many bits inside of the ``with`` block, one thread at a time."""

    __slots__ = ("_before", "_bits")

    def __init__(self, bits: int) -> None:
        self._bits = bits

    def __enter__(self) -> None:
        _lock.acquire()
        self._before = ctx.prec
        if self._before != self._bits:
            ctx.prec = self._bits

    def __exit__(self, *_: object) -> None:
        if self._before != self._bits:
            ctx.prec = self._before
        _lock.release()


class _Doubts(threading.local):
    """How many choices this thread made between balls that overlap, or that are unknown."""

    count = 0


doubts = _Doubts()


def to_ball(x: Any) -> Ball:
    """Return a number of Python or NumPy, or a Number, as a ball without an error."""
    if type(x) is arb:
        return x
    value = getattr(x, "value", None)
    if value is not None:
        return value
    if isinstance(x, int | np.integer | np.bool_):
        return arb(int(x))
    x = float(x)
    return NAN if math.isnan(x) else arb(x)


def is_infinite(x: Ball) -> bool:
    """Tell whether a ball is infinite."""
    # The ball [0 +/- inf] is unknown. Infinity plus a ball has the error of the ball.
    return not (x.is_finite() or x.is_nan() or x.mid().is_finite()) and bool(x.rad().is_finite())


def is_nan(x: Ball) -> bool:
    """Tell whether a ball is NaN, or unknown."""
    return not x.is_finite() and not is_infinite(x)


# Choices: where balls overlap, their middles decide.


def less(a: Ball, b: Ball) -> bool:
    """Tell whether a < b."""
    if a < b:
        return True
    if a >= b or (a.is_exact() and b.is_exact()):
        return False
    doubts.count += 1
    return not (is_nan(a) or is_nan(b)) and bool(a.mid() < b.mid())


def equal(a: Ball, b: Ball) -> bool:
    """Tell whether two balls are the same number."""
    if a == b:
        return True
    if a != b or (a.is_exact() and b.is_exact()):
        return False
    doubts.count += 1
    return not (is_nan(a) or is_nan(b)) and bool(a.mid() == b.mid())


def less_equal(a: Ball, b: Ball) -> bool:
    """Tell whether a <= b."""
    return bool(a <= b) or less(a, b) or equal(a, b)


def _test_nan(x: Ball) -> bool:
    if x.is_finite() or is_infinite(x):
        return False
    doubts.count += 1
    return True


def _sign(x: Ball) -> Ball:
    return ONE if less(ZERO, x) else MINUS_ONE if less(x, ZERO) else NAN if is_nan(x) else ZERO


def _larger(a: Ball, b: Ball) -> Ball:
    """Return the larger; NaN if either is."""
    return NAN if is_nan(a) or is_nan(b) else a.max(b)


def _smaller(a: Ball, b: Ball) -> Ball:
    """Return the smaller; NaN if either is."""
    return NAN if is_nan(a) or is_nan(b) else a.min(b)


def sorting_indices(row: list[Ball]) -> list[int]:
    """Return the positions in ascending order; of equal numbers the first comes first."""

    def compare(i: int, j: int) -> int:
        a, b = row[i], row[j]
        if is_nan(a) or is_nan(b):
            return is_nan(a) - is_nan(b)
        return less(b, a) - less(a, b)

    return sorted(range(len(row)), key=functools.cmp_to_key(compare))


# Where Arb has no result and a float has one.


def divide(a: Ball, b: Ball) -> Ball:
    """Return a / b."""
    quotient = a / b
    if quotient.is_finite() or not b.is_zero() or is_nan(a) or a.contains(0):
        return quotient
    return INFINITY if a > 0 else MINUS_INFINITY


def power(a: Ball, b: Ball) -> Ball:
    """Return a**b."""
    result = a**b
    if result.is_finite():
        return result
    if a == ONE:
        return ONE
    if is_nan(a) or is_nan(b):
        return NAN
    if a.is_zero() or is_infinite(a) or is_infinite(b):
        return _limit_of_power(a, b)
    # Arb takes the logarithm, of which nothing is known where a may be 0.
    return arb(0, a.abs_upper() ** b) if a.contains(0) and b > 0 else result


def _sqrt(x: Ball) -> Ball:
    result = x.sqrt()
    # The same: what may be 0 has a root that may be 0.
    is_known = result.is_finite() or not x.is_finite() or not x.contains(0)
    return result if is_known else arb(0, x.abs_upper().sqrt())


def _limit_of_power(a: Ball, b: Ball) -> Ball:
    """Return a**b where a is 0, or one of both is infinite."""
    size = abs(a)
    if size == 1:
        return ONE
    # The logarithm of the result is infinite.
    grows = (size > 1) == (b > 0)
    if not grows:
        return ZERO
    is_odd = b.is_integer() and not (b / 2).is_integer()
    if a > 0 or a.is_zero() or not is_odd:
        return INFINITY
    return MINUS_INFINITY


def _erfc(x: Ball) -> Ball:
    if not x > TWO or x.is_exact():
        return _erfc_with_limits(x)
    # Arb's bound for a large ball is far too wide. The logarithm of erfc falls with a derivative of
    # less than 2 x + 2.
    spread = (x.rad() * (2 * x + 2)).expm1()
    return x.mid().erfc() * arb(1, spread)


def _log(x: Ball) -> Ball:
    return MINUS_INFINITY if x.is_zero() else x.log()


def _log1p(x: Ball) -> Ball:
    return MINUS_INFINITY if x == MINUS_ONE else x.log1p()


def _atanh(x: Ball) -> Ball:
    is_end = x.is_exact() and abs(x) == ONE
    return x * INFINITY if is_end else x.atanh()


def _lgamma(x: Ball) -> Ball:
    result = x.lgamma()
    if result.is_finite() or x > 0:
        return INFINITY if is_infinite(x) else result
    # Its reciprocal has a result below 0 too, and is 0 where gamma is infinite.
    return INFINITY if is_infinite(x) else -_log(x.rgamma())


def _exponential_function(name: str, far_below: Ball) -> Callable[[Ball], Ball]:
    """Return exp or a function that grows like it, by its result at huge numbers below 0."""

    def compute(x: Ball) -> Ball:
        result = getattr(x, name)()
        if result.is_finite():
            return result
        return INFINITY if x > _HUGE else far_below if x < -_HUGE else result

    return compute


def _make_almost_linear(compute: Callable[[Ball], Ball]) -> Callable[[Ball], Ball]:
    """Return a function f with f(x) = x (1 + d), where d is below x near 0.

    Arb's expm1, and what it computes by it, has 28 right bits there, whatever the precision.
    """

    def at(x: Ball) -> Ball:
        if abs(x) < _ALMOST_ZERO and not x.is_zero():
            return x * arb(1, arb((1, -ctx.prec)))
        return compute(x)

    return at


def _periodic_function(name: str) -> Callable[[Ball], Ball]:
    return lambda x: getattr(x, name)() if abs(x) < _HUGE else NAN


def _function_with_limits(name: str, above: Ball, below: Ball) -> Callable[[Ball], Ball]:
    """Return a function with its limits at infinity."""

    def compute(x: Ball) -> Ball:
        result = getattr(x, name)()
        if result.is_finite() or not is_infinite(x):
            return result
        return above if x > 0 else below

    return compute


def _named_function(name: str) -> Callable[[Ball], Ball]:
    return lambda x: getattr(x, name)()


_erfc_with_limits = _function_with_limits("erfc", ZERO, TWO)
_floor, _ceil = (
    _function_with_limits(name, INFINITY, MINUS_INFINITY) for name in ("floor", "ceil")
)


def _trunc(x: Ball) -> Ball:
    return _ceil(x) if less(x, ZERO) else _floor(x)


def _round(x: Ball) -> Ball:
    """Return the nearest whole number, of two the even one."""
    up = x + HALF
    whole = _floor(up)
    return whole - 1 if up.is_integer() and not (whole / 2).is_integer() else whole


def _logaddexp(a: Ball, b: Ball) -> Ball:
    high, low = _larger(a, b), _smaller(a, b)
    if not (low.is_finite() and high.is_finite()):
        return high
    with precision(ctx.prec + _SPARE_BITS):
        return high + (low - high).exp().log1p()


def _hypot(a: Ball, b: Ball) -> Ball:
    return INFINITY if is_infinite(a) or is_infinite(b) else _sqrt(a * a + b * b)


UNARY: dict[str, Callable[[Ball], Ball]] = {
    "exp": _exponential_function("exp", ZERO),
    "expm1": _make_almost_linear(_exponential_function("expm1", MINUS_ONE)),
    "cosh": _exponential_function("cosh", INFINITY),
    "sinh": _make_almost_linear(_exponential_function("sinh", MINUS_INFINITY)),
    "tanh": _make_almost_linear(_named_function("tanh")),
    "exp2": lambda x: power(TWO, x),
    "log": _log,
    "log1p": _log1p,
    "log2": lambda x: _log(x) / TWO.log(),
    "log10": lambda x: _log(x) / TEN.log(),
    **{name: _periodic_function(name) for name in ("sin", "cos", "tan")},
    **{name: _named_function(name) for name in ("asin", "acos", "atan", "asinh", "acosh")},
    "sqrt": _sqrt,
    "atanh": _atanh,
    "erf": _function_with_limits("erf", ONE, MINUS_ONE),
    "erfc": _erfc,
    "floor": _floor,
    "ceil": _ceil,
    "trunc": _trunc,
    "round": _round,
    "square": lambda x: x * x,
    "reciprocal": lambda x: divide(ONE, x),
    "sign": _sign,
    "lgamma": _lgamma,
}

BINARY: dict[str, Callable[[Ball, Ball], Ball]] = {
    "hypot": _hypot,
    "logaddexp": _logaddexp,
    "maximum": _larger,
    "minimum": _smaller,
    "atan2": lambda a, b: arb.atan2(a, b),
}

TESTS: dict[str, Callable[[Ball], bool]] = {
    "isnan": _test_nan,
    "isinf": is_infinite,
    "isfinite": lambda x: bool(x.is_finite()) or (not is_infinite(x) and not _test_nan(x)),
    "signbit": lambda x: less(x, ZERO),
}


def polygamma(order: int) -> Callable[[Ball], Ball]:
    """Return digamma for the order 0, or a derivative of it, of finite numbers above 0."""
    if order == 0:
        return _named_function("digamma")
    factor, of = (-1) ** (order + 1) * math.factorial(order), arb(order + 1)
    # Hurwitz's zeta function.
    return lambda x: factor * of.zeta(x)

"""Numbers with exponents beyond those of MPFR, and the functions that make and take them.

MPFR ends at 2**(2**30): exp(1e300), which textbook formulas of losses meet, is beyond it. Such
a number is a `Wide`, an MPFR number times a power of two. It is rare, so speed does not matter
here: `function` calls MPFR, and the functions below when MPFR overflows, underflows or is given
a Wide.

Exponents end too: with more than 4,096 bits the number is infinite, or 0. Without an end
exp(exp(exp(x))) would not end. (The exponent of exp of the largest float64 has 1,025 bits.)

Imported on use only, since it needs gmpy2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import gmpy2
from gmpy2 import mpfr

Context: TypeAlias = Any
# An MPFR number or a Wide.
Value: TypeAlias = Any
# A function of a context and of values, for arguments or results beyond MPFR.
WideFunction: TypeAlias = Callable[..., Value]

# The most bits of an exponent.
LARGEST_MAGNITUDE = 4096

# MPFR's exponents, of gmpy2's contexts.
_LIMIT = gmpy2.context().emax

# Extra bits of intermediate results.
_SPARE = 64

ZERO, ONE, MINUS_ONE, TWO, TEN = (mpfr(n, 53) for n in (0, 1, -1, 2, 10))
INFINITY, NAN = mpfr("inf"), mpfr("nan")

# What MPFR raises where the functions below are wanted: results that its exponents cannot
# hold, and an argument that is a Wide.
BEYOND = (gmpy2.OverflowResultError, gmpy2.UnderflowResultError, TypeError)

# Tells the order of two values: a difference that is not 0 is not rounded to 0.
_ORDER = gmpy2.context(precision=53, round=gmpy2.RoundAwayZero)


@dataclass(frozen=True, slots=True)
class Wide:
    """mantissa * 2**exponent, with 1/2 <= abs(mantissa) < 1 and an exponent beyond MPFR's."""

    mantissa: Any
    exponent: int

    def is_regular(self) -> bool:
        """Return that it is not 0, infinite or NaN."""
        return True

    def is_signed(self) -> bool:
        """Tell whether it is below 0."""
        return bool(self.mantissa < 0)

    def is_integer(self) -> bool:
        """Tell whether it is whole: its last bit is far from the point."""
        return self.exponent > 0

    def is_nan(self) -> bool:
        """Return that it is a number."""
        return False

    def is_infinite(self) -> bool:
        """Return that it is finite."""
        return False

    def is_finite(self) -> bool:
        """Return that it is."""
        return True

    def __lt__(self, other: Value) -> bool:
        return bool(_minus(self, other) < 0)

    def __le__(self, other: Value) -> bool:
        return bool(_minus(self, other) <= 0)

    def __gt__(self, other: Value) -> bool:
        return bool(_minus(self, other) > 0)

    def __ge__(self, other: Value) -> bool:
        return bool(_minus(self, other) >= 0)


def _minus(a: Value, b: Value) -> Any:
    """Return a number with the sign of a - b."""
    return _parts(subtract(_ORDER, a, b))[0]


def exponent(x: Value) -> int:
    """Return e with 2**(e - 1) <= abs(x) < 2**e, for an `x` that is not 0, infinite or NaN."""
    return x.exponent if isinstance(x, Wide) else int(gmpy2.get_exp(x))


def whole(n: int) -> Any:
    """Return an integer as an MPFR number, without rounding."""
    # A precision of 1 stands for the bits that it takes.
    return mpfr(n, 1, _ORDER)


def _scaled(x: Any, power: int) -> Any:
    """Return an MPFR number times 2**power, without rounding."""
    context = gmpy2.context(precision=x.precision)
    return context.mul_2exp(x, power) if power >= 0 else context.div_2exp(x, -power)


def _parts(x: Value) -> tuple[Any, int]:
    """Return mantissa and exponent; of 0, infinity and NaN the number itself, and 0."""
    if isinstance(x, Wide):
        return x.mantissa, x.exponent
    if not x.is_regular():
        return x, 0
    return _scaled(x, -exponent(x)), exponent(x)


def whole_mantissa(x: Value) -> tuple[int, int]:
    """Return integers with x = mantissa * 2**exponent, of an `x` not 0, infinite or NaN."""
    number, power = _parts(x)
    mantissa, exponent = number.as_mantissa_exp()
    return int(mantissa), int(exponent) + power


def _joined(x: Any, power: int) -> Value:
    """Return an MPFR number times 2**power, Wide if it must be."""
    mantissa, more = _parts(x)
    power += more
    if not mantissa.is_regular():
        return mantissa
    if abs(power) <= _LIMIT:
        return _scaled(mantissa, power)
    if power.bit_length() <= LARGEST_MAGNITUDE:
        return Wide(mantissa, power)
    return ZERO if power < 0 else _signed(INFINITY, mantissa)


def _negated(x: Any) -> Any:
    """Return -x of an MPFR number, without rounding."""
    return gmpy2.context(precision=x.precision).minus(x)


def _signed(size: Any, x: Value) -> Any:
    """Return a positive MPFR number, or its negative if `x` is below 0."""
    return _negated(size) if x.is_signed() else size


def _extended(context: Context, bits: int = _SPARE) -> Context:
    return gmpy2.context(context, precision=context.precision + bits)


def function(context: Context, name: str) -> Callable[..., Value]:
    """Return a function of a context of gmpy2 that goes beyond MPFR where it must."""
    fast, beyond = getattr(context, name), FUNCTIONS[name]

    def call(*values: Value) -> Value:
        try:
            return fast(*values)
        except BEYOND:
            return beyond(context, *values)

    return call


def _of(context: Context, name: str, *values: Value) -> Value:
    return function(context, name)(*values)


# Arithmetic.


def add(context: Context, a: Value, b: Value) -> Value:
    """Return a + b."""
    return _sum(context, _parts(a), _parts(b))


def _sum(context: Context, a: tuple[Any, int], b: tuple[Any, int]) -> Value:
    (m, e), (n, f) = a, b
    # Of 0, infinity and NaN any power of two is the same.
    e, f = e if m.is_regular() else f, f if n.is_regular() else e
    if e < f:
        (m, e), (n, f) = (n, f), (m, e)
    # Farther below the last bit the smaller one tells the rounding only.
    far = context.precision + m.precision + n.precision + 2
    return _joined(context.add(m, _scaled(n, -min(e - f, far))), e)


def subtract(context: Context, a: Value, b: Value) -> Value:
    """Return a - b."""
    mantissa, power = _parts(b)
    return _sum(context, _parts(a), (_negated(mantissa), power))


def multiply(context: Context, a: Value, b: Value) -> Value:
    """Return a * b."""
    (m, e), (n, f) = _parts(a), _parts(b)
    return _joined(context.mul(m, n), e + f)


def divide(context: Context, a: Value, b: Value) -> Value:
    """Return a / b."""
    (m, e), (n, f) = _parts(a), _parts(b)
    return _joined(context.div(m, n), e - f)


def negative(context: Context, x: Value) -> Value:
    """Return -x."""
    mantissa, power = _parts(x)
    return _joined(context.minus(mantissa), power)


def _absolute(context: Context, x: Value) -> Value:
    return negative(context, x) if x.is_signed() else _same(context, x)


def _same(context: Context, x: Value) -> Value:
    mantissa, power = _parts(x)
    return _joined(context.plus(mantissa), power)


def power(context: Context, a: Value, b: Value) -> Value:
    """Return a**b."""
    if not (a.is_regular() and b.is_regular()):
        # What matters beside 0, infinity and NaN: the sign, the side of 1, whole and even.
        a, b = (_scaled(*_likeness(x)) if isinstance(x, Wide) else x for x in (a, b))
        return context.pow(a, b)
    if a.is_signed() and not b.is_integer():
        return NAN
    size = _absolute(context, a)
    # exp multiplies the error of its argument by the argument's size.
    extra = min(max(exponent(b), 0) + abs(exponent(a)).bit_length(), LARGEST_MAGNITUDE)
    more = _extended(context, _SPARE + extra)
    size = _of(context, "exp", _of(more, "mul", b, _of(more, "log", size)))
    odd = not isinstance(b, Wide) and not _scaled(b, -1).is_integer()
    return negative(context, size) if a.is_signed() and odd else size


def _likeness(x: Wide) -> tuple[Any, int]:
    """Return mantissa and exponent of an MPFR number that is like a Wide."""
    return _signed(_scaled(ONE, -1), x), _LIMIT // 2 if x.exponent > 0 else -_LIMIT // 2


def _sqrt(context: Context, x: Value) -> Value:
    mantissa, power = _parts(x)
    return _joined(context.sqrt(_scaled(mantissa, power % 2)), power // 2)


def _hypot(context: Context, a: Value, b: Value) -> Value:
    more = _extended(context)
    return _of(context, "sqrt", _of(more, "add", *(multiply(more, x, x) for x in (a, b))))


# Exponentials and logarithms.


def _exp(context: Context, x: Value) -> Value:
    bits = exponent(x)
    if bits > LARGEST_MAGNITUDE:
        return ZERO if x.is_signed() else INFINITY
    if bits < 0:
        return add(context, ONE, x)
    more = _extended(context, _SPARE + bits)
    log2 = more.const_log2()
    count = _nearest(more.div(x, log2))
    return _joined(context.exp(more.sub(x, more.mul(whole(count), log2))), count)


def _exp2(context: Context, x: Value) -> Value:
    bits = exponent(x)
    if bits > LARGEST_MAGNITUDE or bits < 0:
        return _exp(context, x)
    count = _nearest(x)
    return _joined(context.exp2(_extended(context, bits).sub(x, whole(count))), count)


def _nearest(x: Any) -> int:
    return int(gmpy2.context(precision=x.precision).rint(x))


def _expm1(context: Context, x: Value) -> Value:
    if exponent(x) < 0:
        return _same(context, x)
    return MINUS_ONE if x.is_signed() else _exp(context, x)


def _cosh(context: Context, x: Value) -> Value:
    if exponent(x) < 0:
        return add(context, ONE, _absolute(context, x))
    return divide(context, _exp(context, _absolute(context, x)), TWO)


def _sinh(context: Context, x: Value) -> Value:
    if exponent(x) < 0:
        return _same(context, x)
    size = _cosh(context, x)
    return negative(context, size) if x.is_signed() else size


def _log(context: Context, x: Value) -> Value:
    mantissa, power = _parts(x)
    more = _extended(context, _SPARE + power.bit_length())
    shift = more.mul(whole(power), more.const_log2())
    return context.add(more.log(mantissa), shift)


def _logarithm(base: Any) -> WideFunction:
    def log(context: Context, x: Value) -> Value:
        more = _extended(context)
        return context.div(_log(more, x), more.log(base))

    return log


def _erfc(context: Context, x: Value) -> Value:
    if exponent(x) < 0:
        return subtract(context, ONE, x)
    if x.is_signed() or isinstance(x, Wide):
        return TWO if x.is_signed() else ZERO
    # exp(-x^2) / (x sqrt(pi)) (1 - 1 / (2 x^2) + 3 / (2 x^2)^2 - 15 / (2 x^2)^3 + ...)
    more = _extended(context, _SPARE + 2 * x.precision)
    square = multiply(more, x, x)
    if exponent(square) > LARGEST_MAGNITUDE:
        return ZERO
    series = term = ONE
    count = 1
    while exponent(term) > -context.precision - _SPARE:
        term = more.div(more.mul(term, whole(-count)), more.mul(TWO, square))
        series = more.add(series, term)
        count += 2
    tail = more.div(series, more.mul(x, more.sqrt(more.const_pi())))
    return multiply(context, _of(more, "exp", more.minus(square)), tail)


# Functions that are simple near 0 and far from it.


def _ends(small: WideFunction, large: WideFunction) -> WideFunction:
    """Return a function that is `small` near 0 and `large` far from it."""
    return lambda context, x: (large if exponent(x) > 0 else small)(context, x)


def _nan(context: Context, x: Value) -> Value:
    return NAN


def _below_one(context: Context, x: Value) -> Value:
    return subtract(context, ONE, _absolute(context, x))


def _sign(context: Context, x: Value) -> Value:
    return _signed(ONE, x)


def _zero(context: Context, x: Value) -> Value:
    return ZERO


def _half_pi(context: Context, x: Value) -> Value:
    return _scaled(context.const_pi(), -1)


def _signed_half_pi(context: Context, x: Value) -> Value:
    return _signed(_half_pi(context, x), x)


def _asinh(context: Context, x: Value) -> Value:
    return _signed(_log(context, multiply(context, TWO, _absolute(context, x))), x)


def _acosh(context: Context, x: Value) -> Value:
    return NAN if x.is_signed() else _asinh(context, x)


def _erf(context: Context, x: Value) -> Value:
    more = _extended(context)
    return multiply(context, x, more.div(TWO, more.sqrt(more.const_pi())))


def _atan2(context: Context, a: Value, b: Value) -> Value:
    angle = _of(context, "atan", _of(context, "div", a, b))
    return _of(context, "add", angle, _signed(context.const_pi(), a)) if b.is_signed() else angle


def _below(context: Context, x: Value) -> Value:
    """Return the floor of a small number."""
    return MINUS_ONE if x.is_signed() else ZERO


def _above(context: Context, x: Value) -> Value:
    """Return the ceiling of a small number."""
    return ZERO if x.is_signed() else ONE


FUNCTIONS: dict[str, WideFunction] = {
    "add": add,
    "sub": subtract,
    "mul": multiply,
    "div": divide,
    "minus": negative,
    "plus": _same,
    "abs": _absolute,
    "pow": power,
    "sqrt": _sqrt,
    "square": lambda context, x: multiply(context, x, x),
    "hypot": _hypot,
    "exp": _exp,
    "exp2": _exp2,
    "expm1": _expm1,
    "cosh": _cosh,
    "sinh": _sinh,
    "log": _log,
    "log2": _logarithm(TWO),
    "log10": _logarithm(TEN),
    "log1p": _ends(_same, _log),
    "erf": _ends(_erf, _sign),
    "erfc": _erfc,
    "sin": _ends(_same, _nan),
    "cos": _ends(_below_one, _nan),
    "tan": _ends(_same, _nan),
    "asin": _ends(_same, _nan),
    "acos": _ends(_half_pi, _nan),
    "atan": _ends(_same, _signed_half_pi),
    "atan2": _atan2,
    "tanh": _ends(_same, _sign),
    "asinh": _ends(_same, _asinh),
    "acosh": _ends(_nan, _acosh),
    "atanh": _ends(_same, _nan),
    "rint": _ends(_zero, _same),
    "rint_floor": _ends(_below, _same),
    "rint_ceil": _ends(_above, _same),
    "rint_trunc": _ends(_zero, _same),
}

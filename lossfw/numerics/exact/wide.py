"""Numbers with exponents beyond those of MPFR, which mpmath computes.

MPFR ends at 2**(2**30): exp(1e300), which textbook formulas of losses meet, is beyond it. Such
a number is rare, so speed does not matter: `function` calls MPFR, and mpmath, whose exponents
have no end, where MPFR overflows, underflows or is given a `WideExponentNumber`.

Exponents end all the same: with more than 4,096 bits the number is infinite, or 0. Without an
end exp(exp(exp(x))) would not end. (The exponent of exp of the largest float64 has 1,025 bits.)

Imported on use only, since it needs gmpy2 and mpmath.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeAlias

import gmpy2
import mpmath
import numpy as np
from gmpy2 import mpfr

Context: TypeAlias = Any
# An MPFR number or a WideExponentNumber.
Value: TypeAlias = Any
WideFunction: TypeAlias = Callable[..., Value]

# The most bits of an exponent.
LARGEST_MAGNITUDE = 4096

# MPFR's exponents, of gmpy2's contexts.
_LIMIT = gmpy2.context().emax

# Extra bits of intermediate results.
_SPARE = 64

ZERO, ONE, MINUS_ONE, TWO, TEN = (mpfr(n, 53) for n in (0, 1, -1, 2, 10))
INFINITY, NAN = mpfr("inf"), mpfr("nan")

# The type of MPFR's numbers.
MPFR = type(ZERO)

# What MPFR raises where mpmath is wanted: results that its exponents cannot hold, and an
# argument that is a WideExponentNumber.
BEYOND = (gmpy2.OverflowResultError, gmpy2.UnderflowResultError, TypeError)

_ROUNDINGS = {gmpy2.RoundToNearest: "n", gmpy2.RoundAwayZero: "u", gmpy2.RoundToZero: "d"}


class WideExponentNumber:
    """A number of mpmath that is not 0, infinite or NaN, with an exponent beyond MPFR's."""

    __slots__ = ("number",)

    def __init__(self, number: Any) -> None:
        self.number = number

    @property
    def exponent(self) -> int:
        """The e with 2**(e - 1) <= abs(self) < 2**e."""
        return int(self.number.exp + self.number.bc)

    def is_signed(self) -> bool:
        """Tell whether it is below 0."""
        return bool(self.number < 0)

    def is_integer(self) -> bool:
        """Tell whether it is whole: its last bit is far from the point."""
        return self.exponent > 0

    def is_regular(self) -> bool:
        """Return that it is not 0, infinite or NaN."""
        return True

    is_finite = is_regular

    def is_nan(self) -> bool:
        """Return that it is a finite number."""
        return False

    is_infinite = is_nan

    def __hash__(self) -> int:
        return hash(self.number)

    def __reduce__(self) -> Any:
        return _from_parts, whole_mantissa(self)


def _comparison(name: str) -> Any:
    compare = getattr(mpmath.mpf, name)

    def compared(self: WideExponentNumber, other: Any) -> Any:
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        return bool(compare(self.number, to_mpmath(_of_python(other))))

    return compared


for _name in ("__lt__", "__le__", "__gt__", "__ge__", "__eq__"):
    setattr(WideExponentNumber, _name, _comparison(_name))


def _operator(name: str, *, is_reflected: bool = False) -> Any:
    """Return an operator that computes, like MPFR's, in the current context of gmpy2."""

    def operate(self: WideExponentNumber, *other: Any) -> Any:
        if not all(isinstance(x, _OPERANDS) for x in other):
            return NotImplemented
        values = [self, *map(_of_python, other)]
        return FUNCTIONS[name](gmpy2.get_context(), *(values[::-1] if is_reflected else values))

    return operate


def _of_python(x: Any) -> Value:
    """Return a value, or a number of Python or NumPy as one, without rounding."""
    if isinstance(x, WideExponentNumber | MPFR):
        return x
    return mpfr(float(x), 53) if isinstance(x, float | np.floating) else from_integer(int(x))


_OPERANDS = (WideExponentNumber, MPFR, int, float, np.integer, np.floating, np.bool_)

for _name, _function in (("add", "add"), ("sub", "sub"), ("mul", "mul"), ("truediv", "div")):
    setattr(WideExponentNumber, f"__{_name}__", _operator(_function))
    setattr(WideExponentNumber, f"__r{_name}__", _operator(_function, is_reflected=True))
for _name, _function in (("neg", "minus"), ("pos", "plus"), ("abs", "abs")):
    setattr(WideExponentNumber, f"__{_name}__", _operator(_function))


def exponent(x: Value) -> int:
    """Return e with 2**(e - 1) <= abs(x) < 2**e, for an `x` that is not 0, infinite or NaN."""
    return x.exponent if isinstance(x, WideExponentNumber) else int(gmpy2.get_exp(x))


def from_integer(n: int) -> Any:
    """Return an integer as an MPFR number, without rounding."""
    # A precision of 1 stands for the bits that it takes.
    return mpfr(n, 1)


def whole_mantissa(x: Value) -> tuple[int, int]:
    """Return integers with x = mantissa * 2**exponent, of an `x` not 0, infinite or NaN."""
    if isinstance(x, WideExponentNumber):
        return _parts(x.number)
    mantissa, power = x.as_mantissa_exp()
    return int(mantissa), int(power)


def _parts(x: Any) -> tuple[int, int]:
    """Return the same of a number of mpmath."""
    sign, mantissa, power, _ = x._mpf_
    return int(-mantissa if sign else mantissa), int(power)


def _from_parts(mantissa: int, power: int) -> Value:
    return _value(_made(mantissa, power))


def _made(mantissa: int, power: int) -> Any:
    return mpmath.mp.make_mpf(mpmath.libmp.from_man_exp(mantissa, power))


def to_mpmath(x: Value) -> Any:
    """Return a value as a number of mpmath, without rounding."""
    if isinstance(x, WideExponentNumber):
        return x.number
    # By text, since NaN as a float sets a flag of the processor, of which NumPy warns.
    return _made(*whole_mantissa(x)) if x.is_regular() else mpmath.mpf(str(x))


def _value(x: Any) -> Value:
    """Return a number of mpmath, a WideExponentNumber if it must be; NaN for a complex one."""
    if hasattr(x, "_mpc_"):
        return NAN
    if not mpmath.isnormal(x):
        return mpfr(str(x), 53) or ZERO
    mantissa, power = _parts(x)
    last = power + mantissa.bit_length()
    if abs(last) <= _LIMIT:
        number = from_integer(mantissa)
        exactly = gmpy2.context(precision=number.precision)
        return (exactly.mul_2exp if power >= 0 else exactly.div_2exp)(number, abs(power))
    if last.bit_length() <= LARGEST_MAGNITUDE:
        return WideExponentNumber(mpmath.mp.make_mpf(x._mpf_))
    return ZERO if last < 0 else INFINITY if mantissa > 0 else mpfr("-inf")


@functools.cache
def _mpmath(precision: int, rounding: int) -> Any:
    """Return the context of mpmath with the precision and the rounding of one of gmpy2."""
    mp = mpmath.mp.clone()
    # The rounding has a public name from mpmath 1.4 on, which SymPy 1.14, and so PyTorch, forbids.
    mp._prec_rounding[:] = precision, _ROUNDINGS[rounding]
    mp.prec = precision
    return mp


def function(context: Context, name: str) -> Callable[..., Value]:
    """Return a function of a context of gmpy2 that goes beyond MPFR where it must."""
    fast, beyond = getattr(context, name), FUNCTIONS[name]

    def call(*values: Value) -> Value:
        try:
            return fast(*values)
        except BEYOND:
            return beyond(context, *values)

    return call


def _by(compute: Callable[..., Any], *, small: Any = None, large: Any = None) -> WideFunction:
    """Return a function by mpmath; of small, or of large numbers another one."""

    def beyond(context: Context, *values: Value) -> Value:
        first = values[0]
        other = None if not first.is_regular() else large if exponent(first) > 0 else small
        mp = _mpmath(context.precision, context.round)
        return _value((other or compute)(mp, *(mp.convert(to_mpmath(x)) for x in values)))

    return beyond


def _named(name: str, **ends: Any) -> WideFunction:
    return _by(lambda mp, *x: getattr(mp, name)(*x), **ends)


# Ends of functions, near 0 and far from it.


def _itself(mp: Any, x: Any) -> Any:
    return +x


def _nan(mp: Any, x: Any) -> Any:
    return mp.nan


def _log_gamma(mp: Any, x: Any) -> Any:
    # Negative numbers beyond MPFR are integers, where gamma is infinite.
    return mp.loggamma(x) if x > 0 else mp.inf


def _growing(name: str) -> WideFunction:
    """Return exp or a function that is like it: beyond the largest exponents infinite, or 0."""

    def compute(mp: Any, x: Any) -> Any:
        if mp.isnormal(x) and x.exp + x.bc > LARGEST_MAGNITUDE:
            ends = {"expm1": -1, "sinh": -mp.inf, "cosh": mp.inf}
            return mp.inf if x > 0 else mp.mpf(ends.get(name, 0))
        if name == "exp2":
            return mp.mpf(2) ** x
        if mp.isint(x):
            # Of an integer mpmath would multiply e with itself, in a hundred times the time.
            x = mp.fadd(x, mp.ldexp(1, -mp.prec - _SPARE), exact=True)
        return getattr(mp, name)(x)

    return _by(compute)


def _power(context: Context, a: Value, b: Value) -> Value:
    """Return a**b."""
    if not (a.is_regular() and b.is_regular()):
        # What matters beside 0, infinity and NaN: the sign, the side of 1, whole and even.
        a, b = (_representative(x) if isinstance(x, WideExponentNumber) else x for x in (a, b))
        return context.pow(a, b)
    if a.is_signed() and not b.is_integer():
        return NAN
    # exp multiplies the error of its argument by the argument's size.
    extra = min(max(exponent(b), 0) + abs(exponent(a)).bit_length(), LARGEST_MAGNITUDE)
    more = gmpy2.context(context, precision=context.precision + _SPARE + extra)
    log, multiply = function(more, "log"), function(more, "mul")
    size = function(context, "exp")(multiply(b, log(function(more, "abs")(a))))
    # A larger number is even, and has too many digits to be looked at.
    odd = not isinstance(b, WideExponentNumber) and exponent(b) <= b.precision and int(b) % 2
    return FUNCTIONS["minus"](context, size) if a.is_signed() and odd else size


def _representative(x: WideExponentNumber) -> Any:
    """Return an MPFR number that is like a WideExponentNumber."""
    return _value(_made(-1 if x.is_signed() else 1, (_LIMIT if x.exponent > 0 else -_LIMIT) // 2))


# Beyond 2 to this power, and below its inverse, the first term of a series has all digits.
_FAR_SIZE = 10_000


@functools.cache
def polygamma(order: int) -> WideFunction:
    """Return digamma for the order 0, or a derivative of it, which MPFR has not."""

    def compute(mp: Any, x: Any) -> Any:
        size = x.exp + x.bc
        if size > _FAR_SIZE:
            return mp.log(x) if order == 0 else (-1) ** (order + 1) * mp.gamma(order) / x**order
        if size < -_FAR_SIZE:
            return (-1) ** (order + 1) * mp.factorial(order) / x ** (order + 1)
        return mp.psi(order, x)

    return _by(compute)


FUNCTIONS: dict[str, WideFunction] = {
    "add": _by(lambda mp, a, b: a + b),
    "sub": _by(lambda mp, a, b: a - b),
    "mul": _by(lambda mp, a, b: a * b),
    "div": _by(lambda mp, a, b: a / b if b else mp.inf * a),
    "minus": _by(lambda mp, x: -x),
    "plus": _by(_itself),
    "abs": _by(lambda mp, x: abs(x)),
    "pow": _power,
    "square": _by(lambda mp, x: x * x),
    "log2": _by(lambda mp, x: mp.log(x, 2)),
    "log10": _by(lambda mp, x: mp.log(x, 10)),
    **{name: _growing(name) for name in ("exp", "exp2", "expm1", "cosh", "sinh")},
    **{name: _named(name) for name in ("sqrt", "hypot", "log", "log1p", "atan", "atan2", "asinh")},
    **{name: _named(name, large=_nan) for name in ("sin", "cos", "tan", "asin", "acos", "atanh")},
    **{name: _named(name, large=lambda mp, x: mp.sign(x)) for name in ("tanh", "erf")},
    "acosh": _named("acosh", small=_nan),
    "erfc": _by(lambda mp, x: mp.erfc(x) if x < mp.mpf(2) ** LARGEST_MAGNITUDE else mp.zero),
    "lngamma": _by(_log_gamma, small=lambda mp, x: -mp.log(x) if x > 0 else mp.nan),
    "rint": _named("nint", large=_itself),
    **{f"rint_{name}": _named(name, large=_itself) for name in ("floor", "ceil")},
    "rint_trunc": _by(lambda mp, x: mp.zero, large=_itself),
}

"""Elementary functions of many digits, with the special cases of floats.

They call mpmath's low-level functions on its tuples (sign, mantissa, exponent, bits). Where
these raise, the result is that of floats: a division by zero is infinite and the logarithm
of a negative number is NaN. Exponents have no bound, so exp(1e300) is a finite number. There
is no negative zero.

Imported on use only, since it needs mpmath.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from mpmath import libmp
from mpmath.libmp import finf, fnan, fninf, fnone, fone, fzero

Raw: TypeAlias = Any
ExactFunction: TypeAlias = Callable[[Raw, int, str], Raw]

# The exponential of a number of more bits than this before the point is infinite, or 0. (The
# square of the largest float64 has 2,048.) Without a bound exp(exp(exp(x))) would not end.
_LARGEST_MAGNITUDE = 4096

# From here on erfc(x) is exp(-x^2) / (x sqrt(pi)) up to a factor of 1 - 1e-240;
# mpmath's own function overflows soon after.
_ERFC_MAGNITUDE = 400

# Extra bits of intermediate results.
_SPARE = 20


def magnitude(x: Raw) -> int:
    """Return the number of bits before the point, negative for small numbers."""
    return int(x[2] + x[3])


def is_special(x: Raw) -> bool:
    """Tell whether a number is infinite or NaN."""
    return not x[1] and x != fzero


def divide(a: Raw, b: Raw, precision: int, rounding: str) -> Raw:
    """Return a / b; infinite for b = 0, NaN for 0 / 0."""
    if b == fzero:
        return libmp.mpf_mul(a, finf)
    return libmp.mpf_div(a, b, precision, rounding)


def power(a: Raw, b: Raw, precision: int, rounding: str) -> Raw:
    """Return a**b as for floats: NaN for a negative base with a fractional exponent."""
    if b == fzero or a == fone:
        return fone
    if a == fnan or b == fnan:
        return fnan
    if is_special(b):
        return _infinite_power(a, b)
    whole = b[2] >= 0
    if whole and magnitude(b) <= precision and not is_special(a) and a != fzero:
        return libmp.mpf_pow_int(a, libmp.to_int(b), precision, rounding)
    odd = whole and b[2] == 0
    if a == fzero:
        return finf if b[0] else fzero
    if b[2] == -1 and magnitude(b) <= precision and not a[0] and not is_special(a):
        root = libmp.mpf_sqrt(a, precision + _SPARE, rounding)
        return libmp.mpf_pow_int(root, libmp.to_int(libmp.mpf_shift(b, 1)), precision, rounding)
    if a[0] and not whole and a != fninf:
        return fnan
    positive = libmp.mpf_abs(a)
    if is_special(positive):
        size = fzero if b[0] else finf
    else:
        # exp multiplies the error of its argument by the argument's size.
        extra = precision + _SPARE + max(0, magnitude(b)) + abs(magnitude(a)).bit_length()
        exponent = libmp.mpf_mul(b, libmp.mpf_log(positive, extra, "n"), extra, "n")
        size = exp(exponent, precision, rounding)
    return libmp.mpf_neg(size) if a[0] and odd else size


def _infinite_power(a: Raw, b: Raw) -> Raw:
    size = libmp.mpf_cmp(libmp.mpf_abs(a), fone)
    if size == 0:
        return fone
    return finf if (size > 0) == (b == finf) else fzero


def exp(x: Raw, precision: int, rounding: str) -> Raw:
    """Return exp(x), infinite or 0 beyond the bound."""
    if x[1] and magnitude(x) > _LARGEST_MAGNITUDE:
        return fzero if x[0] else finf
    return libmp.mpf_exp(x, precision, rounding)


def expm1(x: Raw, precision: int, rounding: str) -> Raw:
    """Return exp(x) - 1 with all its digits."""
    if is_special(x) or x == fzero:
        return fnone if x == fninf else x
    small = -magnitude(x)
    if small > precision + _SPARE:
        return libmp.mpf_perturb(x, 0, precision, rounding)
    # Enough bits for x^2 / 2, whose sign decides the rounding.
    e = exp(x, precision + _SPARE + 2 * max(0, small), rounding)
    return libmp.mpf_sub(e, fone, precision, rounding)


def log(x: Raw, precision: int, rounding: str) -> Raw:
    """Return log(x); NaN below 0."""
    return fnan if x[0] or x == fninf else libmp.mpf_log(x, precision, rounding)


def log1p(x: Raw, precision: int, rounding: str) -> Raw:
    """Return log(1 + x) with all its digits."""
    if is_special(x) or x == fzero:
        return fnan if x == fninf else x
    if magnitude(x) < -precision - _SPARE:
        return libmp.mpf_perturb(x, 1, precision, rounding)
    if magnitude(x) > precision + x[3]:
        return log(x, precision, rounding)
    # The sum is exact.
    return log(libmp.mpf_add(fone, x), precision, rounding)


def sqrt(x: Raw, precision: int, rounding: str) -> Raw:
    """Return the square root; NaN below 0."""
    return fnan if x[0] or x == fninf else libmp.mpf_sqrt(x, precision, rounding)


def sign(x: Raw, precision: int, rounding: str) -> Raw:
    """Return -1, 0 or 1; NaN for NaN."""
    return x if x in (fnan, fzero) else fnone if libmp.mpf_sign(x) < 0 else fone


def truncate(x: Raw, precision: int, rounding: str) -> Raw:
    """Return the whole part."""
    return libmp.mpf_ceil(x) if x[0] else libmp.mpf_floor(x)


def erfc(x: Raw, precision: int, rounding: str) -> Raw:
    """Return the complementary error function, with the digits of its tail."""
    if x[0] or is_special(x) or magnitude(x) <= _ERFC_MAGNITUDE:
        return libmp.mpf_erfc(x, precision, rounding)
    extra = precision + _SPARE
    e = exp(libmp.mpf_neg(libmp.mpf_mul(x, x)), extra, rounding)
    root = libmp.mpf_sqrt(libmp.mpf_pi(extra), extra)
    return libmp.mpf_div(e, libmp.mpf_mul(x, root, extra), precision, rounding)


def _bounded(function: ExactFunction, beyond: Callable[[Raw], Raw]) -> ExactFunction:
    """Return a function with a stated value for arguments beyond the bound."""

    def call(x: Raw, precision: int, rounding: str) -> Raw:
        if x[1] and magnitude(x) > _LARGEST_MAGNITUDE:
            return beyond(x)
        return function(x, precision, rounding)

    return call


def _real(function: ExactFunction) -> ExactFunction:
    """Return a function that is NaN where mpmath's is complex."""

    def call(x: Raw, precision: int, rounding: str) -> Raw:
        try:
            return fnan if x == fnan else function(x, precision, rounding)
        except libmp.ComplexResult:
            return fnan

    return call


def _logarithm(base: Raw) -> ExactFunction:
    def call(x: Raw, precision: int, rounding: str) -> Raw:
        extra = precision + _SPARE
        return libmp.mpf_div(log(x, extra, "n"), log(base, extra, "n"), precision, rounding)

    return call


def _whole(function: Callable[..., Raw]) -> ExactFunction:
    return lambda x, precision, rounding: function(x)


UNARY: dict[str, ExactFunction] = {
    "exp": exp,
    "exp2": lambda x, precision, rounding: power(libmp.ftwo, x, precision, rounding),
    "expm1": expm1,
    "log": log,
    "log1p": log1p,
    "log2": _logarithm(libmp.ftwo),
    "log10": _logarithm(libmp.ften),
    "sqrt": sqrt,
    "square": lambda x, precision, rounding: libmp.mpf_mul(x, x, precision, rounding),
    "reciprocal": lambda x, precision, rounding: divide(fone, x, precision, rounding),
    "sign": sign,
    "floor": _whole(libmp.mpf_floor),
    "ceil": _whole(libmp.mpf_ceil),
    "round": _whole(libmp.mpf_nint),
    "trunc": truncate,
    "sin": _bounded(libmp.mpf_sin, lambda x: fnan),
    "cos": _bounded(libmp.mpf_cos, lambda x: fnan),
    "tan": _bounded(libmp.mpf_tan, lambda x: fnan),
    "sinh": _bounded(libmp.mpf_sinh, lambda x: fninf if x[0] else finf),
    "cosh": _bounded(libmp.mpf_cosh, lambda x: finf),
    "tanh": _bounded(libmp.mpf_tanh, lambda x: fnone if x[0] else fone),
    "asin": _real(libmp.mpf_asin),
    "acos": _real(libmp.mpf_acos),
    "atan": libmp.mpf_atan,
    "asinh": libmp.mpf_asinh,
    "acosh": _real(libmp.mpf_acosh),
    "atanh": _real(libmp.mpf_atanh),
    "erf": libmp.mpf_erf,
    "erfc": erfc,
}


def hypot(a: Raw, b: Raw, precision: int, rounding: str) -> Raw:
    """Return sqrt(a^2 + b^2)."""
    if finf in (libmp.mpf_abs(a), libmp.mpf_abs(b)):
        return finf
    squares = (libmp.mpf_mul(a, a), libmp.mpf_mul(b, b))
    total = libmp.mpf_add(*squares, precision + _SPARE, rounding)
    return sqrt(total, precision, rounding)


def logaddexp(a: Raw, b: Raw, precision: int, rounding: str) -> Raw:
    """Return log(exp(a) + exp(b))."""
    if fnan in (a, b):
        return fnan
    high, low = (a, b) if libmp.mpf_ge(a, b) else (b, a)
    if is_special(high) or low == fninf:
        return high
    extra = precision + _SPARE
    rest = log1p(exp(libmp.mpf_sub(low, high), extra, rounding), extra, rounding)
    return libmp.mpf_add(high, rest, precision, rounding)


def larger(a: Raw, b: Raw, precision: int, rounding: str) -> Raw:
    """Return the larger; NaN if either is."""
    return fnan if fnan in (a, b) else a if libmp.mpf_ge(a, b) else b


def smaller(a: Raw, b: Raw, precision: int, rounding: str) -> Raw:
    """Return the smaller; NaN if either is."""
    return fnan if fnan in (a, b) else a if libmp.mpf_le(a, b) else b


BINARY: dict[str, Callable[[Raw, Raw, int, str], Raw]] = {
    "hypot": hypot,
    "logaddexp": logaddexp,
    "maximum": larger,
    "minimum": smaller,
    "atan2": libmp.mpf_atan2,
}


CONSTANTS: dict[str, Callable[[int, str], Raw]] = {"pi": libmp.mpf_pi, "e": libmp.mpf_e}

TESTS: dict[str, Callable[[Raw], bool]] = {
    "isnan": lambda x: bool(x == fnan),
    "isinf": lambda x: x in (finf, fninf),
    "isfinite": lambda x: not is_special(x),
    "signbit": lambda x: libmp.mpf_sign(x) < 0,
}

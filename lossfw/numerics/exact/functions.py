"""Elementary functions of many digits, with the special cases of floats.

They are MPFR's, correctly rounded, called through a context of gmpy2 that fixes precision and
rounding; gmpy2's current context is neither read nor changed. As for floats 1 / 0 is infinite
and the logarithm of a negative number is NaN. Where an exponent is beyond MPFR's, the functions
of `lossfw.numerics.exact.wide` are called.

Imported on use only, since it needs gmpy2 and mpmath.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from operator import methodcaller
from typing import Any, TypeAlias

import gmpy2

from lossfw.numerics.exact.wide import (
    LARGEST_MAGNITUDE,
    MINUS_ONE,
    NAN,
    ONE,
    TWO,
    ZERO,
    Context,
    Value,
    function,
    polygamma,
)

ValueFunction: TypeAlias = Callable[..., Value]

_ROUNDINGS = {
    "n": gmpy2.RoundToNearest,
    "u": gmpy2.RoundAwayZero,
    "d": gmpy2.RoundToZero,
}

# Extra bits of intermediate results.
_SPARE = 64

# So many results of each function are kept: a body asks for the same ones for every class by
# which its rows are differentiated, and again in the next check.
_KEPT_RESULTS = 2048

# Sine, cosine and tangent of a larger number are NaN: they would need pi to as many bits.
_LARGEST_ANGLE = gmpy2.context().pow(TWO, LARGEST_MAGNITUDE)
_SMALLEST_ANGLE = gmpy2.context().minus(_LARGEST_ANGLE)


@functools.cache
def context(precision: int, rounding: str) -> Context:
    """Return the context of gmpy2 of a precision in bits and a rounding, "n", "u" or "d"."""
    return gmpy2.context(
        precision=precision,
        round=_ROUNDINGS[rounding],
        # Where a result is out of range, `wide` computes it.
        trap_overflow=True,
        trap_underflow=True,
    )


def remembering(compute: ValueFunction) -> ValueFunction:
    """Return a function that remembers its last results; for one that costs microseconds."""
    return functools.lru_cache(_KEPT_RESULTS)(compute)


def power(c: Context) -> ValueFunction:
    """Return a**b with the precision and rounding of a context, within MPFR's exponents."""
    more = gmpy2.context(c, precision=c.precision + _SPARE)

    def compute(a: Value, b: Value) -> Value:
        twice = c.mul(b, TWO)
        if b.is_integer() or not twice.is_integer() or not a > ZERO:
            return c.pow(a, b)
        # By the root it is 20 times faster, and exponents like 1.5 are frequent.
        return c.plus(more.pow(more.sqrt(a), twice))

    return remembering(compute)


def _periodic(c: Context, name: str) -> ValueFunction:
    compute = remembering(function(c, name))
    return lambda x: compute(x) if _SMALLEST_ANGLE < x < _LARGEST_ANGLE else NAN


@functools.cache
def polygamma_of(precision: int, rounding: str, order: int) -> ValueFunction:
    """Return digamma or a derivative of it for a precision and a rounding."""
    c, compute = context(precision, rounding), polygamma(order)
    return remembering(lambda x: compute(c, x))


def _sign(x: Value) -> Value:
    return ONE if x > ZERO else MINUS_ONE if x < ZERO else x


def unary(precision: int, rounding: str) -> dict[str, ValueFunction]:
    """Return the functions of one number by their names in the array API."""
    c = context(precision, rounding)
    own = (
        *("exp", "exp2", "expm1", "log", "log1p", "log2", "log10"),
        *("asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh"),
        *("erf", "erfc"),
    )
    divide = function(c, "div")
    return {
        **{name: remembering(function(c, name)) for name in own},
        **{name: _periodic(c, name) for name in ("sin", "cos", "tan")},
        **{name: function(c, name) for name in ("sqrt", "square")},
        **{name: function(c, f"rint_{name}") for name in ("floor", "ceil", "trunc")},
        # Ties to even, whatever the rounding of results.
        "round": function(context(precision, "n"), "rint"),
        "reciprocal": lambda x: divide(ONE, x),
        "sign": _sign,
        "lgamma": remembering(function(c, "lngamma")),
    }


def _larger(a: Value, b: Value) -> Value:
    """Return the larger; NaN if either is."""
    return a if a >= b or a.is_nan() else b


def _smaller(a: Value, b: Value) -> Value:
    """Return the smaller; NaN if either is."""
    return a if a <= b or a.is_nan() else b


def _logaddexp(precision: int, rounding: str) -> ValueFunction:
    add = function(context(precision, rounding), "add")
    more = context(precision + _SPARE, rounding)
    minus, exp, log1p = (function(more, name) for name in ("sub", "exp", "log1p"))

    def logaddexp(a: Value, b: Value) -> Value:
        high, low = _larger(a, b), _smaller(a, b)
        if high.is_nan() or high.is_infinite() or low.is_infinite():
            return high
        return add(high, log1p(exp(minus(low, high))))

    return logaddexp


def binary(precision: int, rounding: str) -> dict[str, ValueFunction]:
    """Return the functions of two numbers."""
    c = context(precision, rounding)
    return {
        "hypot": function(c, "hypot"),
        "logaddexp": _logaddexp(precision, rounding),
        "maximum": _larger,
        "minimum": _smaller,
        "atan2": function(c, "atan2"),
    }


def constants(precision: int, rounding: str) -> dict[str, Value]:
    """Return pi and e."""
    c = context(precision, rounding)
    return {"pi": c.const_pi(), "e": c.exp(ONE)}


TESTS: dict[str, Callable[[Any], bool]] = {
    "isnan": methodcaller("is_nan"),
    "isinf": methodcaller("is_infinite"),
    "isfinite": methodcaller("is_finite"),
    "signbit": lambda x: bool(x < ZERO),
}

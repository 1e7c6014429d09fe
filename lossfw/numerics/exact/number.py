"""Number: one exact number, with its precision and rounding in its type.

Each precision and rounding has a class of its own, made once. Its operators call MPFR through a
context of gmpy2 that only they know, so gmpy2's current context is neither read nor changed, and
a result that has left the function that made it keeps its digits.

Imported on use only, since it needs gmpy2 and mpmath.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable
from typing import Any

import gmpy2
import numpy as np

from lossfw.numerics.exact import wide
from lossfw.numerics.exact.functions import context, power
from lossfw.numerics.exact.wide import BEYOND, FUNCTIONS, ZERO, Value, WideExponentNumber

# Twenty digits are enough for display.
_SHOWN_DIGITS = 20

# Below 1e-4 a number is written with an exponent, as Python writes it.
_LEAST_FIXED = -4

# Floats are taken in with it, without rounding.
_FLOATS = gmpy2.context(precision=53)

# The integers that a formula is full of.
_SMALL: dict[Any, Value] = {n: wide.from_integer(n) for n in range(-16, 17)}


def environment(precision: int, lowest: int, highest: int) -> Any:
    """Return a float format as a context of gmpy2.

    The smallest subnormal is 2**lowest; every float is below 2**highest.
    """
    # The exponents of MPFR belong to a mantissa in [1/2, 1).
    return gmpy2.context(precision=precision, emin=lowest + 1, emax=highest, subnormalize=True)


_FLOAT64 = environment(53, -1074, 1024)


class Number:
    """A real number of many digits, without a negative zero; `number_type` makes its classes."""

    __slots__ = ("value",)

    def __init__(self, value: Value) -> None:
        self.value = value or ZERO

    @property
    def exponent(self) -> int:
        """The e with 2**(e - 1) <= abs(self) < 2**e; the number must be regular."""
        return wide.exponent(self.value)

    @property
    def is_regular(self) -> bool:
        """Whether it is not 0, infinite or NaN."""
        return bool(self.value.is_regular())

    @property
    def is_nan(self) -> bool:
        """Whether it is NaN."""
        return bool(self.value.is_nan())

    def _mpmath_(self, precision: int, rounding: str) -> Any:
        """Return the number without rounding, for functions of mpmath, which ask by this name."""
        return wide.to_mpmath(self.value)

    def __bool__(self) -> bool:
        return bool(self.value)

    def __float__(self) -> float:
        return to_format(self.value, _FLOAT64)

    def __int__(self) -> int:
        if isinstance(self.value, WideExponentNumber):
            if self.value.exponent > 0:
                raise OverflowError(f"{self!r} has too many digits for an integer")
            return 0
        return int(self.value)

    def __repr__(self) -> str:
        return self.text(_SHOWN_DIGITS)

    def text(self, digits: int) -> str:
        """Return decimal text with so many digits."""
        if isinstance(self.value, WideExponentNumber):
            # Its decimal exponent would fill a page.
            magnitude = _decimal_text(to_value(self.value.exponent), 6)
            return f"{'-' if self.value.is_signed() else ''}2**{magnitude}"
        return _decimal_text(self.value, digits)


def _decimal_text(x: Any, digits: int) -> str:
    """Return text without zeros at the end, with an exponent from 10**digits on and below 1e-4.

    mpmath would round ties up.
    """
    if not x.is_regular():
        return "0.0" if x.is_zero() else "nan" if x.is_nan() else "-inf" if x < 0 else "inf"
    # To the nearest, whatever the current context of gmpy2 says. Some releases format "e" wrongly.
    with gmpy2.context(round=gmpy2.RoundToNearest):
        mantissa, point, _ = x.digits(10, digits)
    figures = mantissa.lstrip("-").rstrip("0")
    power = point - 1
    if not _LEAST_FIXED <= power < digits:
        text = f"{figures[0]}.{figures[1:] or '0'}e{power:+d}"
    elif power < 0:
        text = f"0.{'0' * (-power - 1)}{figures}"
    else:
        text = f"{figures[:point].ljust(point, '0')}.{figures[point:] or '0'}"
    return "-" + text if x < 0 else text


def to_format(value: Value, layout: Any) -> float:
    """Return a value rounded to a float format, given as a context of gmpy2."""
    if isinstance(value, WideExponentNumber):
        return 0.0 if value.exponent < 0 else -math.inf if value.is_signed() else math.inf
    # In place of a negative zero, 0.
    return float(layout.plus(value)) or 0.0


# The types that a Number operates with; the operators of other types decide themselves.
_OPERANDS = (Number, int, float, np.integer, np.floating, np.bool_)


# Its integers, as a tuple: a union of types would be made anew in each call.
_INTEGERS = (int, np.integer, np.bool_)


def to_value(value: Any) -> Value:
    """Return a number, a NumPy scalar or a Number as what a Number holds, without rounding."""
    if isinstance(value, Number):
        return value.value
    if not isinstance(value, _INTEGERS):
        return _FLOATS.plus(float(value)) or ZERO
    small = _SMALL.get(value)
    return wide.from_integer(int(value)) if small is None else small


def _restored(precision: int, rounding: str, value: Value) -> Any:
    """Return a number that was pickled."""
    return number_type(precision, rounding)(value)


@functools.cache
def number_type(precision: int, rounding: str = "n") -> Any:
    """Return the class of numbers with so many bits.

    A rounding is "n" to the nearest, "u" away from zero, "d" towards zero.
    """
    rules = context(precision, rounding)

    def forward(name: str) -> Any:
        compute = power(rules) if name == "pow" else getattr(rules, name)
        beyond = FUNCTIONS[name]

        def operate(self: Any, other: Any) -> Any:
            # Nearly always it is, and only this is a matter of nanoseconds.
            if type(other) is Fixed:
                value = other.value
            elif isinstance(other, _OPERANDS):
                value = to_value(other)
            else:
                return NotImplemented
            try:
                return Fixed(compute(self.value, value))
            except BEYOND:
                return Fixed(beyond(rules, self.value, value))

        return operate

    def backward(name: str) -> Any:
        compute = wide.function(rules, name)

        def reflected(self: Any, other: Any) -> Any:
            if not isinstance(other, _OPERANDS):
                return NotImplemented
            return Fixed(compute(to_value(other), self.value))

        return reflected

    def comparison(compare: Callable[[Any, Any], bool]) -> Any:
        def operate(self: Any, other: Any) -> Any:
            if type(other) is Fixed:
                return compare(self.value, other.value)
            if not isinstance(other, _OPERANDS):
                return NotImplemented
            return compare(self.value, to_value(other))

        return operate

    def own(name: str) -> Any:
        compute = wide.function(rules, name)
        return lambda self: Fixed(compute(self.value))

    class Fixed(Number):
        """A Number of this precision and rounding; unary plus rounds to them."""

        __slots__ = ()

        __add__, __radd__ = forward("add"), backward("add")
        __sub__, __rsub__ = forward("sub"), backward("sub")
        __mul__, __rmul__ = forward("mul"), backward("mul")
        __truediv__, __rtruediv__ = forward("div"), backward("div")
        __pow__, __rpow__ = forward("pow"), backward("pow")
        __lt__, __le__ = comparison(operator.lt), comparison(operator.le)
        __gt__, __ge__ = comparison(operator.gt), comparison(operator.ge)
        __eq__, __ne__ = comparison(operator.eq), comparison(operator.ne)
        __neg__, __pos__, __abs__ = own("minus"), own("plus"), own("abs")

        def __hash__(self) -> int:
            return hash(self.value)

        def __reduce__(self) -> Any:
            return _restored, (precision, rounding, self.value)

    return Fixed

"""Number: one exact number, which computes with its digits and compares like floats.

It is a ball of Arb with the number of bits of its operations. The precision that other code sets in
python-flint is neither read nor changed. It compares by its middle, and has no negative zero.

Imported on use only, since it needs python-flint.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from flint import arb

from lossfw.numerics.exact.functions import (
    Ball,
    divide,
    equal,
    is_infinite,
    less,
    less_equal,
    power,
    precision,
    to_ball,
)

# Twenty digits are enough for display.
_SHOWN_DIGITS = 20

# Below 1e-4 a number is written with an exponent, as Python writes it.
_LEAST_FIXED = -4

# A decimal exponent of more bits would fill a page, and is one of 2.
_LARGEST_SHOWN = 2**30


def exponent(x: Ball) -> int:
    """Return e with 2**(e - 1) <= abs(x) < 2**e for a ball's middle, which is not 0."""
    mantissa, shift = x.mid().man_exp()
    return int(abs(mantissa)).bit_length() + int(shift)


# The types that a Number operates with; the operators of other types decide themselves.
_OPERANDS = (int, float, np.integer, np.floating, np.bool_)


def _operators(compute: Callable[[Ball, Ball], Ball]) -> tuple[Any, Any]:
    """Return an operator of two numbers, and the one of swapped operands."""

    def forward(self: Number, other: Any) -> Any:
        if not isinstance(other, (Number, *_OPERANDS)):
            return NotImplemented
        bits = max(self.bits, other.bits) if isinstance(other, Number) else self.bits
        with precision(bits):
            return Number(compute(self.value, to_ball(other)), bits)

    def backward(self: Number, other: Any) -> Any:
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        with precision(self.bits):
            return Number(compute(to_ball(other), self.value), self.bits)

    return forward, backward


def _comparison(compare: Callable[[Ball, Ball], bool]) -> Any:
    def operate(self: Number, other: Any) -> Any:
        if not isinstance(other, (Number, *_OPERANDS)):
            return NotImplemented
        return compare(self.value, to_ball(other))

    return operate


def _unary_operator(compute: Callable[[Ball], Ball]) -> Any:
    def operate(self: Number) -> Number:
        with precision(self.bits):
            return Number(compute(self.value), self.bits)

    return operate


class Number:
    """A real number of many digits."""

    __slots__ = ("bits", "value")

    def __init__(self, value: Ball, bits: int) -> None:
        self.value, self.bits = value, bits

    __add__, __radd__ = _operators(operator.add)
    __sub__, __rsub__ = _operators(operator.sub)
    __mul__, __rmul__ = _operators(operator.mul)
    __truediv__, __rtruediv__ = _operators(divide)
    __pow__, __rpow__ = _operators(power)
    __lt__, __le__ = _comparison(less), _comparison(less_equal)
    __gt__, __ge__ = (
        _comparison(lambda a, b: less(b, a)),
        _comparison(lambda a, b: less_equal(b, a)),
    )
    __eq__, __ne__ = _comparison(equal), _comparison(lambda a, b: not equal(a, b))
    __neg__, __pos__ = _unary_operator(operator.neg), _unary_operator(operator.pos)
    __abs__ = _unary_operator(abs)

    def __bool__(self) -> bool:
        return not self.value.mid().is_zero()

    def __float__(self) -> float:
        # In place of a negative zero, 0. What is unknown is NaN.
        return float(self.value) or 0.0 if self.value.is_finite() or self._is_infinite else math.nan

    def __int__(self) -> int:
        if not self.value.is_finite():
            return int(float(self))
        if self and exponent(self.value) > _LARGEST_SHOWN:
            raise OverflowError(f"{self!r} has too many digits for an integer")
        mantissa, shift = map(int, self.value.mid().man_exp())
        size = abs(mantissa) << shift if shift >= 0 else abs(mantissa) >> -shift
        return -size if mantissa < 0 else size

    @property
    def _is_infinite(self) -> bool:
        return is_infinite(self.value)

    def __hash__(self) -> int:
        return hash(float(self))

    def __reduce__(self) -> Any:
        if not self.value.is_finite():
            return _number_from_float, (float(self), self.bits)
        return _number_from_parts, (*map(int, self.value.mid().man_exp()), self.bits)

    def __repr__(self) -> str:
        return self.text(_SHOWN_DIGITS)

    def _mpmath_(self, precision: int, rounding: str) -> Any:
        """Return the number without rounding, for functions of mpmath, which ask by this name."""
        import mpmath

        return mpmath.mpf(self.value.mid() if self.value.is_finite() else float(self))

    def text(self, digits: int) -> str:
        """Return decimal text with a number of digits, with an exponent where Python uses one."""
        if not self.value.is_finite() or not self:
            return repr(float(self))
        last = exponent(self.value)
        if abs(last) > _LARGEST_SHOWN:
            sign = "-" if self.value.mid() < 0 else ""
            return f"{sign}2**{Number(arb(last), self.bits).text(6)}"
        return _decimal(self.value.mid(), digits)


def _decimal(x: Ball, digits: int) -> str:
    """Return text without zeros at the end, with an exponent from 10**digits on and below 1e-4."""
    text = x.str(digits, radius=False).lstrip("-")
    mantissa, _, tens = text.partition("e")
    whole, _, rest = mantissa.partition(".")
    # The first figure stands for so many tens, if zeros are taken off the front.
    figures = (whole + rest).lstrip("0")
    place = int(tens or 0) + len(whole) - 1 - (len(whole + rest) - len(figures))
    figures = figures.rstrip("0")
    if not _LEAST_FIXED <= place < digits:
        text = f"{figures[0]}.{figures[1:] or '0'}e{place:+d}"
    elif place < 0:
        text = f"0.{'0' * (-place - 1)}{figures}"
    else:
        whole, rest = figures[: place + 1].ljust(place + 1, "0"), figures[place + 1 :]
        text = f"{whole}.{rest or '0'}"
    return "-" + text if x < 0 else text


def _number_from_float(x: float, bits: int) -> Number:
    return Number(arb(x), bits)


def _number_from_parts(mantissa: int, shift: int, bits: int) -> Number:
    return Number(arb((mantissa, shift)), bits)

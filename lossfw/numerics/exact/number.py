"""Number: one exact number, with its precision and rounding in its type.

Each precision and rounding has a class of its own, made once, and the global settings of
mpmath are neither read nor changed. Imported on use only, since it needs mpmath.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from mpmath import libmp

from lossfw.numerics.exact.functions import Raw, divide, is_special, magnitude, power

# A number with more bits before the point, or zeros after it, is shown by its magnitude only:
# its decimal exponent would fill a page.
_SHOWN_MAGNITUDE = 10**9


class Number:
    """A real number of many digits; `number_type` makes its classes.

    The only attribute is mpmath's tuple, under the name that mpmath's own functions use, so
    they accept a Number.
    """

    __slots__ = ("_mpf_",)

    def __init__(self, raw: Raw) -> None:
        self._mpf_ = raw

    def __bool__(self) -> bool:
        return bool(self._mpf_ != libmp.fzero)

    def __float__(self) -> float:
        return float(libmp.to_float(self._mpf_, rnd="n"))

    def __int__(self) -> int:
        return int(libmp.to_int(self._mpf_))

    def __repr__(self) -> str:
        if abs(magnitude(self._mpf_)) > _SHOWN_MAGNITUDE and not is_special(self._mpf_):
            power = libmp.to_str(libmp.from_int(magnitude(self._mpf_)), 6)
            return f"{'-' if self._mpf_[0] else ''}2**{power}"
        # Twenty digits are enough for display.
        return str(libmp.to_str(self._mpf_, 20))


# The types that a Number operates with; the operators of other types decide themselves.
_OPERANDS = (Number, int, float, np.integer, np.floating, np.bool_)


# Its integers, as a tuple: a union of types would be made anew in each call.
_INTEGERS = (int, np.integer, np.bool_)


def to_raw(value: Any) -> Raw:
    """Return a number, a NumPy scalar or a Number as mpmath's tuple, without rounding."""
    if isinstance(value, Number):
        return value._mpf_
    if isinstance(value, _INTEGERS):
        return libmp.from_int(int(value))
    return libmp.from_float(float(value))


def _restored(precision: int, rounding: str, raw: Raw) -> Any:
    """Return a number that was pickled."""
    return number_type(precision, rounding)(raw)


@functools.cache
def number_type(precision: int, rounding: str = "n") -> Any:
    """Return the class of numbers with so many bits.

    Parameters
    ----------
    precision : int
        Bits of the mantissa.
    rounding : str
        "n" to the nearest, "u" away from zero, "d" towards zero.
    """

    def forward(function: Callable[[Raw, Raw, int, str], Raw]) -> Any:
        def operator(self: Any, other: Any) -> Any:
            # Nearly always it is, and only this is a matter of nanoseconds.
            if type(other) is Fixed:
                return Fixed(function(self._mpf_, other._mpf_, precision, rounding))
            if not isinstance(other, _OPERANDS):
                return NotImplemented
            return Fixed(function(self._mpf_, to_raw(other), precision, rounding))

        return operator

    def backward(function: Callable[[Raw, Raw, int, str], Raw]) -> Any:
        def operator(self: Any, other: Any) -> Any:
            if not isinstance(other, _OPERANDS):
                return NotImplemented
            return Fixed(function(to_raw(other), self._mpf_, precision, rounding))

        return operator

    def comparison(function: Callable[[Raw, Raw], bool]) -> Any:
        def operator(self: Any, other: Any) -> Any:
            if type(other) is Fixed:
                return function(self._mpf_, other._mpf_)
            if not isinstance(other, _OPERANDS):
                return NotImplemented
            return function(self._mpf_, to_raw(other))

        return operator

    class Fixed(Number):
        """A Number of this precision and rounding."""

        __slots__ = ()

        __add__, __radd__ = forward(libmp.mpf_add), backward(libmp.mpf_add)
        __sub__, __rsub__ = forward(libmp.mpf_sub), backward(libmp.mpf_sub)
        __mul__, __rmul__ = forward(libmp.mpf_mul), backward(libmp.mpf_mul)
        __truediv__, __rtruediv__ = forward(divide), backward(divide)
        __pow__, __rpow__ = forward(power), backward(power)
        __lt__, __le__ = comparison(libmp.mpf_lt), comparison(libmp.mpf_le)
        __gt__, __ge__ = comparison(libmp.mpf_gt), comparison(libmp.mpf_ge)
        __eq__ = comparison(libmp.mpf_eq)
        __ne__ = comparison(lambda a, b: not libmp.mpf_eq(a, b))

        def __hash__(self) -> int:
            return int(libmp.mpf_hash(self._mpf_))

        def __reduce__(self) -> Any:
            return _restored, (precision, rounding, self._mpf_)

        def __neg__(self) -> Any:
            return Fixed(libmp.mpf_neg(self._mpf_))

        def __pos__(self) -> Any:
            return self

        def __abs__(self) -> Any:
            return Fixed(libmp.mpf_abs(self._mpf_))

    return Fixed

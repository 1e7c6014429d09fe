"""Exact sums of float64 numbers, which merge in any order."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from lossfw.numerics.arrays import NDArray

# Bits of a float64's mantissa.
_MANTISSA_BITS = 53

# From more numbers on a list of them costs memory.
_MOST_IN_LIST = 2**16


def exact_sum(values: Iterable[float]) -> float:
    """Return the correctly rounded sum of float64 numbers, infinite and NaN ones included."""
    numbers = list(values)
    if len(numbers) == 1:
        return numbers[0]
    try:
        return math.fsum(numbers)
    except (OverflowError, ValueError):
        # A sum on the way is beyond the largest number, or two infinities have both signs.
        return ExactSum().add(numbers).round_to_float()


def exact_sum_of_array(values: NDArray) -> float:
    """Return the correctly rounded sum of a float64 array."""
    if values.size > _MOST_IN_LIST:
        return ExactSum().add_array(values).round_to_float()
    return exact_sum(values.tolist())


@dataclass(frozen=True, slots=True)
class ExactSum:
    """An exact sum of float64 numbers: of the finite ones, and of inf and NaN."""

    finite: Fraction = Fraction(0)
    special: float = 0.0

    def add(self, values: Iterable[float]) -> ExactSum:
        """Return the sum with more numbers added."""
        finite, special = self.finite, self.special
        for value in values:
            if math.isfinite(value):
                finite += Fraction(value)
            else:
                special += value
        return ExactSum(finite, special)

    def add_array(self, values: NDArray) -> ExactSum:
        """Return the sum with the numbers of a float64 array added, faster than `add` for many.

        Examples
        --------
        >>> ExactSum().add_array(np.array([1e300, 1.0, -1e300, 1e-300])).round_to_float()
        1.0
        """
        is_finite = np.isfinite(values)
        mantissas, exponents = np.frexp(values[is_finite])
        integers = np.ldexp(mantissas, _MANTISSA_BITS).astype(np.int64)
        finite = self.finite
        for exponent in np.unique(exponents).tolist():
            some = integers[exponents == exponent]
            # In halves, of which the sum of 2**31 numbers fits 64 bits.
            total = (int((some >> 32).sum()) << 32) + int((some & 0xFFFFFFFF).sum())
            finite += total * Fraction(2) ** (exponent - _MANTISSA_BITS)
        return ExactSum(finite, self.special).add(values[~is_finite].tolist())

    def merge(self, other: ExactSum) -> ExactSum:
        """Return the sum of both."""
        return ExactSum(self.finite + other.finite, self.special + other.special)

    def pack(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return the sum as plain arrays, for `unpack`."""
        numerator = self.finite.numerator
        size = numerator.bit_length() // 8 + 1  # with a bit for the sign
        return {
            "numerator": np.frombuffer(numerator.to_bytes(size, "little", signed=True), np.uint8),
            # The denominator of a sum of floats is a power of 2.
            "halvings": np.array(self.finite.denominator.bit_length() - 1),
            "special": np.array(self.special),
        }

    @classmethod
    def unpack(cls, arrays: Mapping[str, np.ndarray[Any, Any]]) -> ExactSum:
        """Return the sum that was packed."""
        numerator = int.from_bytes(arrays["numerator"].tobytes(), "little", signed=True)
        return cls(Fraction(numerator, 1 << int(arrays["halvings"])), float(arrays["special"]))

    def round_to_float(self) -> float:
        """Return the nearest float64, infinite if the sum exceeds the largest float."""
        if self.special != 0:  # NaN too
            return self.special
        try:
            return float(self.finite)
        except OverflowError:
            return math.inf if self.finite > 0 else -math.inf

"""Exact tables: sums by key without any rounding, which merge in any order.

A sum is a number in base 2**32, its digits in 64-bit integers: a float is at most three of them,
and adding integers rounds nothing. So the sums, and everything computed from them, have the same
bits for any split of the numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from lossfw.numerics.arrays import NDArray

_BITS = 32
_MASK = (1 << _BITS) - 1
_MANTISSA = 53
# Exponent of the last bit of digit 0: below the mantissa of the least float.
_LOWEST = -1074 - _MANTISSA
# Keys that spread no wider than this many times their number (and a few, for the fewest)
# are counted in place, not sorted.
_DENSE = 4
_DENSE_ANYWAY = 64
# Above so many numbers for each sum, floats are added first: four times as fast as digits.
_MANY = 16
# Numbers that are added at a time, which stay in the cache.
_BLOCK = 2**14
# Rounds of sums in floats; digits take what is left, which is nothing of usual numbers.
_ROUNDS = 5
# The largest exponent that a float has.
_LARGEST = 1023


@dataclass(frozen=True, eq=False, slots=True)
class ExactSums:
    """Sums of float64 numbers by key.

    Examples
    --------
    >>> table = ExactSums.of(np.array([[7], [2], [7]]), np.array([1e16, 5.0, 1.0]))
    >>> more = ExactSums.of(np.array([[7]]), np.array([-1e16]))
    >>> table.merge(more).keys.tolist(), table.merge(more).to_floats().tolist()
    ([[2], [7]], [5.0, 1.0])
    """

    # In ascending order, each once, (M, C).
    keys: NDArray
    # Digits of the sums, the least first: each from 0 to 2**32 - 1, but the last, which
    # has the sign, (M, L).
    digits: NDArray
    # Which digit the first column is.
    low: int
    # Sums of the infinite and NaN numbers, 0 where there are none, (M,).
    special: NDArray

    @classmethod
    def of(cls, keys: NDArray, values: NDArray | None = None) -> ExactSums:
        """Return the sums of numbers (E,), or of ones, by their keys (E, C)."""
        found, place = _unique_rows(keys)
        if values is None:
            counts = np.bincount(place, minlength=len(found)).astype(np.float64)
            return cls._from_values(found, np.arange(len(found)), counts)
        return cls._from_values(found, place, values)

    @classmethod
    def _from_values(cls, keys: NDArray, place: NDArray, values: NDArray) -> ExactSums:
        special = np.zeros(len(keys))
        finite = np.isfinite(values)
        if not finite.all():
            with np.errstate(invalid="ignore"):
                np.add.at(special, place[~finite], values[~finite])
            values = np.where(finite, values, 0.0)
        if len(values) > _MANY * len(keys):
            place, values = _sum_in_floats(place, values, len(keys))
        exponent = np.frexp(values)[1]
        bounds = (exponent.min(), exponent.max()) if len(exponent) else (0, 0)
        low, high = ((int(bound) - _MANTISSA - _LOWEST) >> 5 for bound in bounds)
        width = high - low + 3
        sums = np.zeros(len(keys) * width, np.int64)
        for first in range(0, len(values), _BLOCK):
            piece = slice(first, first + _BLOCK)
            _add_digits(sums, place[piece] * width - low, values[piece], exponent[piece])
        return cls(keys, *_carry_digits(sums.reshape(-1, width), low), special)

    def __len__(self) -> int:
        return len(self.keys)

    def merge(self, other: ExactSums) -> ExactSums:
        """Return the sums of both."""
        low = min(self.low, other.low)
        width = max(t.low + t.digits.shape[1] for t in (self, other)) - low
        places: tuple[Any, Any] = (slice(None), slice(None))
        keys = self.keys
        if not np.array_equal(self.keys, other.keys):
            keys, place = _unique_rows(np.concatenate([self.keys, other.keys]))
            places = (place[: len(self)], place[len(self) :])
        digits, special = np.zeros((len(keys), width), np.int64), np.zeros(len(keys))
        for table, place in zip((self, other), places, strict=True):
            shift = table.low - low
            digits[place, shift : shift + table.digits.shape[1]] += table.digits
            with np.errstate(invalid="ignore"):
                special[place] += table.special
        return ExactSums(keys, *_carry_digits(digits, low), special)

    def take(self, chosen: Any) -> ExactSums:
        """Return some of the sums, by a slice or a mask of the keys."""
        return ExactSums(self.keys[chosen], self.digits[chosen], self.low, self.special[chosen])

    def with_keys(self, keys: NDArray) -> ExactSums:
        """Return the sums under new keys; sums with the same new key are added."""
        if keys.shape[1] == 1 and len(keys) and bool((np.diff(keys[:, 0]) >= 0).all()):
            return self._sorted_by_key(keys)
        found, place = _unique_rows(keys)
        digits = np.zeros((len(found), self.digits.shape[1]), np.int64)
        special = np.zeros(len(found))
        np.add.at(digits, place, self.digits)
        with np.errstate(invalid="ignore"):
            np.add.at(special, place, self.special)
        return ExactSums(found, *_carry_digits(digits, self.low), special)

    def _sorted_by_key(self, keys: NDArray) -> ExactSums:
        """Return the sums under keys that ascend, where equal ones are neighbours."""
        begins = np.flatnonzero(np.diff(keys[:, 0], prepend=keys[0, 0] - 1))
        digits = np.add.reduceat(self.digits, begins, axis=0)
        with np.errstate(invalid="ignore"):
            special = np.add.reduceat(self.special, begins)
        return ExactSums(keys[begins], *_carry_digits(digits, self.low), special)

    def to_floats(self) -> NDArray:
        """Return the nearest float64 of each sum, infinite where it is beyond the largest."""
        worth = _BITS * (self.low + np.arange(self.digits.shape[1])) + _LOWEST
        with np.errstate(over="ignore", invalid="ignore"):
            terms = np.ldexp(self.digits.astype(np.float64), worth)
            if self.digits.shape[1] <= 2:
                # Each digit is a float, so one sum is rounded once.
                sums = terms.sum(axis=1)
            else:
                sums = np.array([_sum_or_infinity(row) for row in terms.tolist()], np.float64)
            for wild in np.flatnonzero(~np.isfinite(sums)).tolist():
                sums[wild] = _nearest_float(self._fraction(wild))
            total: NDArray = np.where(self.special != 0, self.special, sums)
        return total

    def to_fractions(self) -> list[Fraction]:
        """Return the exact sums, without infinite and NaN numbers."""
        numbers, unit = self.to_integers()
        return [number * unit for number in numbers]

    def to_integers(self) -> tuple[list[int], Fraction]:
        """Return the sums as integer multiples of a unit, and the unit, a power of 2."""
        unit = Fraction(2) ** (_BITS * self.low + _LOWEST)
        return [_join_digits(row) for row in self.digits.tolist()], unit

    def _fraction(self, place: int) -> Fraction:
        unit = Fraction(2) ** (_BITS * self.low + _LOWEST)
        return _join_digits(self.digits[place].tolist()) * unit

    def pack(self) -> dict[str, NDArray]:
        """Return the table as plain arrays, for `unpack`."""
        return {
            "keys": self.keys,
            "digits": self.digits,
            "low": np.array(self.low),
            "special": self.special,
        }

    @classmethod
    def unpack(cls, arrays: Mapping[str, NDArray]) -> ExactSums:
        """Return the table that was packed."""
        return cls(arrays["keys"], arrays["digits"], int(arrays["low"]), arrays["special"])


def to_ordered_keys(values: NDArray) -> NDArray:
    """Return float64 numbers as int64 keys in the same order; NaN comes last.

    Examples
    --------
    >>> keys = to_ordered_keys(np.array([-2.0, -0.0, 0.0, 1.0, np.inf, np.nan]))
    >>> bool((np.diff(keys)[[0, 2, 3, 4]] > 0).all()), int(keys[1] - keys[2])
    (True, 0)
    """
    # One NaN and one zero: others have other bits.
    plain = np.where(np.isnan(values), np.nan, values + 0.0)
    bits = plain.view(np.int64)
    return np.where(bits < 0, bits ^ np.int64(2**63 - 1), bits)


def from_ordered_keys(keys: NDArray) -> NDArray:
    """Return the numbers from their keys; the inverse of `to_ordered_keys`."""
    bits: NDArray = np.where(keys < 0, keys ^ np.int64(2**63 - 1), keys)
    return bits.view(np.float64)


def _sum_in_floats(place: NDArray, values: NDArray, count: int) -> tuple[NDArray, NDArray]:
    """Return fewer numbers, and their places, whose sums are exactly those of the values.

    2**k numbers below 2**e, each rounded to a multiple of 2**(e + k - 52), add up without rounding.
    What was rounded off is a float, too, for the next round; Demmel and Nguyen 2015.
    """
    every = np.arange(count)
    places, found = [], []
    size = max(_BLOCK, _MANY * count)
    for first in range(0, len(values), size):
        where, rest = place[first : first + size], values[first : first + size].copy()
        for _ in range(_ROUNDS):
            largest = max(float(rest.max()), -float(rest.min()))
            exponent = math.frexp(largest)[1] + size.bit_length()
            if largest == 0.0 or exponent > _LARGEST:
                break
            unit = math.ldexp(1.5, exponent)
            rounded = rest + unit
            rounded -= unit
            places.append(every)
            found.append(np.bincount(where, rounded, count))
            rest -= rounded
        left = np.flatnonzero(rest)
        places.append(where[left])
        found.append(rest[left])
    return np.concatenate(places), np.concatenate(found)


def _add_digits(sums: NDArray, first: NDArray, values: NDArray, exponent: NDArray) -> None:
    """Add numbers to digits in place; `first` is where digit 0 of each number would be."""
    mantissa = np.ldexp(values, _MANTISSA - exponent).astype(np.int64)
    bit = exponent.astype(np.int64) - _MANTISSA - _LOWEST
    at, shift = first + (bit >> 5), bit & (_BITS - 1)
    lower, upper = (mantissa & _MASK) << shift, (mantissa >> _BITS) << shift
    # No part of a number is above 2**33: there is room for 2**30 of them.
    np.add.at(sums, at, lower & _MASK)
    np.add.at(sums, at + 1, (lower >> _BITS) + (upper & _MASK))
    np.add.at(sums, at + 2, upper >> _BITS)


def _unique_rows(keys: NDArray) -> tuple[NDArray, NDArray]:
    """Return the different keys in order, and for each key given which of them it is."""
    if not len(keys):
        return keys, np.zeros(0, np.intp)
    if keys.shape[1] == 1:
        return _unique_numbers(keys[:, 0])
    order = np.lexsort(keys.T[::-1])
    inorder = keys[order]
    new = np.empty(len(keys), bool)
    new[0] = True
    np.any(inorder[1:] != inorder[:-1], axis=1, out=new[1:])
    place = np.empty(len(keys), np.intp)
    place[order] = np.cumsum(new) - 1
    return inorder[new], place


def _unique_numbers(keys: NDArray) -> tuple[NDArray, NDArray]:
    least = int(keys.min())
    spread = int(keys.max()) - least + 1
    if spread > _DENSE * len(keys) + _DENSE_ANYWAY:
        found, place = np.unique(keys, return_inverse=True)
        return found[:, np.newaxis], place
    at = keys - least
    there = np.zeros(spread, bool)
    there[at] = True
    found = np.flatnonzero(there)
    place = at if len(found) == spread else (np.cumsum(there) - 1)[at]
    return (found + least)[:, np.newaxis], place


def _carry_digits(digits: NDArray, low: int) -> tuple[NDArray, int]:
    """Return digits within their bounds, without columns of zeros at either end."""
    for column in range(digits.shape[1] - 1):
        digits[:, column + 1] += digits[:, column] >> _BITS
        digits[:, column] &= _MASK
    last = digits[:, -1:]
    if last.size and (last.max() > _MASK >> 1 or last.min() < -(_MASK >> 1)):
        carry = last >> _BITS
        digits[:, -1:] &= _MASK
        digits = np.concatenate([digits, carry], axis=1)
    used = np.flatnonzero(digits.any(axis=0))
    if not len(used):
        return digits[:, :1], low
    return np.ascontiguousarray(digits[:, used[0] : used[-1] + 1]), low + int(used[0])


def _join_digits(digits: list[int]) -> int:
    return sum(digit << (_BITS * place) for place, digit in enumerate(digits))


def _sum_or_infinity(terms: list[float]) -> float:
    try:
        return math.fsum(terms)
    except (OverflowError, ValueError):  # beyond the largest, or of infinities of both signs
        return math.inf


def _nearest_float(number: Fraction) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf

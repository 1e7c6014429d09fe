"""PromisedRange: magnitudes of numbers for which a loss promises accurate results.

A space says which numbers a call accepts; a range says for which of them the author promises
accuracy. A call also accepts the others, but their digits are not checked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from lossfw.errors import ArgumentError
from lossfw.numerics.arrays import NDArray

# The sizes for which results are promised unless a loss names others, in float64, and in float32
# and narrower dtypes. Data have 1e-6 to 1e6. Squares, cubes and quotients of numbers of these sizes
# are floats, so that a textbook's formula needs no line for the ends of a dtype.
_USUAL = (1e-30, 1e30)
_USUAL_NARROW = (1e-10, 1e10)


@dataclass(frozen=True)
class PromisedRange:
    """The magnitudes of numbers for which a loss promises accurate results; 0 is always included.

    Within the range, a result is accurate to a few units in the last place (ULP) of the exact
    result, either for your numbers or for numbers within 4 ULP of them. Outside of the range, and
    at predictions for which the exact loss of an ordinary target exceeds the largest float, results
    may be infinite, 0 or NaN, but they never affect other rows.

    Parameters
    ----------
    low, high : float
        The smallest and the largest magnitude, in units of the prediction or the target.
    float32 : tuple of float, optional
        The same for float32 and narrower dtypes; by default `low` and `high`, or 1e-10 and 1e10 if
        these are not given.

    Raises
    ------
    ArgumentError
        If `low` is below 0 or above `high`.

    Examples
    --------
    >>> sizes = PromisedRange(high=100.0)
    >>> sizes
    PromisedRange(low=1e-30, high=100.0, float32=(1e-10, 100.0))
    >>> print(sizes)
    up to 100
    >>> sizes.contains(np.array([0.0, -50.0, 1e-40, np.inf, np.nan]))
    array([ True,  True, False, False,  True])
    """

    low: float = _USUAL[0]
    high: float = _USUAL[1]
    float32: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        """Check the sizes, and set those of float32."""
        wide = (self.low, self.high)
        if self.float32 is None:
            ends = zip(wide, _USUAL, _USUAL_NARROW, strict=True)
            low, high = (narrow if end == usual else end for end, usual, narrow in ends)
            # A range beyond those of float32 is the same in both.
            object.__setattr__(self, "float32", (low, high) if low < high else wide)
        for low, high in (wide, self.limits("float32")):
            if not 0 <= low < high:
                raise ArgumentError(
                    f"a range of sizes goes from {low!r} to {high!r}; expected two numbers of at "
                    "least 0, the smaller one first."
                )

    @classmethod
    def intersection(cls, ranges: Iterable[PromisedRange]) -> PromisedRange:
        """Return the intersection of ranges; almost empty if they do not overlap."""
        given = list(ranges)
        both = [[one.limits(dtype) for one in given] for dtype in ("float64", "float32")]
        ends = ((max(low), min(high)) for low, high in (zip(*x, strict=True) for x in both))
        wide, narrow = ((low, max(high, float(np.nextafter(low, np.inf)))) for low, high in ends)
        return cls(*wide, narrow)

    def limits(self, dtype: str | np.dtype[Any]) -> tuple[float, float]:
        """Return the smallest and the largest magnitude in a dtype."""
        is_narrow = np.dtype(dtype).itemsize <= np.dtype(np.float32).itemsize
        return self.float32 if self.float32 and is_narrow else (self.low, self.high)

    def contains(self, x: NDArray) -> NDArray:
        """Return a mask of the numbers in the range; NaN is inside, infinity is not."""
        ends = np.asarray(self.limits(x.dtype))
        if x.dtype.kind == "f":
            # An end in the numbers' own dtype belongs to the range.
            with np.errstate(all="ignore"):
                ends = ends.astype(x.dtype).astype(np.float64)
        low, high = ends
        size = np.abs(x).astype(np.float64)
        inside = (size >= low) & (size <= high) & np.isfinite(size)
        return np.asarray((size == 0) | inside | np.isnan(size))

    def __str__(self) -> str:
        wide = _range_text((self.low, self.high), _USUAL)
        narrow = _range_text(self.limits("float32"), _USUAL_NARROW)
        return wide if narrow == wide else f"{wide} (float32: {narrow})"


# What each loss promises that names no other range.
PROMISED = PromisedRange()

# What is promised of a number whose exponential is taken: it has the promised sizes (1e30 is
# exp(69)), and is a float in single precision too, where exp(88) is the last one.
EXPONENTIATED = PromisedRange(high=80.0)

# All finite numbers.
EVERY_SIZE = PromisedRange(0.0, np.inf)


def _range_text(ends: tuple[float, float], usual: tuple[float, float]) -> str:
    """Write a range in short: an end that is the usual one is not mentioned."""
    low, high = ends
    if ends != usual and low in (0.0, usual[0]):
        return "any" if high == np.inf else f"up to {high:g}"
    if ends != usual and high in (np.inf, usual[1]):
        return f"{low:g} and above"
    return f"{low:g} to {high:g}"


# A range, its two limits, or both as a text ``LOW..HIGH``.
SizeRange: TypeAlias = PromisedRange | tuple[float, float] | str


def parse_range(sizes: SizeRange) -> PromisedRange:
    """Return the range that a string or pair means; missing limits are those of the promise.

    Raises
    ------
    ArgumentError
        If it is none.

    Examples
    --------
    >>> print(parse_range((0, 100)), "and", parse_range("1e-3.."))
    up to 100 and 0.001 and above
    """
    if isinstance(sizes, PromisedRange):
        return sizes
    try:
        low, high = sizes.split("..") if isinstance(sizes, str) else sizes
        low = _USUAL[0] if low == "" else float(low)
        return PromisedRange(low, _USUAL[1] if high == "" else float(high))
    except (ArgumentError, TypeError, ValueError):
        raise ArgumentError(
            f"{sizes!r} is not a range of sizes: expected LOW..HIGH, such as 1e-6..1e6."
        ) from None


def ranges_in_words(prediction: PromisedRange, target: PromisedRange) -> str:
    """Return the promised ranges in words; empty if they are the default.

    Examples
    --------
    >>> ranges_in_words(PromisedRange(1e-100, 1e100), PromisedRange(high=1e100))
    'predictions of size 1e-100 to 1e+100, and targets of size up to 1e+100'
    """
    if prediction == target:
        return "" if target == PROMISED else f"predictions and targets of size {target}"
    roles = (("predictions", prediction), ("targets", target))
    parts = [f"{role} of size {sizes}" for role, sizes in roles if sizes != PROMISED]
    return ", and ".join(parts)

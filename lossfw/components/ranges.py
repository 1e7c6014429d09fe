"""Range: sizes of numbers for which a loss promises its results.

A space says which numbers a call takes; a range says for which of them an author answers. A call
takes the others too: nothing looks at its digits there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from lossfw.errors import ArgumentError
from lossfw.numerics.arrays import NDArray


@dataclass(frozen=True)
class Range:
    """The sizes of numbers for which a loss promises its results; 0 always belongs to them.

    Parameters
    ----------
    low, high : float
        The least and the largest size, in units of the prediction or the target.
    float32 : tuple of float, optional
        The same for float32 and narrower dtypes; `low` and `high` unless given.

    Raises
    ------
    ArgumentError
        If `low` is below 0 or above `high`.

    Examples
    --------
    >>> sizes = Range(1e-100, 1e100, float32=(1e-15, 1e15))
    >>> print(sizes)
    1e-100 to 1e+100 (float32: 1e-15 to 1e+15)
    >>> sizes.holds(np.array([0.0, -1e50, np.inf, np.nan]))
    array([ True,  True, False,  True])
    """

    low: float = 0.0
    high: float = np.inf
    float32: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        """Check the sizes."""
        for low, high in filter(None, ((self.low, self.high), self.float32)):
            if not 0 <= low < high:
                raise ArgumentError(
                    f"a range of sizes goes from {low!r} to {high!r}; expected two numbers of at "
                    "least 0, the smaller one first."
                )

    @classmethod
    def common(cls, ranges: Iterable[Range | None]) -> Range | None:
        """Return the sizes that lie in each range; None where none is given."""
        given = [one for one in ranges if one is not None]
        if len(given) < 2:
            return next(iter(given), None)
        both = [[one.of(dtype) for one in given] for dtype in ("float64", "float32")]
        wide, narrow = ((max(low), min(high)) for low, high in (zip(*x, strict=True) for x in both))
        return cls(*wide, narrow if narrow != wide else None)

    def of(self, dtype: str | np.dtype[Any]) -> tuple[float, float]:
        """Return the least and the largest size in a dtype."""
        is_narrow = np.dtype(dtype).itemsize <= np.dtype(np.float32).itemsize
        return self.float32 if self.float32 and is_narrow else (self.low, self.high)

    def holds(self, x: NDArray) -> NDArray:
        """Tell for each number whether its size is in the range; NaN is."""
        low, high = self.of(x.dtype)
        size = np.abs(x).astype(np.float64)
        return np.asarray((size == 0) | ((size >= low) & (size <= high)) | np.isnan(size))

    def __str__(self) -> str:
        narrow = "" if self.float32 is None else f" (float32: {_sizes(*self.float32)})"
        return f"{_sizes(self.low, self.high)}{narrow}"


def _sizes(low: float, high: float) -> str:
    if high == np.inf:
        return f"{low:g} and above"
    return f"{low:g} to {high:g}" if low else f"up to {high:g}"


# A range, its two limits, or both as a text ``LOW..HIGH``.
SizeRange: TypeAlias = Range | tuple[float, float] | str


def range_of(sizes: SizeRange | None) -> Range | None:
    """Return the range that is meant.

    Raises
    ------
    ArgumentError
        If it is none.

    Examples
    --------
    >>> range_of((0, 100)), range_of("1e-3..")
    (Range(low=0.0, high=100.0, float32=None), Range(low=0.001, high=inf, float32=None))
    """
    if sizes is None or isinstance(sizes, Range):
        return sizes
    try:
        low, high = sizes.split("..") if isinstance(sizes, str) else sizes
        return Range(float(low or 0.0), float(high or np.inf))
    except (ArgumentError, TypeError, ValueError):
        raise ArgumentError(
            f"{sizes!r} is not a range of sizes: expected LOW..HIGH, such as 1e-100..1e100."
        ) from None


def sizes_in_words(prediction: Range | None, target: Range | None) -> str:
    """Return the sizes of predictions and targets, empty where they are not limited.

    Examples
    --------
    >>> sizes_in_words(Range(1e-100, 1e100), Range(high=1e100))
    'predictions of size 1e-100 to 1e+100, and targets of size up to 1e+100'
    """
    if prediction == target:
        return f"predictions and targets of size {target}" if target else ""
    roles = (("predictions", prediction), ("targets", target))
    parts = [f"{role} of size {sizes}" for role, sizes in roles if sizes is not None]
    return ", and ".join(parts)

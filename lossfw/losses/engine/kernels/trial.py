"""Trials: the first calls of a kernel, which the body also computes.

Probes are a check, not a proof. So the first numbers that a user gets are the body's, and the
kernel is used afterwards if its bits are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lossfw.numerics.arrays import NDArray

# At least so many numbers are compared. A call that waits for its kernel has as many; small ones
# go to kernels only if the user asks for it.
_ENOUGH = 4096


class Trial:
    """The comparison of a kernel with its body; `drop` is called with what differs."""

    def __init__(self, on_difference: Callable[[str], None]) -> None:
        self._drop = on_difference
        self._elements = 0

    @property
    def passed(self) -> bool:
        """Whether the kernel needs no further comparison."""
        return self._elements >= _ENOUGH

    def compare(self, actual: Any, expected: Any, elements: int) -> None:
        """Compare the results of a kernel with those of the body, for a number of elements."""
        pairs = list(zip(_as_tuple(actual), _as_tuple(expected), strict=False))
        unlike = sum(count_differences(*pair) for pair in pairs)
        if unlike:
            size = sum(array.size for array, _ in pairs)
            self._drop(
                f"the kernel had other bits than the body at {unlike} of {size} numbers of a call"
            )
        # Two threads at once may count one comparison less: the trial is only longer then.
        self._elements += elements


def run_on_trial(
    trial: Trial | None, kernel: Callable[..., Any], body: Callable[..., Any]
) -> Callable[..., Any]:
    """Return a function of a tile: the kernel's; during a trial the body's, after a comparison."""
    if trial is None:
        return kernel

    def compare(xp: Any, y: NDArray, t: NDArray) -> Any:
        expected = body(xp, y, t)
        trial.compare(kernel(xp, y, t), expected, y.size)
        return expected

    return compare


def count_differences(actual: Any, expected: Any) -> int:
    """Return the number of elements at which arrays differ in bits, other than those of NaN."""
    if getattr(expected, "shape", None) != actual.shape or expected.dtype != actual.dtype:
        return int(actual.size)
    differ = (actual != expected) & ~(np.isnan(actual) & np.isnan(expected))
    zeros = (expected == 0) & (np.signbit(actual) != np.signbit(expected))
    return int(np.count_nonzero(differ | zeros))


def _as_tuple(results: Any) -> tuple[Any, ...]:
    return results if isinstance(results, tuple) else (results,)

"""Trials: a kernel's first calls, which the body computes too.

Probes are a check and no proof. So the first numbers that a user gets are the body's, and the
kernel is used from then on if it has the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lossfw.numerics.arrays import NDArray

# So many numbers are compared at least. A call that waits for its kernel has as many; small ones
# come to kernels only by the user's wish.
_ENOUGH = 4096


class Trial:
    """The comparison of a kernel with its body on the arguments of calls.

    Parameters
    ----------
    dropped : callable
        Called with the reason if they differ.
    """

    def __init__(self, dropped: Callable[[str], None]) -> None:
        self._dropped = dropped
        self._elements = 0

    @property
    def passed(self) -> bool:
        """Whether the kernel needs no further comparison."""
        return self._elements >= _ENOUGH

    def compare(self, found: Any, wanted: Any, elements: int) -> None:
        """Compare the results of a kernel with those of the body, of so many elements."""
        pairs = list(zip(_as_tuple(found), _as_tuple(wanted), strict=False))
        unlike = sum(count_unlike(one, other) for one, other in pairs)
        if unlike:
            size = sum(one.size for one, _ in pairs)
            self._dropped(
                f"the kernel had other bits than the body at {unlike} of {size} numbers of a call"
            )
        # Two threads at once may count one comparison less: the trial is only longer then.
        self._elements += elements


def on_trial(
    trial: Trial | None, kernel: Callable[..., Any], body: Callable[..., Any]
) -> Callable[..., Any]:
    """Return a function of a tile: the kernel's, or on trial the body's, which is compared."""
    if trial is None:
        return kernel

    def compared(xp: Any, y: NDArray, t: NDArray) -> Any:
        wanted = body(xp, y, t)
        trial.compare(kernel(xp, y, t), wanted, y.size)
        return wanted

    return compared


def count_unlike(found: Any, wanted: Any) -> int:
    """Return at how many places arrays differ in another bit than those of NaN."""
    if getattr(wanted, "shape", None) != found.shape or wanted.dtype != found.dtype:
        return int(found.size)
    differ = (found != wanted) & ~(np.isnan(found) & np.isnan(wanted))
    zeros = (wanted == 0) & (np.signbit(found) != np.signbit(wanted))
    return int(np.count_nonzero(differ | zeros))


def _as_tuple(results: Any) -> tuple[Any, ...]:
    return results if isinstance(results, tuple) else (results,)

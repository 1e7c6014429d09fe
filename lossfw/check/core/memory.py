"""Memory of a check, bounded before it is taken.

A loss of rows may compute with all pairs of its columns, or with all triples: what it takes then
grows with a power of the number of columns, and a wide row ends the process. So the width is
doubled from a few columns on, and each step is taken if what the steps before it took says that
the next one fits.
"""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any

from lossfw.check.core.search import Output, Search
from lossfw.check.core.subject import Points

# What a call may take, in bytes: with Python and its libraries the process stays below 1 GiB.
LIMIT = 2**29

_FIRST_COLUMNS = 16

# The next step is taken to grow like a square at least: pairs of columns may have begun to show.
_LEAST_POWER = 2.0


def most_columns(
    search: Search, functions: Sequence[Output], rows: Callable[[int], Points], most: int
) -> int:
    """Return with how many columns, `most` or fewer, the functions fit the memory.

    `rows` returns rows with a number of columns, as many as a call will have. If the columns are
    fewer than `most`, the report says so for the check that is running.
    """

    def climb() -> int:
        n_calls = len(search.calls)
        columns = _climb(functions, rows, most)
        # They are not examples: nobody looks at the results.
        del search.calls[n_calls:]
        return columns

    key = ("memory", len(rows(_FIRST_COLUMNS)), most, *(function.name for function in functions))
    columns = search.once(key, climb)
    if columns < most:
        search.limit(
            f"{columns:,} columns instead of {most:,}, which would take more than "
            f"{LIMIT // 2**20} MiB of memory"
        )
    return columns


def _climb(functions: Sequence[Output], rows: Callable[[int], Points], most: int) -> int:
    columns, previous_peak = _FIRST_COLUMNS, 0
    while columns < most:
        points = rows(columns)
        peak = max((_peak(function, points.y, points.t) for function in functions), default=0)
        following = min(2 * columns, most)
        growth = math.log2(peak / previous_peak) if previous_peak and peak else 0.0
        if peak * (following / columns) ** max(_LEAST_POWER, growth) > LIMIT:
            return columns
        columns, previous_peak = following, peak
    return most


def _peak(function: Output, *arguments: Any) -> int:
    """Return how many bytes a call takes at most, beside its arguments."""
    is_traced = tracemalloc.is_tracing()
    if not is_traced:
        tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        initial = tracemalloc.get_traced_memory()[0]
        function(*arguments)
        return tracemalloc.get_traced_memory()[1] - initial
    finally:
        if not is_traced:
            tracemalloc.stop()

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
    search: Search, functions: Sequence[Output], rows: Callable[[int], Points], expected: int
) -> int:
    """Return with how many columns, `wanted` at most, the functions fit the memory.

    `rows` returns rows with a number of columns, as many as a call will have. If the columns are
    fewer than wanted, the report says so for the check that is running.
    """

    def climbed() -> int:
        begun = len(search.calls)
        found = _climbed(functions, rows, expected)
        # They are not examples: nobody looks at the results.
        del search.calls[begun:]
        return found

    key = (
        "memory",
        len(rows(_FIRST_COLUMNS)),
        expected,
        *(function.name for function in functions),
    )
    found = search.once(key, climbed)
    if found < expected:
        search.limit(
            f"{found:,} columns instead of {expected:,}, which would take more than "
            f"{LIMIT // 2**20} MiB of memory"
        )
    return found


def _climbed(functions: Sequence[Output], rows: Callable[[int], Points], expected: int) -> int:
    columns, before = _FIRST_COLUMNS, 0
    while columns < expected:
        points = rows(columns)
        peak = max((_peak(function, points.y, points.t) for function in functions), default=0)
        following = min(2 * columns, expected)
        power = max(_LEAST_POWER, math.log2(peak / before) if before and peak else 0.0)
        if peak * (following / columns) ** power > LIMIT:
            return columns
        columns, before = following, peak
    return expected


def _peak(function: Output, *arguments: Any) -> int:
    """Return how many bytes a call takes at most, beside its arguments."""
    traced = tracemalloc.is_tracing()
    if not traced:
        tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        begun = tracemalloc.get_traced_memory()[0]
        function(*arguments)
        return tracemalloc.get_traced_memory()[1] - begun
    finally:
        if not traced:
            tracemalloc.stop()

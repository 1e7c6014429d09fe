"""Pieces: run a task on large arrays of one shape, in pieces that stay in the caches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from lossfw.losses.engine import threads
from lossfw.losses.engine.reduction import rows_per_block
from lossfw.numerics.arrays import NDArray


def flatten(columns: int | None, arrays: Sequence[NDArray]) -> list[NDArray]:
    """Return views of arrays with one axis, or with one axis and rows."""
    return [array.reshape((-1,) if columns is None else (-1, columns)) for array in arrays]


def run_in_pieces(task: Callable[..., None], columns: int | None, *arrays: NDArray) -> None:
    """Run a task on pieces of results and arguments of one shape, on threads if there are many.

    The task gets a piece of each array (whole rows if there are columns), and writes the
    results.
    """
    flat = flatten(columns, arrays)
    size, length = rows_per_block(columns or 1), len(flat[0])
    if length <= size:
        task(*flat)
        return

    def run_piece(bounds: tuple[int, int]) -> None:
        task(*(array[slice(*bounds)] for array in flat))

    threads.run(run_piece, list(pairwise([*range(0, length, size), length])))

"""Reductions of turned rows, in NumPy's order."""

from __future__ import annotations

from functools import reduce

from lossfw.numerics.compiled.operations import Lines, extreme, literal
from lossfw.numerics.compiled.sums import LANES
from lossfw.numerics.symbolic.graph import SUM_ALONE

_EXTREMES = {"max": "ogt", "min": "olt"}


def reduced(lines: Lines, op: str, kind: str, names: list[str], order: str) -> str:
    """Add the instructions of a reduction, and return the name of its result.

    Parameters
    ----------
    lines : Lines
    op : {"sum", "sum_alone", "max", "min"}
    kind : str
        The type of LLVM.
    names : list of str
        The elements of a row, at most `lossfw.numerics.compiled.sums.LEAF`.
    order : {"pairwise", "columns"}
        As NumPy adds where the elements of a row lie beside each other, or where rows do.
    """
    if op in _EXTREMES:
        return reduce(lambda a, b: extreme(lines, _EXTREMES[op], kind, a, b), names)

    def added(a: str, b: str) -> str:
        return lines.put(f"fadd {kind} {a}, {b}")

    zero = literal(0.0, kind)
    if order == "columns" and op != SUM_ALONE:
        return reduce(added, names, zero)
    whole = len(names) // LANES * LANES
    lanes = names[: min(LANES, whole)]
    for first in range(LANES, whole, LANES):
        lanes = [added(*pair) for pair in zip(lanes, names[first : first + LANES], strict=True)]
    while len(lanes) > 1:
        lanes = [added(*pair) for pair in zip(lanes[::2], lanes[1::2], strict=True)]
    return added(zero, reduce(added, [*lanes, *names[whole:]]))

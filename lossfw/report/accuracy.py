"""The table of accuracies: as text, and as a page of the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from lossfw.report.table import show_table

if TYPE_CHECKING:
    # The harness stands above the reports; a table takes what it is given.
    from lossfw.check.accuracy import Accuracy

# Columns by order of the derivative.
_COLUMNS = ("value", "first", "second")

# Marks a peer's errors that count subnormal numbers too: JAX takes them for 0 on
# purpose, which would hide everything else.
SUBNORMAL = ", subnormal numbers too"

# A digit more says nothing about a worst error.
_DIGITS = 2


def ulps(error: float) -> str:
    """Return an error as it stands in the table.

    Examples
    --------
    >>> ulps(0.5), ulps(3.14159), ulps(123456.0), ulps(float("inf"))
    ('0.5', '3.1', '1.2e5', 'inf')
    """
    if error < 1000:
        return f"{error:.1f}"
    if error == float("inf"):
        return "inf"
    mantissa, exponent = f"{error:.{_DIGITS - 1}e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def cells(found: Accuracy) -> list[str]:
    """Return the errors of one component, each with a mark where it misses the goal."""
    by_order = {worst.order: worst for worst in found.results}
    return [
        "-"
        if order not in by_order or not by_order[order].points
        else ulps(by_order[order].ulps)
        + ("!" if by_order[order].ulps > found.goal(order) else "")
        + ("*" if by_order[order].of_terms else "")
        for order in range(len(_COLUMNS))
    ]


def peer_cells(found: Accuracy) -> str:
    """Return the errors of other libraries: ``torch 2.0 / 3.5``.

    Those that count subnormal numbers too stand behind, in brackets, where they differ.
    """
    texts = {
        name: " / ".join(ulps(worst.ulps) for worst in results)
        for name, results in found.peers.items()
    }
    parts = []
    for name, text in texts.items():
        every = texts.get(f"{name}{SUBNORMAL}")
        if every is not None:
            parts.append(f"{name} {text}" if every == text else f"{name} {text} ({every})")
    return ", ".join(parts)


def show_accuracies(rows: Sequence[Accuracy], *, peers: bool) -> None:
    """Write the table to standard output, and below it where a goal is missed."""
    headers = ["component", "dtype", *_COLUMNS, "points", *(["peers"] if peers else [])]
    show_table(
        headers,
        [
            [
                found.text,
                found.dtype,
                *cells(found),
                str(min(worst.points for worst in found.results)),
                *([peer_cells(found)] if peers else []),
            ]
            for found in rows
        ],
    )


def notes(rows: Iterable[Accuracy]) -> list[str]:
    """Return lines that explain the marks, and say where a goal is missed."""
    lines = []
    rows = list(rows)
    if any(worst.of_terms for found in rows for worst in found.results):
        lines.append("* in units of the largest term: the terms cancel where the result crosses 0")
    for found in rows:
        for worst in found.missed():
            lines.append(
                f"! {found.text} {found.dtype} {_COLUMNS[worst.order]}: {ulps(worst.ulps)} ULP, "
                f"goal {found.goal(worst.order):g}, at {_point(worst.at)}: got {worst.computed!r}, "
                f"true {worst.truth}"
            )
    return lines


def _point(at: dict[str, Any] | None) -> str:
    return ", ".join(f"{name} = {value!r}" for name, value in (at or {}).items())

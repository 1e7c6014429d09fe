"""The sections of a page on measured figures: accuracy and cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lossfw.report.site.content import PageSubject
from lossfw.report.site.markup import cell, table
from lossfw.report.site.measured import MeasuredFigures

_ORDERS = ("value", "first", "second")


def accuracy_section(subject: PageSubject, measured: MeasuredFigures) -> Iterator[str]:
    """Yield the section on accuracy, as Markdown."""
    rows = measured.accuracies(subject.kind, subject.name)
    if not rows:
        if subject.kind in ("loss", "activation") and "wrapper" not in subject.description:
            yield f"Not measured here; `lossfw accuracy {subject.name}` measures it."
        return
    peers = [
        peer for peer in measured.accuracy["peers"] if any(peer in row["peers"] for row in rows)
    ]
    yield (
        "The worst error of value, first and second derivative over the whole domain, in units in "
        "the last place (ULP); 0.5 is a correctly rounded result. `*`: in units of the largest "
        "term. Other libraries stand beside it where they have the same function."
    )
    yield table(
        ("at", "dtype", *_ORDERS, *peers),
        [
            (
                f"`{row['component']}`",
                row["dtype"],
                *(cell(row[order]) for order in _ORDERS),
                *(cell(row["peers"].get(peer, "")) for peer in peers),
            )
            for row in rows
        ],
        left=2,
    )


def cost_section(subject: PageSubject) -> Iterator[str]:
    """Yield the section on cost, as Markdown: nothing where it was not measured."""
    found = subject.description.get("costs")
    if not found:
        return
    by_dtype = found["costs"]
    columns = list(dict.fromkeys(name for one in by_dtype.values() for name in one))
    kinds = dict.fromkeys(kind for one in by_dtype.values() for of in one.values() for kind in of)
    rows = [
        (f"{dtype}, {_KINDS.get(kind, kind)}", *(_cost(one, name, kind) for name in columns))
        for dtype, one in by_dtype.items()
        for kind in kinds
    ]
    yield (
        f"CPU nanoseconds per element, on one thread of {found['processor']} with NumPy "
        f"{found['numpy']}, beside the textbook's formula in NumPy."
    )
    yield table(("", *(_COLUMNS.get(name, name) for name in columns)), rows, left=1)


# What stands in the table for the names in the file.
_KINDS = {"gradient": "value and gradient"}
_COLUMNS = {"naive": "naive NumPy"}


def _cost(one: Mapping[str, Any], column: str, kind: str) -> str:
    found = one.get(column, {}).get(kind)
    return "" if found is None else f"{found:.1f}"

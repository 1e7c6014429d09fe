"""The sections of a page on measured figures: accuracy and cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lossfw.report.site.content import PageSubject
from lossfw.report.site.markup import cell, fenced, table
from lossfw.report.site.measured import MeasuredFigures

_ORDERS = ("value", "first", "second")

# The names of the columns of one dtype: the words of the figure.
_CALLED = ("value", "slope", "curvature")

AccuracyRow = Mapping[str, Any]

# The rows of one setting of parameters, by dtype.
RowsByDtype = Mapping[str, AccuracyRow]

# Names in the table for those in the file.
_KINDS = {"gradient": "value and gradient"}
_COLUMNS = {"naive": "naive NumPy"}


def accuracy_section(subject: PageSubject, measured: MeasuredFigures) -> Iterator[str]:
    """Yield the section on accuracy, as Markdown."""
    rows = measured.accuracies(subject.kind, subject.name)
    if not rows:
        if subject.kind in ("loss", "activation") and "wrapper" not in subject.description:
            yield f"Not measured here; `lossfw accuracy {subject.name}` measures it."
        return
    yield (
        "The worst error over the whole domain, in units in the last place (ULP); 0.5 is a "
        "correctly rounded result. `*`: in units of the largest term."
    )
    settings: dict[str, dict[str, AccuracyRow]] = {}
    for row in rows:
        settings.setdefault(row["component"], {})[row["dtype"]] = row
    texts = list(settings)
    with_peers = [text for text in texts if _peers(settings[text])]
    shown = texts[:1] + [text for text in with_peers[:1] if text not in texts[:1]]
    if with_peers:
        yield (
            "Other libraries have the same function; they are measured without subnormal numbers, "
            "which some take for 0."
        )
    for text in shown:
        yield from _setting(text, settings[text])
    rest = [
        block for text in texts if text not in shown for block in _setting(text, settings[text])
    ]
    if rest:
        yield fenced("{dropdown} At other parameters", "\n\n".join(rest), mark="````")


def _setting(text: str, setting: RowsByDtype) -> Iterator[str]:
    """Yield a component at its parameters, and a table of who is how far off there."""
    headers = [f"{dtype} {called}" for dtype in setting for called in _CALLED]
    own = [row[order] for row in setting.values() for order in _ORDERS]
    yield f"`{text}`"
    yield table(
        ("", *headers),
        [
            ("lossfw", *map(cell, own)),
            *((peer, *_errors(setting, peer)) for peer in _peers(setting)),
        ],
        left=1,
    )


def _peers(setting: RowsByDtype) -> list[str]:
    return list(dict.fromkeys(peer for row in setting.values() for peer in row["peers"]))


def _errors(setting: RowsByDtype, peer: str) -> list[str]:
    """Return the errors of another library, empty texts for functions that it does not have.

    In the file they are one text, as ``0.8 / 1.7e7 (8.3e6 / 1.7e7)``: without subnormal numbers,
    and with them where that differs.
    """
    found = []
    for row in setting.values():
        usual = row["peers"].get(peer, "").partition(" (")[0].split(" / ")
        found += [cell(one) for one in [*usual, "", ""][: len(_ORDERS)]]
    return found


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
        f"{found['numpy']}, beside the textbook's formula in NumPy. Tiles run the body in parts "
        "that stay in the cache; a kernel is compiled from it (extra `fast`), with the same bits."
    )
    yield table(("", *(_COLUMNS.get(name, name) for name in columns)), rows, left=1)


def _cost(one: Mapping[str, Any], column: str, kind: str) -> str:
    found = one.get(column, {}).get(kind)
    return "" if found is None else f"{found:.1f}"

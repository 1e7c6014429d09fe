"""The table of accuracies: as text, and as a page of the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lossfw.check.accuracy.measure import ComponentAccuracy
from lossfw.report.text.tables import markdown_table, show_table

# Columns by order of the derivative.
_COLUMNS = ("value", "first", "second")
_FORWARD = "forward"

# A digit more says nothing about a worst error.
_DIGITS = 2


def ulps_text(error: float) -> str:
    """Return an error for the table.

    Examples
    --------
    >>> ulps_text(0.5), ulps_text(3.14159), ulps_text(123456.0), ulps_text(float("inf"))
    ('0.5', '3.1', '1.2e5', 'inf')
    """
    if error < 1000:
        return f"{error:.1f}"
    if error == float("inf"):
        return "inf"
    mantissa, exponent = f"{error:.{_DIGITS - 1}e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def error_cells(found: ComponentAccuracy) -> list[str]:
    """Return the errors of one component, with a mark on those that miss the goal."""
    texts = ["-"] * len(_COLUMNS)
    for worst in found.results:
        if worst.points:
            missed = "!" if worst.ulps > found.goal(worst.order) else ""
            texts[worst.order] = f"{ulps_text(worst.ulps)}{missed}"
    return texts


def forward_cell(found: ComponentAccuracy) -> str:
    """Return the errors against the exact results at ordinary numbers: ``0.5 / 0.7 / 3.0``."""
    return " / ".join(ulps_text(worst.forward) for worst in found.results if worst.points)


def _peer_cell(found: ComponentAccuracy, name: str) -> str:
    """Return the errors of another library: ``2.0 / 3.5``.

    Errors that include subnormal numbers follow in brackets, where they differ.
    """
    few, every = (
        " / ".join(ulps_text(worst.ulps) for worst in worsts) for worsts in found.peers[name]
    )
    return few if few == every else f"{few} ({every})"


def show_accuracies(rows: Sequence[ComponentAccuracy]) -> None:
    """Write the table to standard output, and missed goals below it."""
    headers = ["component", "dtype", *_COLUMNS, _FORWARD, "points"]
    show_table(
        headers,
        [
            [
                found.text,
                found.dtype,
                *error_cells(found),
                forward_cell(found),
                str(min(worst.points for worst in found.results)),
            ]
            for found in rows
        ],
    )


def notes(rows: Iterable[ComponentAccuracy]) -> list[str]:
    """Return lines that explain the marks and the missed goals."""
    rows = list(rows)
    promised = {found.config["name"]: found.promised for found in rows if found.promised}
    lines = [f"{name}: {text}" for name, text in promised.items()]
    return lines + [f"! {line}" for found in rows for line in _format_missed(found)]


def _format_missed(found: ComponentAccuracy) -> list[str]:
    lines = []
    for worst in found.inaccurate_results():
        point = ", ".join(f"{name} = {value!r}" for name, value in (worst.at or {}).items())
        lines.append(
            f"{found.text} {found.dtype} {_COLUMNS[worst.order]}: {ulps_text(worst.ulps)} ULP, "
            f"goal {found.goal(worst.order):g}, at {point}: got {worst.computed!r}, "
            f"true {worst.truth}"
        )
    return lines


def table_row(found: ComponentAccuracy) -> dict[str, Any]:
    """Return the cells of a component in its dtype, and the notes below its tables."""
    return {
        "kind": found.kind,
        "name": found.config["name"],
        "component": found.text,
        "dtype": found.dtype,
        "rows": found.rows,
        **dict(zip(_COLUMNS, error_cells(found), strict=True)),
        _FORWARD: forward_cell(found),
        "peers": {name: _peer_cell(found, name) for name in found.peers},
        "promised": found.promised,
        "missed": _format_missed(found),
    }


def page(data: Mapping[str, Any]) -> str:
    """Return a page in Markdown.

    The data are ``rows``, see `table_row`, the ``peers`` with their versions, and a sentence about
    how they were ``measured``.
    """
    rows, versions = data["rows"], data["peers"]
    parts = [_HEAD, data["measured"]]
    if versions:
        listed = ", ".join(f"{name} {version}" for name, version in versions.items())
        parts.append(f"The other libraries are {listed}. {_PEERS}")
    for title, kind, of_rows in _SECTIONS:
        chosen = [one for one in rows if (one["kind"], one["rows"]) == (kind, of_rows)]
        parts += [f"## {title}", _table(chosen, list(versions))] if chosen else []
    if any(one["promised"] for one in rows):
        parts += ["## What is measured only at some sizes", _group_by_name(rows, "promised")]
    misses = [f"- {line}" for one in rows for line in one["missed"]]
    parts += ["## Where a goal is missed", *([_WHY, "\n".join(misses)] if misses else ["Nowhere."])]
    return "\n\n".join(parts) + "\n"


def _group_by_name(rows: Sequence[Mapping[str, Any]], key: str) -> str:
    texts = {one["name"]: one[key] for one in rows if one[key]}
    return "\n".join(f"- `{name}`: {text}" for name, text in texts.items()) or "Nothing."


def _table(rows: Sequence[Mapping[str, Any]], peers: Sequence[str]) -> str:
    # A library without any of these has no column.
    peers = [name for name in peers if any(name in one["peers"] for one in rows)]
    lines = [
        [f"`{one['component']}`", one["dtype"], *(one[name] for name in _COLUMNS),
         one.get(_FORWARD, ""), *(one["peers"].get(name, "") for name in peers)]
        for one in rows
    ]  # fmt: skip
    return markdown_table(["component", "dtype", *_COLUMNS, _FORWARD, *peers], lines, left=2)


_SECTIONS = (
    ("Losses of elements", "loss", False),
    ("Losses of rows", "loss", True),
    ("Activations", "activation", False),
    ("Activations of rows", "activation", True),
)

_HEAD = """# Accuracy

How many units in the last place (ULP) results are beyond what their arguments determine, at worst,
over all sizes of numbers that a component promises: neighbours of kinks and nearly equal pairs
included. An argument stands for the numbers within 4 units of it, and the exact results there are
an interval; [what right means](../explanation/what-right-means.md) explains the rule. Exact results
are those of the textbook formula in 60-digit numbers. `forward` is the error against the exact
result at the arguments themselves, of value / first / second derivative, at ordinary numbers, of
sizes from 1e-3 to 1e3: it can be large near a zero of the result.

The goals are 4 ULP for value and first derivative and 8 for the second, for what is computed
element by element, and 16 for functions of rows. `!` marks a goal that is missed. At a kink a
derivative is right between those on both sides. Wrappers, which need parts, are not in the
table."""

_PEERS = """Their columns hold value, first and second derivative as far as there are any, by their
own derivatives, on the same points without subnormal numbers; in brackets stands the error with
them, where it differs. JAX takes subnormal numbers for 0 on purpose. Keras averages float64 in
float32."""


_WHY = """What costs digits: a power multiplies the relative error of what is raised by its
exponent, and a deviance below 1e-28 is the square of a distance that floats no longer tell
from 0."""

"""The table of accuracies: as text, and as a page of the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lossfw.check.accuracy.measure import ComponentAccuracy
from lossfw.report.text.tables import markdown_table, show_table

# Columns by order of the derivative.
_COLUMNS = ("value", "first", "second")

# A digit more says nothing about a worst error.
_DIGITS = 2


def ulps(error: float) -> str:
    """Return an error as the table shows it.

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


def cells(found: ComponentAccuracy) -> list[str]:
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


def peer_cells(found: ComponentAccuracy) -> str:
    """Return the errors of other libraries: ``torch 2.0 / 3.5``.

    Errors that include subnormal numbers follow in brackets, where they differ.
    """
    return ", ".join(f"{name} {_peer_cell(found, name)}" for name in found.peers)


def _peer_cell(found: ComponentAccuracy, name: str) -> str:
    if name not in found.peers:
        return ""
    few, every = (" / ".join(ulps(worst.ulps) for worst in worsts) for worsts in found.peers[name])
    return few if few == every else f"{few} ({every})"


def show_accuracies(rows: Sequence[ComponentAccuracy], *, peers: bool) -> None:
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


def notes(rows: Iterable[ComponentAccuracy]) -> list[str]:
    """Return lines that explain the marks, and say where a goal is missed."""
    lines = []
    rows = list(rows)
    if any(worst.of_terms for found in rows for worst in found.results):
        lines.append("* in units of the largest term: the terms cancel where the result crosses 0")
    lines += [f"{name}: {text}" for name, text in _promises(rows).items()]
    for found in rows:
        for worst in found.missed():
            point = ", ".join(f"{name} = {value!r}" for name, value in (worst.at or {}).items())
            lines.append(
                f"! {found.text} {found.dtype} {_COLUMNS[worst.order]}: {ulps(worst.ulps)} ULP, "
                f"goal {found.goal(worst.order):g}, at {point}: got {worst.computed!r}, "
                f"true {worst.truth}"
            )
    return lines


def _promises(rows: Iterable[ComponentAccuracy]) -> dict[str, str]:
    """Return for which numbers results are promised by name: only there they are measured."""
    return {found.config["name"]: found.promised for found in rows if found.promised}


def page(rows: Sequence[ComponentAccuracy], versions: Mapping[str, str], measured: str) -> str:
    """Return the table as a page in Markdown."""
    parts = [_HEAD, measured]
    if versions:
        listed = ", ".join(f"{name} {version}" for name, version in versions.items())
        parts.append(f"The other libraries are {listed}. {_PEERS}")
    for title, chosen in _groups(rows):
        if chosen:
            parts += [f"## {title}", _table(chosen, list(versions))]
    by_name = {found.config["name"]: found.reason for found in rows if found.reason}
    reasons = [f"- `{name}`: {reason}" for name, reason in by_name.items()]
    parts += ["## What is measured against its largest term", "\n".join(reasons) or "Nothing."]
    promises = [f"- `{name}`: {text}" for name, text in _promises(rows).items()]
    parts += ["## What is measured only at some sizes", "\n".join(promises)] if promises else []
    misses = [f"- {line.removeprefix('! ')}" for line in notes(rows) if line.startswith("!")]
    parts += ["## Where a goal is missed", *([_WHY, "\n".join(misses)] if misses else ["Nowhere."])]
    return "\n\n".join(parts) + "\n"


_HEAD = """# Accuracy

How many units in the last place (ULP) results are off, at worst, over the whole domain: subnormal
numbers, neighbours of kinks, nearly equal pairs and the largest floats included. The truth is the
textbook formula in 60-digit numbers; derivatives are checked by its differences. Nothing is taken
out for the conditioning of a function, but that the difference of prediction and target is a
float at all points of a distance loss: the rounding of `y - t` is the same whoever computes the
loss.

The goals are 4 ULP for value and first derivative and 8 for the second, for what is computed
element by element, and 16 for functions of rows. `!` marks a goal that is missed, `*` a result
that is measured in units of its largest term, since its terms cancel where it goes through 0. At a
kink a derivative is right between the one-sided ones. An infinite result is right where the truth
is beyond the largest float. Wrappers, which need parts, are not in the table."""

_PEERS = """Their columns hold value, first and second derivative as far as there are any, by their
own derivatives, on the same points without subnormal numbers; in brackets stands the error with
them, where it differs. JAX takes subnormal numbers for 0 on purpose. Keras averages float64 in
float32."""


_WHY = """What costs digits at parameters far from the defaults: a power multiplies the relative
error of what is raised by its exponent, and where a subnormal number enters a product, which has
but a few digits, so has the result."""


def _groups(rows: Sequence[ComponentAccuracy]) -> list[tuple[str, list[ComponentAccuracy]]]:
    def chosen(kind: str, of_rows: bool) -> list[ComponentAccuracy]:
        return [found for found in rows if found.kind == kind and found.rows == of_rows]

    return [
        ("Losses of elements", chosen("loss", False)),
        ("Losses of rows", chosen("loss", True)),
        ("Activations", chosen("activation", False)),
        ("Activations of rows", chosen("activation", True)),
    ]


def _table(rows: Sequence[ComponentAccuracy], peers: Sequence[str]) -> str:
    # A library without any of these has no column.
    peers = [name for name in peers if any(name in found.peers for found in rows)]
    lines = []
    for found in rows:
        others = [_peer_cell(found, name) for name in peers]
        lines.append([f"`{found.text}`", found.dtype, *cells(found), *others])
    headers = ["component", "dtype", *_COLUMNS, *peers]
    return markdown_table(headers, lines, left=2)

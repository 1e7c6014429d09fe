"""A comparison of runs as tables: on the terminal, as Markdown and as CSV."""

from __future__ import annotations

import csv
import io
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from lossfw.report.text.interval_counts import has_intervals, why_none
from lossfw.report.text.rounding import with_interval
from lossfw.report.text.seeds import (
    difference_over_seeds,
    mean_text,
    measures_of,
    seed_remark,
)
from lossfw.report.text.tables import fitted, markdown_table, show_table
from lossfw.runs.compare import (
    ComparedSlice,
    Comparison,
    Difference,
    FinishedRun,
    FinishedTraining,
    RunNumber,
    TrainingComparison,
)
from lossfw.runs.compare.settings import as_text, as_texts
from lossfw.runs.files import say

# More settings than this have a table of their own.
MOST_BESIDE = 3

_CLEAR = " *"
_LESS = "less "
# A spreadsheet takes a cell that begins with one of these for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class TextTable(NamedTuple):
    """A table of text: headers, and rows that begin with their names."""

    headers: list[str]
    rows: list[list[str]]


def show(comparison: Comparison) -> None:
    """Write a comparison to standard output; on a terminal in tables that fit its width."""
    names = [run.name for run in comparison.runs]
    show_tables(tables(comparison), names, remarks(comparison))


def show_tables(shown: Sequence[TextTable], names: Sequence[str], told: Sequence[str]) -> None:
    """Write tables and remarks to standard output; on a terminal in tables that fit its width.

    Parameters
    ----------
    shown : sequence of TextTable
        The tables.
    names : sequence of str
        Of the runs, which a terminal shows without what their keys have in common.
    told : sequence of str
        The remarks.
    """
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns
        short = _short_names(names)
        shown = [TextTable(*piece) for t in shown for piece in fitted(*_renamed(t, short), width)]
    for index, table in enumerate(shown):
        if index:
            say("")
        show_table(table.headers, table.rows)
    say("")
    for line in told:
        say(line)


def _short_names(names: Sequence[str]) -> dict[str, str]:
    """Return the names of a sweep's runs without the common beginning of their keys.

    Examples
    --------
    >>> short = _short_names(["network.layers.0.units=5,network.dtype=x", "network.dtype=y"])
    >>> list(short.values())
    ['layers.0.units=5,dtype=x', 'dtype=y']
    >>> list(_short_names(["v1.0", "v1.1"]).values())
    ['v1.0', 'v1.1']
    """
    parts = [part for name in names for part in name.split(",")]
    keys = [part.partition("=")[0].split(".") for part in parts if "=" in part]
    shared = 0
    if len(keys) == len(parts):
        # The last part of a key stays, and so does a number with the part before it.
        while all(len(k) > shared + 1 and k[shared] == keys[0][shared] for k in keys):
            shared += 1
        while shared and any(key[shared].isdigit() for key in keys):
            shared -= 1
    drop = ".".join([*keys[0][:shared], ""]) if shared else ""
    return {name: ",".join(p.removeprefix(drop) for p in name.split(",")) for name in names}


def _renamed(table: TextTable, names: Mapping[str, str]) -> TextTable:
    """Return a table with shorter names of runs, also in its headers."""
    first = table.headers[0]
    base = first.removeprefix(_LESS)
    headers = [f"{_LESS}{names[base]}" if base in names and base != first else first]
    headers += [names.get(header, header) for header in table.headers[1:]]
    return TextTable(headers, [[names.get(row[0], row[0]), *row[1:]] for row in table.rows])


def tables(comparison: Comparison) -> list[TextTable]:
    """Return the tables of a comparison; for two runs the measures are the rows."""
    results = [_of_two(comparison)] if len(comparison.runs) == 2 else list(_of_many(comparison))
    if len(comparison.runs) == 2:
        # The runs are the columns, the baseline first.
        comparison = replace(comparison, runs=comparison.given)
    beside = len(comparison.runs) > 2 and len(comparison.settings) <= MOST_BESIDE
    before = [] if beside or not comparison.settings else [_settings(comparison)]
    surroundings = [_surroundings(comparison)] if comparison.surroundings else []
    seeds = seed_tables(comparison, comparison.single, "run")
    return [*before, *surroundings, *results, *seeds, *_by_slice(comparison)]


def seed_tables(
    comparison: Comparison | TrainingComparison, shown: Sequence[str], called: str
) -> Iterator[TextTable]:
    """Yield the table of means over seeds, and that of differences from the first settings.

    Parameters
    ----------
    comparison : Comparison or TrainingComparison
    shown : sequence of str
        The measures of the other tables.
    called : str
        One of what is compared.
    """
    groups = comparison.seeds
    names = measures_of(groups, shown)
    titles = [comparison.title(name) for name in names]
    if groups:
        rows = [
            [group.name, str(len(group.members))]
            + [mean_text(group.numbers.get(name)) for name in names]
            for group in groups
        ]
        yield TextTable([f"{called}s over seeds", "seeds", *titles], rows)
    less = [group for group in groups[1:] if group.differences]
    if less:
        rows = [
            [group.name, *(difference_over_seeds(group.differences.get(name)) for name in names)]
            for group in less
        ]
        yield TextTable([f"{_LESS}{groups[0].name}", *titles], rows)


def _settings(comparison: Comparison) -> TextTable:
    values = {k: [run.settings.get(k) for run in comparison.runs] for k in comparison.settings}
    return _by_key("setting", values, comparison)


def _surroundings(comparison: Comparison) -> TextTable:
    order = [comparison.given.index(run) for run in comparison.runs]
    values = {key: [of[i] for i in order] for key, of in comparison.surroundings.items()}
    return _by_key("besides", values, comparison)


def _by_key(name: str, values: dict[str, list[Any]], comparison: Comparison) -> TextTable:
    rows = [[key, *as_texts(of)] for key, of in values.items()]
    return TextTable([name, *(run.name for run in comparison.runs)], rows)


def _of_two(comparison: Comparison) -> TextTable:
    base = comparison.baseline
    other = next(run for run in comparison.runs if run is not base)
    headers = ["result", base.name, other.name]
    compared = other.name in comparison.differences
    rows = []
    for name in comparison.single:
        row = [
            comparison.title(name),
            *(number_text(comparison.number(run, name)) for run in (base, other)),
        ]
        if compared:
            row.append(difference_text(comparison.difference(other, name)))
        rows.append(row)
    return TextTable(headers + (["second less first"] if compared else []), rows)


def _of_many(comparison: Comparison) -> Iterator[TextTable]:
    beside = settings_beside(comparison.settings, comparison.runs)
    titles = [comparison.title(name) for name in comparison.single]
    yield TextTable(
        ["run", *beside, *titles],
        [
            [run.name]
            + [as_text(run.settings.get(key)) for key in beside]
            + [number_text(comparison.number(run, name)) for name in comparison.single]
            for run in comparison.runs
        ],
    )
    if comparison.differences:
        rows = [
            [run.name, *(difference_text(comparison.difference(run, n)) for n in comparison.single)]
            for run in comparison.runs
            if run.name in comparison.differences
        ]
        yield TextTable([f"{_LESS}{comparison.baseline.name}", *titles], rows)


def _by_slice(comparison: Comparison) -> Iterator[TextTable]:
    """Yield a table for each measure with a line for each part of the rows, and its differences."""
    base, parts = comparison.baseline, comparison.slices
    others = [run for run in comparison.runs if run is not base]
    for name in comparison.sliced:
        head = [f"{comparison.title(name)} by {comparison.by}", "rows"]
        rows = [[part.value, f"{part.count:,}"] for part in parts]
        numbers = [
            [number_text(part.number(run, name)) for run in comparison.runs] for part in parts
        ]
        less = [[difference_text(part.difference(run, name)) for run in others] for part in parts]
        headers = [run.name for run in comparison.runs]
        if len(others) == 1:
            cells = [[*a, *b, *c] for a, b, c in zip(rows, numbers, less, strict=True)]
            yield TextTable([*head, *headers, "second less first"], cells)
            continue
        yield TextTable([*head, *headers], [[*a, *b] for a, b in zip(rows, numbers, strict=True)])
        named = [run.name for run in others]
        cells = [[*a, *b] for a, b in zip(rows, less, strict=True)]
        yield TextTable([f"{head[0]}, {_LESS}{base.name}", "rows", *named], cells)


def settings_beside(
    settings: Mapping[str, Any], compared: Sequence[FinishedRun | FinishedTraining]
) -> list[str]:
    """Return the settings that stand beside the numbers: a few, but for those in all names.

    The name of each run of a sweep holds its values.
    """
    return [
        key
        for key in settings
        if len(settings) <= MOST_BESIDE
        and not all(f"{key}={as_text(one.settings.get(key))}" in one.name for one in compared)
    ]


def number_text(number: RunNumber) -> str:
    """Return a number with its interval.

    Examples
    --------
    >>> number_text(RunNumber(0.96314, [0.947, 0.979]))
    '0.9631 [0.9470, 0.9790]'
    >>> number_text(RunNumber(0.25)), number_text(RunNumber(None))
    ('0.25', '-')
    """
    return with_interval(*number)


def difference_text(difference: Difference) -> str:
    """Return a difference with its interval, and a star if that leaves out 0.

    Examples
    --------
    >>> difference_text(Difference(0.0123, [0.001, 0.0236])), difference_text(Difference(0.0))
    ('+0.012 [+0.001, +0.024] *', '0')
    """
    text = with_interval(difference.value, difference.interval, sign=True)
    return text + (_CLEAR if difference.clear else "")


def remarks(comparison: Comparison) -> list[str]:
    """Return remarks about the tables, in sentences."""
    lines = facts(comparison)
    if lists := comparison.lists:
        lines.append(f"Not shown here, but by --json: {', '.join(lists)}.")
    return [*lines, *(f"note: {note}" for note in comparison.notes)]


def facts(comparison: Comparison, where: str = "In brackets") -> list[str]:
    """Return what the intervals and stars of a comparison mean, in sentences for any reader.

    Parameters
    ----------
    comparison : Comparison
    where : str
        The place of the intervals.
    """
    options = comparison.intervals
    lines = []
    ranges = [n.interval for one in comparison.numbers.values() for n in one.values()]
    if any(ranges):
        lines.append(f"{where}: {100 * options.level:.4g}% intervals, by the {options.method}.")
    clear = has_intervals(comparison)
    if clear or comparison.paired:
        count = comparison.baseline.result["count"]
        star = "; * marks an interval that leaves out 0" if clear else ""
        lines.append(f"Differences are paired by {count:,} rows{star}.")
    if comparison.differences and not clear:
        lines.append(f"No difference has an interval, because {why_none(comparison)}.")
    if comparison.seeds:
        lines.append(seed_remark(comparison.seeds, options.level))
    if not comparison.settings:
        lines.append("The configurations say the same.")
    return lines


def markdown(comparison: Comparison) -> str:
    """Return a comparison as tables of Markdown, with its remarks."""
    return markdown_of(tables(comparison), remarks(comparison))


def markdown_of(shown: Sequence[TextTable], told: Sequence[str]) -> str:
    """Return tables and remarks as Markdown."""
    parts = []
    for table in shown:
        headers, *rows = ([escaped(cell) for cell in line] for line in (table.headers, *table.rows))
        parts.append(markdown_table(headers, rows, left=1))
    return "\n\n".join([*parts, *map(escaped, told)])


def escaped(text: str) -> str:
    r"""Escape a text for Markdown.

    Examples
    --------
    >>> print(escaped("a|b_c <d> *"))
    a\|b\_c \<d> \*
    """
    for mark in "\\|_*<`[":
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())


def comma_separated(comparison: Comparison) -> str:
    """Return a comparison as CSV: a line for each run, with all digits of its numbers.

    Lines for the parts of its rows follow, where there are any.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    measured = [
        f"{name}{part}"
        for name in comparison.single
        for part in ("", ".low", ".high", ".difference", ".difference.low", ".difference.high")
    ]
    by = [comparison.by, "rows"] if comparison.by else []
    writer.writerow(["run", *map(no_formula, (*comparison.settings, *by, *measured))])
    for run in comparison.runs:
        settings = [cell_of(run.settings.get(key)) for key in comparison.settings]
        named = [no_formula(run.name), *settings]
        whole = ["", run.result["count"]] if by else []
        writer.writerow([*named, *whole, *_cells(comparison, comparison, run)])
        for part in comparison.slices:
            own = [no_formula(part.value), part.count]
            writer.writerow([*named, *own, *_cells(comparison, part, run)])
    return text.getvalue().rstrip("\n")


def cell_of(value: Any) -> str:
    """Return a setting as a cell of CSV, which is empty where the setting is not made.

    Examples
    --------
    >>> cell_of(None), cell_of(0.5), cell_of("=1+1")
    ('', '0.5', "'=1+1")
    """
    return "" if value is None else no_formula(as_text(value))


def no_formula(cell: str) -> str:
    """Return a text that a spreadsheet takes for a text, and not for a formula."""
    if not cell.startswith(_FORMULA):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell


def _cells(
    comparison: Comparison, of: Comparison | ComparedSlice, run: FinishedRun
) -> Iterator[Any]:
    for name in comparison.single:
        for value, interval in (of.number(run, name), of.difference(run, name)):
            yield from (value, *(interval or (None, None)))

"""A comparison of runs or trainings as text, Markdown and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from lossfw.evaluation.intervals.recipes import LEAST_SEEDS
from lossfw.report.text.over_seeds import (
    LESS,
    TextTable,
    difference_text,
    seed_remarks,
    seed_tables,
    star_meaning,
)
from lossfw.report.text.tables import (
    markdown_table,
    show_table,
    text_with_interval,
)
from lossfw.runs.compare import ComparedSlice, Comparison, FinishedRun, RunNumber
from lossfw.runs.compare.best import BestRun
from lossfw.runs.compare.recipes import FOLDS
from lossfw.runs.compare.settings import format_setting, format_settings
from lossfw.runs.files import write_stdout

_NOT_MEASURED = "not all runs have this number"

# More settings than this have a table of their own.
_MOST_BESIDE = 3

# What it takes to tell recipes apart.
_RECIPES = f"; for recipes take at least {LEAST_SEEDS} seeds"
_SEEDS = f"For recipes take at least {LEAST_SEEDS} seeds, and keep rows or intervals."

# Between the parts of the line on the best run.
_BETWEEN = "  "

# A spreadsheet takes a cell that begins with one of these for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

# The columns of a measure in CSV; a training has only the first.
_COLUMNS = ("", ".low", ".high", ".difference", ".difference.low", ".difference.high")


def remarks(comparison: Comparison) -> list[str]:
    """Return remarks about the tables, in sentences."""
    lines = interval_facts(comparison)
    lines += seed_remarks(comparison.seeds, comparison.intervals.level, _SEEDS)
    if lists := comparison.lists:
        lines.append(f"Not shown here, but by --json: {', '.join(lists)}.")
    return [*lines, *(f"note: {note}" for note in comparison.notes)]


def interval_facts(comparison: Comparison, where: str = "In brackets") -> list[str]:
    """Return sentences on what intervals and stars mean; `where` is their place."""
    options = comparison.intervals
    lines = []
    ranges = [n.interval for one in comparison.numbers.values() for n in one.values()]
    if any(ranges):
        lines.append(f"{where}: {100 * options.level:.4g}% intervals, by the {options.method}.")
    clear = has_intervals(comparison)
    if clear or comparison.paired:
        paired_by = comparison.paired_by or _format_count(
            comparison.baseline.result["count"], "row"
        )
        star = f" {stars}" if (stars := star_line(comparison)) else ""
        recipes = _RECIPES if _takes_seeds(comparison) else ""
        lines.append(f"Differences are paired by {paired_by}; given these models{recipes}.{star}")
    if comparison.differences and not clear:
        why = missing_interval_reasons(comparison, comparison.single)
        lines.append(f"No difference has an interval, because {why}.")
    if not comparison.settings:
        lines.append("The configurations say the same.")
    return lines


def star_line(comparison: Comparison) -> str:
    """Return what the stars after differences mean; empty without stars."""
    stars = comparison.together and has_intervals(comparison)
    return star_meaning(comparison.together) if stars else ""


def best_lines(comparison: Comparison, between: str = _BETWEEN) -> list[str]:
    """Return the lines about the best run of a comparison."""
    winner = comparison.winner
    by = winner.by if isinstance(winner, BestRun) else ""
    return winner_lines(winner, comparison.title(by), between)


def winner_lines(
    winner: BestRun | str | None, title: str = "", between: str = _BETWEEN
) -> list[str]:
    """Return the lines about the best of many runs; `title` is that of its number."""
    if winner is None:
        return []
    if isinstance(winner, str):
        return [f"No run is named the best, because {winner}."]
    seeds = f" (mean of {len(winner.runs)} seeds)" if len(winner.runs) > 1 else ""
    best = (
        f"best of {winner.count} by {title or winner.by}",
        f"{winner.name}{seeds}",
        _number_text(winner.number),
        f"corrected for the choice: {_number_text(winner.corrected)}",
    )
    lines = [
        between.join(best),
        f"within one standard error of the best: {', '.join(winner.near) or 'no other'}",
    ]
    if winner.undefined:
        left_out = ", ".join(winner.undefined)
        lines.append(f"left out, because {winner.by} is not finite: {left_out}")
    return lines


def _takes_seeds(comparison: Comparison) -> bool:
    """Tell whether more seeds of the same runs would tell recipes: they are of trained folds."""
    trained = comparison.kind == "run" and all(FOLDS in run.settings for run in comparison.runs)
    return trained and not comparison.has_recipes


def has_intervals(comparison: Comparison) -> bool:
    """Tell whether any difference in the tables has an interval."""
    return any(
        comparison.difference(run, name).interval
        for run in comparison.runs
        for name in comparison.single
    )


def interval_count(comparison: Comparison, name: str) -> str:
    """Return the number of runs whose difference has an interval that excludes 0, for a caption.

    Runs without an interval are not counted, and the reason is given.
    """
    runs = [run for run in comparison.runs if run.name in comparison.differences]
    differences = [comparison.difference(run, name) for run in runs]
    known = sum(bool(difference.interval) for difference in differences)
    clear = sum(difference.clear for difference in differences)
    because = missing_interval_reasons(comparison, [name])
    if not known:
        which = "it has no" if len(runs) == 1 else "none of them has an"
        return f"{which} interval, because {because}"
    counted = f"in {clear} of {'the ' if known < len(runs) else ''}{known} runs"
    if known == len(runs):
        if known == 1:
            return f"the interval {'leaves out' if clear else 'includes'} 0"
        return f"{counted} the interval excludes 0"
    found = f"{counted} with an interval it excludes 0"
    if known == 1:
        found = f"the interval of the only run with one {'excludes' if clear else 'includes'} 0"
    rest = len(runs) - known
    have = "1 run has" if rest == 1 else f"{rest} runs have"
    return f"{found}; {have} none, because {because}"


def missing_interval_reasons(comparison: Comparison, names: Iterable[str]) -> str:
    """Return the reasons why differences of these measures have no interval."""
    found = dict.fromkeys(
        comparison.lacking[run].get(name, _NOT_MEASURED)
        for name in names
        for run, of in comparison.differences.items()
        if not (name in of and of[name].interval)
    )
    return ", or because ".join(found)


def show_comparison(comparison: Comparison) -> None:
    """Write a comparison to standard output."""
    for index, table in enumerate(comparison_tables(comparison)):
        if index:
            write_stdout("")
        show_table(table.headers, table.rows)
    for lines in (best_lines(comparison), remarks(comparison)):
        if lines:
            write_stdout("")
        for line in lines:
            write_stdout(line)


def comparison_tables(comparison: Comparison) -> list[TextTable]:
    """Return the tables of a comparison; for two runs the measures are the rows."""
    two = comparison.kind == "run" and len(comparison.runs) == 2
    results = [_two_run_table(comparison)] if two else list(_many_run_tables(comparison))
    if two:
        # The runs are the columns, the baseline first.
        comparison = replace(comparison, runs=comparison.given)
    names = [run.name for run in comparison.runs]
    before = []
    if comparison.settings and (two or len(comparison.settings) > _MOST_BESIDE):
        before.append(TextTable(["setting", *names], setting_rows(comparison, comparison.settings)))
    if comparison.surroundings:
        rows = setting_rows(comparison, comparison.surroundings)
        before.append(TextTable(["besides", *names], rows))
    titles = {name: comparison.title(name) for name in comparison.single}
    seeds = seed_tables(comparison.seeds, comparison.kind, titles)
    return [*before, *results, *seeds, *_slice_tables(comparison)]


def setting_rows(comparison: Comparison, values: Mapping[str, list[Any]]) -> list[list[str]]:
    """Return one row of text per key, with the value of each run in the order of the table."""
    order = [comparison.given.index(run) for run in comparison.runs]
    return [
        [key, *format_settings([given[place] for place in order])] for key, given in values.items()
    ]


def _two_run_table(comparison: Comparison) -> TextTable:
    base = comparison.baseline
    other = next(run for run in comparison.runs if run is not base)
    compared = other.name in comparison.differences
    rows = [
        [comparison.title(name)]
        + [_number_text(comparison.number(run, name)) for run in (base, other)]
        + ([difference_text(comparison.difference(other, name))] if compared else [])
        for name in comparison.single
    ]
    less = ["second - first"] if compared else []
    return TextTable(["result", base.name, other.name, *less], rows)


def _many_run_tables(comparison: Comparison) -> Iterator[TextTable]:
    beside = _shown_settings(comparison)
    titles = [comparison.title(name) for name in comparison.single]
    yield TextTable(
        [comparison.kind, *beside, *comparison.extra_columns, *titles],
        [
            [run.name, *(format_setting(run.settings.get(key)) for key in beside)]
            + [*comparison.extra_cells(run)]
            + [_number_text(comparison.number(run, name)) for name in comparison.single]
            for run in comparison.runs
        ],
    )
    if comparison.differences:
        rows = [
            [run.name, *(difference_text(comparison.difference(run, n)) for n in comparison.single)]
            for run in comparison.runs
            if run.name in comparison.differences
        ]
        yield TextTable([f"{LESS}{comparison.baseline.name}", *titles], rows)


def _shown_settings(comparison: Comparison) -> list[str]:
    """Return the settings next to the numbers: a few, except for those in the names of all runs.

    The name of each run of a sweep holds its values.
    """
    if len(comparison.settings) > _MOST_BESIDE:
        return []
    return [
        key
        for key in comparison.settings
        if not all(
            f"{key}={format_setting(run.settings.get(key))}" in run.name for run in comparison.runs
        )
    ]


def _slice_tables(comparison: Comparison) -> Iterator[TextTable]:
    """Yield a table for each measure with a line for each part of the rows, and its differences."""
    base, parts = comparison.baseline, comparison.slices
    others = [run for run in comparison.runs if run is not base]
    for name in comparison.sliced:
        head = [f"{comparison.title(name)} by {comparison.by}", "rows"]
        cells = [
            [part.value, f"{part.count:,}"]
            + [_number_text(part.number(run, name)) for run in comparison.runs]
            for part in parts
        ]
        less = [[difference_text(part.difference(run, name)) for run in others] for part in parts]
        headers = [*head, *(run.name for run in comparison.runs)]
        if len(others) == 1:
            joined = [[*a, *b] for a, b in zip(cells, less, strict=True)]
            yield TextTable([*headers, "second - first"], joined)
            continue
        yield TextTable(headers, cells)
        of_others = [[*a[:2], *b] for a, b in zip(cells, less, strict=True)]
        named = [run.name for run in others]
        yield TextTable([f"{head[0]}, {LESS}{base.name}", "rows", *named], of_others)


def _number_text(number: RunNumber) -> str:
    return text_with_interval(number.value, number.interval)


def comparison_markdown(comparison: Comparison) -> str:
    """Return a comparison as Markdown tables with remarks."""
    parts = []
    for table in comparison_tables(comparison):
        lines = (table.headers, *table.rows)
        headers, *rows = ([escape_markdown(cell) for cell in line] for line in lines)
        parts.append(markdown_table(headers, rows, left=1))
    said = [*best_lines(comparison), *remarks(comparison)]
    return "\n\n".join([*parts, *map(escape_markdown, said)])


def escape_markdown(text: str) -> str:
    r"""Escape a text for Markdown.

    Examples
    --------
    >>> print(escape_markdown("a|b_c <d> *"))
    a\|b\_c \<d> \*
    """
    for mark in "\\|_*<`[":
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())


def comparison_csv(comparison: Comparison) -> str:
    """Return a comparison as CSV: one line per run, with all digits of its numbers.

    Lines for parts of the rows follow, if any.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = _COLUMNS if comparison.kind == "run" else _COLUMNS[:1]
    measured = [f"{name}{part}" for name in comparison.single for part in columns]
    by = [comparison.by, "rows"] if comparison.by else []
    head = (*comparison.settings, *comparison.extra_columns, *by, *measured)
    writer.writerow([comparison.kind, *map(_escape_spreadsheet_formula, head)])
    for run in comparison.runs:
        # A setting that is not made is an empty cell, unlike a text such as "-".
        settings = [run.settings.get(key) for key in comparison.settings]
        cells = [
            "" if value is None else _escape_spreadsheet_formula(format_setting(value))
            for value in settings
        ]
        named = [_escape_spreadsheet_formula(run.name), *cells, *comparison.extra_cells(run)]
        whole = ["", run.result["count"]] if by else []
        writer.writerow([*named, *whole, *_cells(comparison, comparison, run, len(columns))])
        for part in comparison.slices:
            own = [_escape_spreadsheet_formula(part.value), part.count]
            writer.writerow([*named, *own, *_cells(comparison, part, run, len(columns))])
    return text.getvalue().rstrip("\n")


def _escape_spreadsheet_formula(cell: str) -> str:
    """Return a text that a spreadsheet takes for a text, and not for a formula.

    Examples
    --------
    >>> _escape_spreadsheet_formula("-0.5"), _escape_spreadsheet_formula("=1+1")
    ('-0.5', "'=1+1")
    """
    if not cell.startswith(_FORMULA):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell


def _cells(
    comparison: Comparison, source: Comparison | ComparedSlice, run: FinishedRun, count: int
) -> Iterator[Any]:
    """Yield the first cells of each measure: number and difference, each with its ends."""
    for name in comparison.single:
        pairs = (source.number(run, name), source.difference(run, name))
        cells = [x for n in pairs for x in (n.value, *(n.interval or (None, None)))]
        yield from cells[:count]


def _format_count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"

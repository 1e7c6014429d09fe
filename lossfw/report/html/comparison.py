"""The page of a comparison: the numbers of runs, and their differences from the first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lossfw.components.naming import printable
from lossfw.evaluation.slices import named_after
from lossfw.report.html.inline_svg import WIDTH, inline
from lossfw.report.html.render import breakable, render
from lossfw.report.html.run_plots import FRAME, PART, draw_numbers
from lossfw.report.html.sensitivity_plots import Picture
from lossfw.report.plots.style import INK, PAGE, drawing
from lossfw.report.text.comparison import facts, seed_tables
from lossfw.report.text.interval_counts import has_intervals, interval_count, why_none
from lossfw.report.text.rounding import as_interval, as_rounded
from lossfw.runs.compare import Comparison, Difference, FinishedRun, RunNumber
from lossfw.runs.compare.finished_run import is_number
from lossfw.runs.compare.settings import as_texts
from lossfw.runs.folder import REPORT_FILE
from lossfw.version import __version__

# Plots show the numbers of runs in place of longer names.
_LONGEST_LABEL = 14


def comparison_page(comparison: Comparison, title: str, beside: Path | None = None) -> str:
    """Return the page of a comparison.

    Parameters
    ----------
    comparison : Comparison
        The runs, in the order of the page.
    title : str
        The title of the page.
    beside : Path, optional
        The folder of the page, which links the reports of runs in this folder.

    Raises
    ------
    MissingExtraError
        If jinja2 or matplotlib is not installed.
    """
    differing = bool(comparison.settings or comparison.surroundings)
    sections = [("result", "Result"), ("plots", "Plots")]
    sections += [("seeds", "Over seeds")] if comparison.seeds else []
    sections += [("slices", "Parts of the rows")] if comparison.by else []
    sections += [("settings", "Differences")] if differing else []
    return render(
        "compare.html",
        kind="lossfw comparison",
        title=title,
        lead=breakable(" · ".join(_lead(comparison))),
        sections=[*sections, ("notes", "Notes")],
        foot=f"Written by lossfw {__version__}.",
        titles=[comparison.title(name) for name in comparison.single],
        baseline=comparison.baseline.name,
        rows=[_row(comparison, index, beside) for index in range(len(comparison.runs))],
        plots=[_plot(comparison, name, place) for place, name in enumerate(comparison.single)],
        slices=[_by_slice(comparison, name) for name in comparison.sliced],
        settings=list(_settings(comparison)),
        labels=_labels(comparison.runs),
        ranges=any(n.interval for of in comparison.numbers.values() for n in of.values()),
        compared=bool(comparison.differences),
        stars=has_intervals(comparison),
        why=why_none(comparison) if comparison.differences else "",
        seeds=list(seed_tables(comparison, comparison.single, "run")),
        notes=list(_notes(comparison)),
    )


def _lead(comparison: Comparison) -> Iterator[str]:
    """Yield what is under the title: the data, a condition on their rows included."""
    of = comparison.baseline
    if len({run.data for run in comparison.runs}) == 1:
        yield str((of.record.get("data") or {}).get("name", "data"))
    yield f"{of.result['count']:,} rows"
    yield f"compared with {of.name}"


def _notes(comparison: Comparison) -> Iterator[str]:
    """Yield what a reader of the page has to know, without files and options."""
    yield from facts(comparison, "Below each number")
    if comparison.lists:
        yield f"Each run has more in its metrics.json: {', '.join(comparison.lists)}."
    names = {*comparison.measures, *(run.name for run in comparison.runs)}
    for note in comparison.notes:
        first = note.text.split()[0].strip(":,")
        yield note.sentence if first in names else note.sentence[0].upper() + note.sentence[1:]


def _row(comparison: Comparison, index: int, beside: Path | None) -> dict[str, Any]:
    run = comparison.runs[index]
    return {
        "number": index + 1,
        "name": run.name,
        "link": link_to(run.path, beside),
        "baseline": run is comparison.baseline,
        "cells": [_cell(comparison, run, name) for name in comparison.single],
    }


def _by_slice(comparison: Comparison, name: str) -> dict[str, Any]:
    """Return a table of a measure: a line for each part of the rows, a cell for each run."""
    return {
        "title": f"{comparison.title(name)} by {named_after(comparison.by)}",
        "by": named_after(comparison.by),
        "rows": [
            {
                "value": part.value,
                "count": part.count,
                "cells": [
                    _cell_of(part.number(run, name), part.difference(run, name))
                    for run in comparison.runs
                ],
            }
            for part in comparison.slices
        ],
    }


def link_to(folder: Path, beside: Path | None) -> str:
    """Return the address of a run's report relative to a folder, empty if it is not in it."""
    report = (folder / REPORT_FILE).resolve()
    if beside is None or not report.is_relative_to(beside.resolve()) or not report.is_file():
        return ""
    from urllib.parse import quote

    return quote(report.relative_to(beside.resolve()).as_posix())


def _cell(comparison: Comparison, run: FinishedRun, name: str) -> dict[str, Any]:
    return _cell_of(comparison.number(run, name), comparison.difference(run, name))


def _cell_of(number: RunNumber, difference: Difference) -> dict[str, Any]:
    cell: dict[str, Any] = {
        "value": "–" if number.value is None else as_rounded(*number),
        "interval": as_interval(number.interval),
        "difference": "",
        "between": "",
        "star": difference.clear,
    }
    if difference.value is not None:
        cell["difference"] = as_rounded(*difference, sign=True)
        cell["between"] = as_interval(difference.interval, sign=True)
    return cell


def _settings(comparison: Comparison) -> Iterator[list[str]]:
    order = [comparison.given.index(run) for run in comparison.runs]
    for table in (comparison.settings, comparison.surroundings):
        for key, values in table.items():
            yield [key, *as_texts([values[place] for place in order])]


def _plot(comparison: Comparison, name: str, place: int) -> Picture:
    """Draw a measure of every run with its interval, and the differences beside it."""
    runs, title = comparison.runs, comparison.title(name)
    numbers = [_drawable(*comparison.number(run, name)) for run in runs]
    differences = [_drawable(*comparison.difference(run, name)) for run in runs]
    both = any(differences)
    with drawing(WIDTH, FRAME + 0.15 + PART * len(runs), PAGE) as figure:
        panels = figure.subplots(1, 2 if both else 1, sharey=True, squeeze=False)[0]
        draw_numbers(panels[0], numbers)
        panels[0].set_yticks(range(len(runs)), _labels(runs))
        panels[0].set_title(title)
        if both:
            draw_numbers(panels[1], differences, PAGE.colours[1])
            panels[1].axvline(0, color=INK, linewidth=0.9)
            panels[1].set_title("difference")
        for axes in panels:
            # Two numbers on an axis are enough, and more would run into each other.
            axes.locator_params(axis="x", nbins=4)
        known = [(n.value, label) for n, label in zip(numbers, _labels(runs), strict=True) if n]
        caption = "No run has a number."
        if known:
            (low, least), (high, most) = min(known), max(known)
            caption = f"{title}: from {low:.4g} ({least}) to {high:.4g} ({most})."
            if low == high:
                caption = f"{title}: {low:.4g} in every run."
        if both:
            caption += f" Right: the difference; {interval_count(comparison, name)}."
        return Picture(inline(figure, f"measure-{place}", f"{title} by run", caption), caption)


def _labels(runs: Sequence[FinishedRun]) -> list[str]:
    return labels([run.name for run in runs])


def labels(names: Sequence[str]) -> list[str]:
    """Return names for a plot: numbers where one of them is long."""
    shown = list(map(printable, names))
    if all(len(name) <= _LONGEST_LABEL for name in shown):
        return shown
    return [f"#{index}" for index in range(1, len(names) + 1)]


def _drawable(value: Any, interval: Any) -> RunNumber | None:
    """Return a number that an axis can show, or None."""
    return RunNumber(value, interval) if is_number(value) else None

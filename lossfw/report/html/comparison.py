"""The page of a comparison of runs or trainings, with a picture per measure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lossfw.components.naming import printable
from lossfw.evaluation.slices import default_slice_name
from lossfw.report.html.picture import WIDTH, Picture, page_axes, to_picture
from lossfw.report.html.render import breakable, render
from lossfw.report.html.run_plots import FRAME, PART, draw_numbers
from lossfw.report.html.training import needs_log_scale
from lossfw.report.plots.style import INK, PAGE, drawing, use_log_scale
from lossfw.report.text.comparison import (
    best_lines,
    interval_count,
    interval_facts,
    missing_interval_reasons,
    setting_rows,
    star_line,
)
from lossfw.report.text.over_seeds import seed_remarks, seed_tables
from lossfw.report.text.tables import number_text
from lossfw.runs.compare import Comparison, RunNumber, TrainingComparison
from lossfw.runs.compare.finished import is_number
from lossfw.runs.folder import REPORT_FILE
from lossfw.version import __version__

# Plots show the numbers of runs in place of longer names.
_LONGEST_LABEL = 14
_CURVES_HEIGHT = 3.8
# How pale the curves are that have no name in the legend.
_PALE = 0.25


def comparison_page(comparison: Comparison, title: str, link_base: Path | None = None) -> str:
    """Return the page of a comparison.

    It links the reports of runs in the folder `link_base`, which is that of the page.
    """
    trains = isinstance(comparison, TrainingComparison)
    plots = ("curves", "Learning curves") if trains else ("plots", "Plots")
    draw: Any = _curve_picture if trains else _interval_picture
    titles = {name: comparison.title(name) for name in comparison.single}
    drawn = comparison.single
    if isinstance(comparison, TrainingComparison):
        # A skill is that of the model which was kept.
        drawn = tuple(name for name in drawn if any(one.curve(name) for one in comparison.runs))
    settings = setting_rows(comparison, {**comparison.settings, **comparison.surroundings})
    sections = [("result", "Result"), plots]
    sections += [("seeds", "Over seeds")] if comparison.seeds else []
    sections += [("slices", "Parts of the rows")] if comparison.by else []
    sections += [("settings", "Differences")] if settings else []
    return render(
        "compare.html",
        kind=f"lossfw comparison{' of trainings' if trains else ''}",
        title=title,
        lead=breakable(" · ".join(_lead(comparison))),
        sections=[*sections, ("notes", "Notes")],
        foot=f"Written by lossfw {__version__}.",
        comparison=comparison,
        titles=titles,
        baseline=None if trains else comparison.baseline,
        links={run.name: _report_link(run.path, link_base) for run in comparison.runs},
        plots=plots,
        pictures=[draw(comparison, name, place) for place, name in enumerate(drawn)],
        by=default_slice_name(comparison.by) if comparison.by else "",
        settings=settings,
        labels=list(_labels(comparison).values()),
        ranges=any(n.interval for of in comparison.numbers.values() for n in of.values()),
        best=best_lines(comparison, " · "),
        stars=star_line(comparison),
        why=missing_interval_reasons(comparison, comparison.single)
        if comparison.differences
        else "",
        seeds=list(seed_tables(comparison.seeds, comparison.kind, titles)),
        of_seeds=seed_remarks(comparison.seeds, comparison.intervals.level),
        notes=list(_notes(comparison)),
    )


def _lead(comparison: Comparison) -> Iterator[str]:
    """Yield what is under the title: the data, a condition on their rows included."""
    if isinstance(comparison, TrainingComparison):
        yield f"{len(comparison.runs)} trainings"
        yield f"numbers of each {comparison.unit_name} that was kept"
        return
    base = comparison.baseline
    if len({run.data for run in comparison.runs}) == 1:
        yield str((base.record.get("data") or {}).get("name", "data"))
    yield f"{base.result['count']:,} rows"
    yield f"compared with {base.name}"


def _notes(comparison: Comparison) -> Iterator[str]:
    """Yield what a reader of the page has to know, without files and options."""
    yield from interval_facts(comparison, "Below each number")
    if comparison.lists:
        yield f"Each run has more in its metrics.json: {', '.join(comparison.lists)}."
    names = {*comparison.measures, *(run.name for run in comparison.runs)}
    for note in comparison.notes:
        first = note.text.split()[0].strip(":,")
        yield note.sentence if first in names else note.sentence[0].upper() + note.sentence[1:]


def _report_link(folder: Path | None, link_base: Path | None) -> str:
    """Return the address of a run's report relative to a folder, empty if it is not in it."""
    if folder is None or link_base is None:
        return ""
    report, base = (folder / REPORT_FILE).resolve(), link_base.resolve()
    is_inside = report.is_relative_to(base) and report.is_file()
    return quote(report.relative_to(base).as_posix()) if is_inside else ""


def _interval_picture(comparison: Comparison, name: str, number: int) -> Picture:
    """Draw a measure of every run with its interval, and the differences next to it."""
    runs, title, labels = comparison.runs, comparison.title(name), _labels(comparison).values()
    numbers = [_number_or_none(comparison.number(run, name)) for run in runs]
    differences = [_number_or_none(comparison.difference(run, name)) for run in runs]
    both = any(differences)
    with drawing(WIDTH, FRAME + 0.15 + PART * len(runs), PAGE) as figure:
        panels = figure.subplots(1, 2 if both else 1, sharey=True, squeeze=False)[0]
        draw_numbers(panels[0], numbers)
        panels[0].set_yticks(range(len(runs)), list(labels))
        panels[0].set_title(title)
        if both:
            draw_numbers(panels[1], differences, PAGE.colours[1])
            panels[1].axvline(0, color=INK, linewidth=0.9)
            panels[1].set_title("difference")
        for axes in panels:
            # Two numbers on an axis are enough, and more would run into each other.
            axes.locator_params(axis="x", nbins=4)
        known = [(n.value, label) for n, label in zip(numbers, labels, strict=True) if n]
        caption = "No run has a number."
        if known:
            (low, least), (high, most) = min(known), max(known)
            caption = f"{title}: from {low:.4g} ({least}) to {high:.4g} ({most})."
            if low == high:
                caption = f"{title}: {low:.4g} in every run."
        if both:
            caption += f" Right: the difference; {interval_count(comparison, name)}."
        return to_picture(figure, f"measure-{number}", f"{title} by run", caption)


def _curve_picture(comparison: TrainingComparison, name: str, place: int) -> Picture:
    """Draw a number of every training over rounds or epochs; the best trainings have colours."""
    measured = [one for one in comparison.runs if one.curve(name)]
    shown = [one for one in comparison.best(len(PAGE.colours)) if one in measured]
    title, labels = comparison.title(name), _labels(comparison)
    with page_axes(_CURVES_HEIGHT) as axes:
        for one in measured:
            if one not in shown:
                axes.plot(one.measured, one.curve(name), color=INK, linewidth=0.8, alpha=_PALE)
        for index, one in enumerate(shown):
            look = PAGE.line_style(index)
            axes.plot(one.measured, one.curve(name), label=labels[one.name], linewidth=1.6, **look)
        if needs_log_scale([value for one in measured for value in one.curve(name)]):
            use_log_scale(axes, "y")
        axes.set(title=title, xlabel=comparison.unit_name)
        axes.locator_params(axis="x", integer=True)
        axes.legend()
        kept = [f"{number_text(one.numbers[name])} in {labels[one.name]}" for one in shown]
        caption = f"{title} after each {comparison.unit_name}; kept: {'; '.join(kept)}."
        if len(measured) > len(shown):
            caption += f" The {len(measured) - len(shown)} others are pale."
        return to_picture(axes.figure, f"curves-{place}", title, caption)


def _labels(comparison: Comparison) -> dict[str, str]:
    """Return the names of runs for a plot: numbers where one of them is long."""
    names = {run.name: printable(run.name) for run in comparison.runs}
    if all(len(name) <= _LONGEST_LABEL for name in names.values()):
        return names
    return {name: f"#{index}" for index, name in enumerate(names, start=1)}


def _number_or_none(number: RunNumber) -> RunNumber | None:
    """Return a number that an axis can show, or None."""
    return number if is_number(number.value) else None

"""The page that compares trainings: learning curves over each other, and the last numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lossfw.report.html.comparison import labels, link_to
from lossfw.report.html.inline_svg import WIDTH, inline
from lossfw.report.html.render import breakable, render
from lossfw.report.html.sensitivity_plots import Picture
from lossfw.report.html.training import is_wide
from lossfw.report.plots.style import INK, PAGE, drawing
from lossfw.report.text.comparison import seed_tables
from lossfw.report.text.rounding import as_number
from lossfw.report.text.training_comparison import number_text, remarks, settings_table
from lossfw.runs.compare.trainings import TrainingComparison
from lossfw.version import __version__

_HEIGHT = 3.8
# How pale the curves are that have no name in the legend.
_PALE = 0.25


def training_comparison_page(
    comparison: TrainingComparison, title: str, beside: Path | None = None
) -> str:
    """Return the page of a comparison.

    Parameters
    ----------
    comparison : TrainingComparison
        The trainings, in the order of the page.
    title : str
        The title of the page.
    beside : Path, optional
        The folder of the page, which links the pages of trainings in this folder.

    Raises
    ------
    MissingExtraError
        If jinja2 or matplotlib is not installed.
    """
    trainings = comparison.trainings
    sections = [("result", "Result"), ("curves", "Learning curves")]
    sections += [("seeds", "Over seeds")] if comparison.seeds else []
    sections += [("settings", "Differences")] if comparison.settings else []
    own = [one.name for one in trainings]
    names = dict(zip(own, labels(own), strict=True))
    return render(
        "trainings.html",
        kind="lossfw comparison of trainings",
        title=title,
        lead=breakable(f"{len(trainings)} trainings · numbers of the epochs that were kept"),
        sections=[*sections, ("notes", "Notes")],
        foot=f"Written by lossfw {__version__}.",
        titles=["epoch", *map(comparison.title, comparison.measures)],
        rows=[_row(comparison, index, beside) for index in range(len(trainings))],
        curves=[_curves(comparison, name, names) for name in comparison.measures],
        settings=settings_table(comparison).rows,
        labels=list(names.values()),
        seeds=list(seed_tables(comparison, comparison.measures, "training")),
        notes=remarks(comparison),
    )


def _row(comparison: TrainingComparison, index: int, beside: Path | None) -> dict[str, Any]:
    one = comparison.trainings[index]
    return {
        "number": index + 1,
        "name": one.name,
        "link": "" if one.path is None else link_to(one.path, beside),
        "baseline": False,
        "cells": [str(one.kept), *(number_text(one, name) for name in comparison.measures)],
    }


def _curves(comparison: TrainingComparison, name: str, names: Mapping[str, str]) -> Picture:
    """Draw a number of every training over the epochs; the best trainings have colours."""
    there = [one for one in comparison.trainings if one.curve(name)]
    shown = [one for one in comparison.best(len(PAGE.colours)) if one in there]
    title, place = comparison.title(name), comparison.measures.index(name)
    with drawing(WIDTH, _HEIGHT, PAGE) as figure:
        axes = figure.subplots()
        for one in there:
            if one not in shown:
                axes.plot(one.curve(name), color=INK, linewidth=0.8, alpha=_PALE)
        for index, one in enumerate(shown):
            axes.plot(one.curve(name), label=names[one.name], linewidth=1.6, **PAGE.look(index))
        if is_wide([value for one in there for value in one.curve(name)]):
            axes.set_yscale("log")
        axes.set_title(title)
        axes.set_xlabel("epoch")
        axes.locator_params(axis="x", integer=True)
        axes.legend()
        kept = [f"{as_number(one.numbers[name])} in {names[one.name]}" for one in shown]
        caption = f"{title} after each epoch; kept: {'; '.join(kept)}."
        if len(there) > len(shown):
            caption += f" The {len(there) - len(shown)} others are pale."
        return Picture(inline(figure, f"curves-{place}", title, caption), caption)

"""The page of a sensitivity study: its picture, and its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lossfw.report.html.picture import WIDTH, inline
from lossfw.report.html.render import render
from lossfw.report.plots.sensitivity import draw_study
from lossfw.report.plots.style import PAGE, drawing
from lossfw.report.text.sensitivity import StudyTable

# Inches of the picture, whose panels are above each other.
_HEIGHT = 10.0


def study_page(found: Mapping[str, Any], tables: Sequence[StudyTable]) -> str:
    """Return the page of a study."""
    with drawing(WIDTH, _HEIGHT, PAGE) as figure:
        draw_study(found, lambda count: figure.subplots(2 * count, 1).reshape(count, 2).T, PAGE)
        caption = "Between its jumps, which ticks mark, the derivative of a staircase is 0."
        picture = inline(figure, "study", "Metric, loss, and their derivatives", caption)
    return render(
        "study.html",
        kind="lossfw sensitivity",
        title=f"Sensitivity: {found['along']}",
        lead=f"{found['count']:,} rows; {found['loss']['name']}",
        sections=[("study", "Along the way")],
        foot="All numbers are in sensitivity.json.",
        pictures=[picture],
        tables=tables,
        names=list(found["curves"]),
    )

"""A comparison of trainings as tables: on the terminal, as Markdown and as CSV."""

from __future__ import annotations

import csv
import io

from lossfw.report.text.comparison import (
    MOST_BESIDE,
    TextTable,
    cell_of,
    markdown_of,
    no_formula,
    seed_tables,
    settings_beside,
    show_tables,
)
from lossfw.report.text.rounding import as_number
from lossfw.report.text.seeds import seed_remark
from lossfw.runs.compare.settings import as_text, as_texts
from lossfw.runs.compare.trainings import FinishedTraining, TrainingComparison


def show(comparison: TrainingComparison) -> None:
    """Write a comparison to standard output; on a terminal in tables that fit its width."""
    names = [one.name for one in comparison.trainings]
    show_tables(tables(comparison), names, remarks(comparison))


def tables(comparison: TrainingComparison) -> list[TextTable]:
    """Return the tables: the numbers of the epochs whose weights were kept, and the settings."""
    beside = settings_beside(comparison.settings, comparison.trainings)
    measures = comparison.measures
    numbers = TextTable(
        ["training", *beside, "epoch", *map(comparison.title, measures)],
        [
            [one.name, *(as_text(one.settings.get(key)) for key in beside), str(one.kept)]
            + [number_text(one, name) for name in measures]
            for one in comparison.trainings
        ],
    )
    seeds = seed_tables(comparison, measures, "training")
    if len(comparison.settings) <= MOST_BESIDE:
        return [numbers, *seeds]
    return [settings_table(comparison), numbers, *seeds]


def settings_table(comparison: TrainingComparison) -> TextTable:
    """Return the settings in which the trainings differ, a column for each training."""
    ordered = [comparison.given.index(one) for one in comparison.trainings]
    rows = [
        [key, *as_texts([of[place] for place in ordered])]
        for key, of in comparison.settings.items()
    ]
    return TextTable(["setting", *(one.name for one in comparison.trainings)], rows)


def number_text(one: FinishedTraining, name: str) -> str:
    """Return a last number of a training as text, ``-`` where it has none."""
    value = one.numbers.get(name)
    return "-" if value is None else as_number(value)


def remarks(comparison: TrainingComparison) -> list[str]:
    """Return remarks about the tables, in sentences."""
    same = [] if comparison.settings else ["The configurations say the same."]
    if comparison.seeds:
        same.append(seed_remark(comparison.seeds, comparison.level))
    return [*same, *(f"note: {note}" for note in comparison.notes)]


def markdown(comparison: TrainingComparison) -> str:
    """Return a comparison as tables of Markdown, with its remarks."""
    return markdown_of(tables(comparison), remarks(comparison))


def comma_separated(comparison: TrainingComparison) -> str:
    """Return a comparison as CSV: a line for each training, with all digits of its numbers."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    measures = comparison.measures
    writer.writerow(["training", *map(no_formula, comparison.settings), "epoch", *measures])
    for one in comparison.trainings:
        settings = [cell_of(one.settings.get(key)) for key in comparison.settings]
        numbers = [one.numbers.get(name) for name in measures]
        writer.writerow([no_formula(one.name), *settings, one.kept, *numbers])
    return text.getvalue().rstrip("\n")

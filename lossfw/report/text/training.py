"""The report of a training as text: data, model, rounds or epochs, and why it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lossfw.models.training.dense import DenseLearner
from lossfw.models.training.records import Epoch, Measurement, Training, TrainingResult
from lossfw.report.text.tables import class_lines, input_line, show_table
from lossfw.runs.stored import HELD_OUT

# The most rounds or epochs in the table; the JSON holds all of them.
SHOWN_EPOCHS = 21

# Why a training ended.
STOPPED = {
    "rounds": "all rounds done",
    "epochs": "all epochs done",
    "once": "trained in one step",
    "patience": "the held-out loss improved no more",
    "model": "the model found nothing more to add",
}


def show_training(
    training: Training, trained: TrainingResult, folder: Path | None, seconds: float
) -> None:
    """Write the report to standard output."""
    show_table(("", ""), _heading_lines(training, trained))
    headers, rows = epoch_rows(trained.history, trained.unit_name)
    show_table(headers, rows)
    warnings = [("warning", text) for text in training.warnings]
    show_table(("", ""), [*_closing_lines(trained, folder, seconds), *warnings])


def _heading_lines(training: Training, trained: TrainingResult) -> list[tuple[str, str]]:
    held = "" if training.held_out is None else f", {len(training.held_out)} held out"
    groups = training.data.groups
    rows = f"{len(training.data)} rows" + ("" if groups is None else f" in {len(groups)} groups")
    model = training.model
    if isinstance(model, DenseLearner):
        learner = [
            ("network", str(model.network)),
            ("loss", trained.loss_text),
            ("optimizer", f"{model.optimizer}, schedule {model.schedule.name}"),
        ]
    else:
        # Of the many parameters of a library, those that are not its defaults.
        given = ", ".join(f"{k}: {v}" for k, v in trained.model.items() if k != "name")
        learner = [("model", f"{model.name}{given and f' ({given})'}"), ("loss", trained.loss_text)]
    return [
        ("data", f"{training.data.name}, {rows} to learn from{held}"),
        *input_line(training.data.inputs_text),
        *class_lines(training.data.classes),
        *learner,
        ("", ""),
    ]


def epoch_rows(history: Sequence[Epoch], word: str) -> tuple[list[str], list[list[str]]]:
    """Return the headers and the rows of the table of rounds or epochs."""
    names = list(history[0].train.metrics)
    headers = [word, "loss", *names]
    if history[0].held_out is not None:
        headers += ["held-out loss", *(f"held-out {name}" for name in names)]
    stride = -(-(len(history) - 1) // (SHOWN_EPOCHS - 1)) or 1
    return headers, [
        [str(epoch.number), *_cells(epoch.train), *_cells(epoch.held_out)]
        for place, epoch in enumerate(history)
        if place % stride == 0 or epoch is history[-1]
    ]


def _cells(measured: Measurement | None) -> list[str]:
    if measured is None:
        return []
    return [_number(measured.loss), *map(_number, measured.metrics.values())]


def _number(value: Any) -> str:
    """Return a number with enough digits to show a change; the JSON has all of them."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def baseline_text(baseline: Mapping[str, Any]) -> str:
    """Return the loss of a baseline and the skill against it, also for held-out rows."""
    parts = [
        f"{title}{name} {'undefined' if value is None else _number(value)}"
        for title, key in (("", "train"), (HELD_OUT, "held_out"))
        for name, value in baseline.get(key, {}).items()
    ]
    return f"{baseline['name']}: {', '.join(parts)}"


def _closing_lines(
    trained: TrainingResult, folder: Path | None, seconds: float
) -> list[tuple[str, str]]:
    what, kept = "model is that", f"{trained.unit_name} {trained.kept_epoch}"
    if trained.moved:
        what = "weights are those"
    rows = [("", ""), ("stopped", f"{STOPPED[trained.stopped]}; the {what} of {kept}")]
    if trained.moved:
        changes = enumerate(map(_number, trained.moved))
        moved = ", ".join(f"layers.{number}: {by}" for number, by in changes)
        rows.append(("moved", f"largest change of a weight, {moved}"))
    if trained.baseline is not None:
        rows.append(("baseline", baseline_text(trained.baseline)))
    rows.append(("time", f"{seconds:.1f} s"))
    if folder is not None:
        rows.append(("weights" if trained.moved else "model", str(folder / trained.file)))
    return rows

"""The report of a training as text: data and network, epochs, and the reason to stop."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lossfw.nn.training.checkpoint import WEIGHTS_FILE
from lossfw.nn.training.records import Epoch, Measurement, Training, TrainingResult
from lossfw.report.text.tables import class_lines, show_table

# The most epochs in the table; the JSON holds all of them.
SHOWN_EPOCHS = 21


def show(training: Training, trained: TrainingResult, folder: Path | None, seconds: float) -> None:
    """Write the report to standard output."""
    show_table(("", ""), _head(training, trained))
    headers, rows = epoch_rows(trained.history)
    show_table(headers, rows)
    warnings = [("warning", text) for text in training.warnings]
    show_table(("", ""), [*_foot(trained, folder, seconds), *warnings])


def _head(training: Training, trained: TrainingResult) -> list[tuple[str, str]]:
    held = "" if training.held_out is None else f", {len(training.held_out)} held out"
    groups = training.data.groups
    rows = f"{len(training.data)} rows" + ("" if groups is None else f" in {len(groups)} groups")
    layers = training.network.layers
    widths = "-".join(map(str, [training.network.width, *(len(layer.bias) for layer in layers)]))
    activations = ", ".join(layer.activation.name for layer in layers)
    return [
        ("data", f"{training.data.name}, {rows} to learn from{held}"),
        *class_lines(training.data.classes),
        ("network", f"{widths}, {activations}, {training.network.dtype}"),
        ("loss", trained.loss_text),
        ("optimizer", f"{training.optimizer}, schedule {training.schedule.name}"),
        ("", ""),
    ]


def epoch_rows(history: Sequence[Epoch]) -> tuple[list[str], list[list[str]]]:
    """Return the headers and the rows of the table of epochs."""
    names = list(history[0].learnt.metrics)
    headers = ["epoch", "loss", *names]
    if history[0].held_out is not None:
        headers += ["held-out loss", *(f"held-out {name}" for name in names)]
    stride = -(-(len(history) - 1) // (SHOWN_EPOCHS - 1)) or 1
    return headers, [
        [str(epoch.number), *_cells(epoch.learnt), *_cells(epoch.held_out)]
        for epoch in history
        if epoch.number % stride == 0 or epoch is history[-1]
    ]


def _cells(measured: Measurement | None) -> list[str]:
    if measured is None:
        return []
    return [_number(measured.loss), *map(_number, measured.metrics.values())]


def _number(value: Any) -> str:
    """Return a number with enough digits to show a change; the JSON has all of them."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _foot(trained: TrainingResult, folder: Path | None, seconds: float) -> list[tuple[str, str]]:
    moved = ", ".join(f"layers.{number}: {_number(by)}" for number, by in enumerate(trained.moved))
    why = {"epochs": "all epochs done", "patience": "the held-out loss improved no more"}
    rows = [
        ("", ""),
        ("stopped", f"{why[trained.stopped]}; the weights are those of epoch {trained.kept_epoch}"),
        ("moved", f"largest change of a weight, {moved}"),
        ("time", f"{seconds:.1f} s"),
    ]
    if folder is not None:
        rows.append(("weights", str(folder / WEIGHTS_FILE)))
    return rows

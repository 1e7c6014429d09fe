"""The runs of a comparison that kept their rows, with their metrics made again, and notes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lossfw.config.schema.check_config import check
from lossfw.config.schema.checked import CheckedConfig, known, read_config
from lossfw.config.text.source import ConfigSource
from lossfw.errors import LossfwError
from lossfw.losses.loss import Loss
from lossfw.metrics import LossMetric, Metric
from lossfw.runs.compare.differences import KEEP_ROWS, NOT_LOADED, Note, listed
from lossfw.runs.compare.finished import LOSS, FinishedRun
from lossfw.runs.compare.paired import RunWithRows
from lossfw.runs.compare.rows import read_rows
from lossfw.runs.folder import CONFIG_FILE


def runs_with_rows(runs: Sequence[FinishedRun]) -> tuple[dict[str, RunWithRows], list[Note]]:
    """Return the runs with kept rows that are those of the first such run, by name, and notes.

    Each note is about all runs that it holds for.

    Raises
    ------
    DataError
        If a file of rows is damaged.
    """
    with_rows: dict[str, RunWithRows] = {}
    notes: list[Note] = []
    rowless: list[str] = []
    faults: dict[str, str] = {}
    first: RunWithRows | None = None
    for run in runs:
        rows = read_rows(run.path)
        if rows is None:
            rowless.append(run.name)
            continue
        metrics, faults[run.name] = metrics_of(run)
        one = RunWithRows(run, rows.by_number(), metrics)
        first = first or one
        if _same_rows(one, first):
            with_rows[run.name] = one
        else:
            text = f"{run.name} has other rows than {first.run.name}, so it is not paired"
            notes.append(Note(text))
    if rowless:
        have = "has" if len(rowless) == 1 else "have"
        text = (
            f"{listed(rowless)} {have} no rows, so differences are not paired and have no interval"
        )
        notes.insert(0, Note(text, KEEP_ROWS))
    return with_rows, [*notes, *_missing_metrics(with_rows, faults)]


def _same_rows(one: RunWithRows, other: RunWithRows) -> bool:
    return np.array_equal(one.rows.row, other.rows.row) and np.array_equal(
        one.rows.target, other.rows.target
    )


def _missing_metrics(runs: dict[str, RunWithRows], faults: dict[str, str]) -> list[Note]:
    """Return a note for each cause that leaves metrics without intervals."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for name, run in runs.items():
        missing = [metric for metric in run.run.result["metrics"] if metric not in run.metrics]
        files = listed(sorted({Path(file).name for file in run.run.not_imported} or {""}))
        text, cure = "the metric cannot be made again", faults[name]
        if files:
            text = NOT_LOADED
            cure = f"give --trust (in Python trust=True), which executes {files}"
        for metric in missing:
            found.setdefault((text, cure), {})[metric] = None
    return [
        Note(f"differences of {listed(list(metrics))} have no interval, because {text}", cure)
        for (text, cure), metrics in found.items()
    ]


def metrics_of(run: FinishedRun) -> tuple[dict[str, Metric], str]:
    """Return the loss and the metrics of a run by name, and why some cannot be made again.

    Neither data nor weights are read. A component that cannot be made, because its plugin file
    may not be imported for example, does not keep the others from being made.
    """
    try:
        config = _checked(run)
    except LossfwError as error:
        return {}, str(error).partition("\n")[0]
    made = [metric for metric in config.metrics if metric is not None]
    # Of two metrics with one name, the run reports each under its text.
    by_text = {str(metric): metric for metric in made}
    by_label = {metric.label: metric for metric in made}
    named = {name: by_label.get(name) or by_text.get(name) for name in run.result["metrics"]}
    metrics = {name: metric for name, metric in named.items() if metric is not None}
    if config.loss is not None:
        metrics[LOSS] = LossMetric(of=config.loss)
    fault = config.problems.error().problems[0].what if config.problems else ""
    return metrics, fault


def loss_of(run: FinishedRun) -> Loss:
    """Return the loss of a run as its configuration has it, not fused.

    Raises
    ------
    ConfigError, PluginError
        If a component cannot be made any more.
    """
    config = _checked(run)
    config.problems.raise_if_any()
    return known(config.loss)


def _checked(run: FinishedRun) -> CheckedConfig:
    path = str(run.path / CONFIG_FILE)
    config = read_config(ConfigSource(path, plugins=run.plugins))
    check(config)
    return config

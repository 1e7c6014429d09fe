"""The metrics of a run that is done, made again from its configuration."""

from __future__ import annotations

from collections.abc import Mapping

from lossfw.config.build.parts import Sound, sound
from lossfw.config.schema.checked import check, read
from lossfw.config.text.tree import Problems
from lossfw.data.source import file_fields
from lossfw.evaluation.accumulator import Accumulator
from lossfw.losses.loss import Loss
from lossfw.metrics import LossMetric, Metric
from lossfw.runs.compare.finished_run import LOSS, FinishedRun
from lossfw.runs.folder import CONFIG_FILE
from lossfw.runs.provenance import plugins_of


def metrics_of(ran: FinishedRun) -> Mapping[str, Metric]:
    """Return the loss and the metrics of a run by the names under which it reports them.

    Neither data nor weights are read.

    Raises
    ------
    ConfigError, PluginError
        If a component is not to be had any more.
    """
    right = _sound(ran)
    assert right.loss is not None
    named = Accumulator(
        right.loss, [metric for metric in right.metrics if metric is not None]
    ).metrics
    return {**named, LOSS: LossMetric(of=right.loss)}


def loss_of(ran: FinishedRun) -> Loss:
    """Return the loss of a run as its configuration has it, not fused; see `metrics_of`."""
    loss = _sound(ran).loss
    assert loss is not None
    return loss


def _sound(ran: FinishedRun) -> Sound:
    problems = Problems()
    root = read(str(ran.path / CONFIG_FILE), (), problems)
    parts = check(root, plugins_of(ran.record), problems, file_fields=file_fields)
    problems.raise_if_any()
    return sound(parts)

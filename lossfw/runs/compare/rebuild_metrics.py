"""Make the loss and the metrics of a finished run again from its configuration."""

from __future__ import annotations

from collections.abc import Mapping

from lossfw.config.schema.check_config import check
from lossfw.config.schema.checked import CheckedConfig, known, read_config
from lossfw.config.text.source import ConfigSource
from lossfw.evaluation.accumulator import Accumulator
from lossfw.losses.loss import Loss
from lossfw.metrics import LossMetric, Metric
from lossfw.runs.compare.finished_run import LOSS, FinishedRun
from lossfw.runs.folder import CONFIG_FILE


def metrics_of(run: FinishedRun) -> Mapping[str, Metric]:
    """Return the loss and the metrics of a run by the names under which it reports them.

    Neither data nor weights are read.

    Raises
    ------
    ConfigError, PluginError
        If a component cannot be made any more.
    """
    config = _checked(run)
    loss = known(config.loss)
    named = Accumulator(loss, list(map(known, config.metrics))).metrics
    return {**named, LOSS: LossMetric(of=loss)}


def loss_of(run: FinishedRun) -> Loss:
    """Return the loss of a run as its configuration has it, not fused; see `metrics_of`."""
    return known(_checked(run).loss)


def _checked(run: FinishedRun) -> CheckedConfig:
    path = str(run.path / CONFIG_FILE)
    config = read_config(ConfigSource(path, plugins=run.plugins))
    check(config)
    config.problems.raise_if_any()
    return config

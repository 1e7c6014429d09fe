"""Make the loss and the metrics of a finished run again from its configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from lossfw.config.schema.check_config import check
from lossfw.config.schema.checked import CheckedConfig, known, read_config
from lossfw.config.text.source import ConfigSource
from lossfw.errors import LossfwError
from lossfw.losses.loss import Loss
from lossfw.metrics import LossMetric, Metric
from lossfw.runs.compare.finished_run import LOSS, FinishedRun
from lossfw.runs.folder import CONFIG_FILE


class RebuiltMetrics(NamedTuple):
    """The loss and the metrics of a run, as far as they can be made again.

    Attributes
    ----------
    metrics : mapping of str to Metric
        By the names under which the run reports them; the loss is among them.
    fault : str
        Why others are missing; empty if none is, or nobody knows.
    """

    metrics: Mapping[str, Metric]
    fault: str = ""


def metrics_of(run: FinishedRun) -> RebuiltMetrics:
    """Return the loss and the metrics of a run that can be made again.

    Neither data nor weights are read. A component that cannot be made, because its plugin file
    may not be imported for example, does not keep the others from being made.
    """
    try:
        config = _checked(run)
    except LossfwError as error:
        return RebuiltMetrics({}, str(error).partition("\n")[0])
    made = [metric for metric in config.metrics if metric is not None]
    # Of two metrics with one name, the run reports each under its text.
    by_text = {str(metric): metric for metric in made}
    by_label = {metric.label: metric for metric in made}
    named = {name: by_label.get(name) or by_text.get(name) for name in run.result["metrics"]}
    metrics = {name: metric for name, metric in named.items() if metric is not None}
    if config.loss is not None:
        metrics[LOSS] = LossMetric(of=config.loss)
    fault = config.problems.error().problems[0].what if config.problems else ""
    return RebuiltMetrics(metrics, fault)


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

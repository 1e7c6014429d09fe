"""Score the stored rows of runs by a loss or by metrics that the runs did not report.

The rows hold what the loss of the run took: predictions or logits. They are converted to the form
that a loss takes, as in a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lossfw.components.spaces import LOGITS, SIMPLEX, UNIT
from lossfw.config.schema.checked import CheckedConfig
from lossfw.config.text.writing import format_in_one_line
from lossfw.errors import ArgumentError, LossfwError, UnknownNameError
from lossfw.evaluation.accumulator import name_with_parameters, named_metrics
from lossfw.evaluation.baseline import BaselineLoss, Skill
from lossfw.losses.base import Form, plural_of_form
from lossfw.losses.loss import Loss
from lossfw.metrics import LossMetric, Metric
from lossfw.metrics.base import RowwiseMetric
from lossfw.numerics.arrays import NDArray
from lossfw.runs.compare.differences import KEEP_ROWS, check_config_of, loss_key, metrics_of
from lossfw.runs.compare.finished import LOSS, FinishedRun
from lossfw.runs.compare.paired import to_metric_rows
from lossfw.runs.compare.rows import read_rows
from lossfw.runs.rows import RowRecords

# Two weights whose ratio differs by less are the same, up to rounding.
_SAME_RATIO = 1e-9


class Scores(NamedTuple):
    """A loss (None for that of each run) and metrics: names, mappings or components."""

    loss: Any = None
    metrics: Sequence[Any] = ()

    @property
    def are_given(self) -> bool:
        """Whether a loss or metrics were given."""
        return self.loss is not None or bool(self.metrics)

    @property
    def text(self) -> str:
        """The options for them, for messages."""
        given = [] if self.loss is None else [("loss", self.loss)]
        given += [("metric", one) for one in self.metrics]
        plain = [(option, to_name_or_mapping(one)) for option, one in given]
        return " ".join(
            f"--{option} {one if isinstance(one, str) else format_in_one_line(one)}"
            for option, one in plain
        )


NO_SCORES = Scores()


def to_name_or_mapping(component: Any) -> Any:
    """Return a name or a mapping, also of a component."""
    return component.to_config() if isinstance(component, Loss | Metric) else component


def score_runs(runs: Sequence[FinishedRun], scores: Scores) -> list[FinishedRun]:
    """Return runs with these numbers added, and their rows.

    The loss replaces the run's own; a metric replaces one of the same name.

    Raises
    ------
    ArgumentError
        If a run did not save rows, or the loss or a metric cannot take them.
    """
    rows = {run.name: read_rows(run.path) for run in runs}
    rowless = [name for name, found in rows.items() if found is None]
    if rowless:
        raise ArgumentError(
            f"{scores.text}: the stored rows of all runs are scored, but {', '.join(rowless)} kept "
            f"none: {KEEP_ROWS}."
        )
    try:
        loss, metrics = _make_scores(runs, scores)
    except UnknownNameError as error:
        files = dict.fromkeys(Path(file).name for run in runs for file in run.not_imported)
        if not files:
            raise
        raise ArgumentError(
            f"{error}\nThe runs name plugin files that were not executed: --trust (in Python "
            f"trust=True) executes {', '.join(files)}."
        ) from None
    found = []
    for run in runs:
        try:
            own = rows[run.name]
            assert own is not None
            found.append(_score_rows(run, own.sorted_by_number(), loss, metrics))
        except LossfwError as error:
            raise ArgumentError(f"{scores.text}, on the rows of {run.name}: {error}") from None
    return found


def _make_scores(runs: Sequence[FinishedRun], scores: Scores) -> tuple[Loss | None, list[Metric]]:
    """Return the loss and the metrics; a loss may be one of the metrics."""
    registry = check_config_of(runs[0]).registry or runs[0].plugins.registry()
    loss = None if scores.loss is None else registry.create("loss", scores.loss)
    metrics = []
    for given in scores.metrics:
        kind = "loss" if isinstance(given, Loss) else "metric"
        try:
            made = registry.create(kind, given)
        except UnknownNameError:
            name = given if isinstance(given, str) else dict(given).get("name")
            if name not in {known for entry in registry.entries("loss") for known in entry.names}:
                raise
            made = registry.create("loss", given)
        metrics.append(LossMetric(of=made) if isinstance(made, Loss) else made)
    return loss, metrics


def _score_rows(
    run: FinishedRun, rows: RowRecords, loss: Loss | None, metrics: Sequence[Metric]
) -> FinishedRun:
    config, (own, _) = check_config_of(run), metrics_of(run)
    form = _form_of(config)
    asked: dict[str, Metric] = {}
    of_loss = loss or config.loss
    for name, one in named_metrics(metrics).items():
        asked[name] = one if of_loss is None else one.for_loss(of_loss)
    asked = {name: one for name, one in asked.items() if own.get(name) != one}
    if loss is not None:
        given = LossMetric(of=loss)
        of_own = config.loss
        # The run computed its own loss from all digits, and the rows have that.
        if of_own is None or of_own._has_own_weight or repr(loss.to_config()) != loss_key(run):
            asked[LOSS] = given
    rows = rows._replace(weight=_weight_of_data(config, rows, form)) if asked else rows
    numbers: dict[str, Any] = {}
    for name, one in asked.items():
        asked[name] = taken = _metric_for_form(one, form, config.loss)
        _check_groups(run, rows, taken)
        numbers[name] = {"value": _value_of_metric(taken, rows)}
    result, scored_by = dict(run.result), ""
    if loss is not None:
        scored_by = name_with_parameters(LossMetric(of=loss))
        result["loss"] = {**numbers.pop(LOSS, result["loss"]), "name": scored_by}
        # Baseline and skill are those of the loss of the run.
        apart = [n for n, one in own.items() if isinstance(one, BaselineLoss | Skill)]
        result["metrics"] = {n: x for n, x in result["metrics"].items() if n not in apart}
    result["metrics"] = {**result["metrics"], **numbers}
    return replace(run, result=result, rows=rows, scores=asked, scored_by=scored_by)


def _form_of(config: CheckedConfig) -> Form:
    """Return what the rows of a run hold."""
    if config.loss is not None and config.loss._takes_raw_outputs:
        return config.loss._input_form
    saved = config.origin is not None and config.origin.form == "logits"
    return "logits" if saved else "prediction"


def _metric_for_form(metric: Metric, form: Form, run_loss: Loss | None) -> Metric:
    """Return a metric, or a loss, in the form that takes the rows."""
    if not isinstance(metric, LossMetric):
        if metric.accepts not in ("any", form):
            raise ArgumentError(
                f"the metric {metric.label} takes {plural_of_form(metric.accepts)}, but the rows "
                f"hold {plural_of_form(form)}."
            )
        return metric
    loss = metric.of
    if form != "prediction":
        fused = loss if loss._takes_raw_outputs else loss.on_raw_outputs()
        if fused is None and loss.prediction_space is not LOGITS:
            raise ArgumentError(
                f"the rows hold {form}, but the loss {loss.name} has no form for {form}."
            )
        return LossMetric(of=fused or loss)
    of_chances = run_loss is not None and run_loss.prediction_space in (UNIT, SIMPLEX)
    if loss._takes_raw_outputs or (of_chances and loss.prediction_space is LOGITS):
        taken = loss._input_form if loss._takes_raw_outputs else "logits"
        raise ArgumentError(f"the rows hold predictions, but the loss {loss} takes {taken}.")
    return metric


def _check_groups(run: FinishedRun, rows: RowRecords, metric: Metric) -> None:
    """Refuse rows that do not say what belongs together, or that have the weights of groups."""
    has_groups = rows.ids is not None
    if metric.takes_groups and not has_groups:
        if metric.needs_group or run.settings.get("data.group_key") is not None:
            raise ArgumentError(
                f"{metric.label} takes groups, but the rows do not say which belong together: only "
                "runs with a loss or a metric of groups write it. Name one among evaluate.metrics, "
                "and run again."
            )
    elif rows.of_groups and rows.weight is not None and not metric.takes_groups:
        raise ArgumentError(
            f"the rows have the weights of groups, but {metric.label} takes those of rows: name it "
            "among evaluate.metrics, and run again."
        )


def _weight_of_data(config: CheckedConfig, rows: RowRecords, form: Form) -> NDArray | None:
    """Return the weights of the data: those of the rows without what the loss of the run added."""
    if rows.weight is None:
        return None
    own = config.loss
    if own is None:
        raise ArgumentError(
            "the stored weights include those of the run's loss, whose plugin was not loaded, so "
            "they cannot be separated: give --trust (in Python trust=True)."
        )
    if not own._has_own_weight:
        return rows.weight
    taken = _metric_for_form(LossMetric(of=own), form, own)
    assert isinstance(taken, LossMetric)
    _, sums = taken._partial_and_rows(to_metric_rows(taken, rows, None), with_rows=True)
    assert sums is not None
    weight = sums.weights()
    counts = weight > 0
    ratio = rows.weight[counts] / weight[counts]
    if not ratio.size or np.ptp(ratio) <= _SAME_RATIO * ratio.max():
        return None
    if not counts.all():
        raise ArgumentError(
            "the loss of the run leaves rows out, and their weights in the data are not stored: "
            "add what to compare to evaluate.metrics, and run again."
        )
    return ratio


def _value_of_metric(metric: Metric, rows: RowRecords) -> Any:
    seen = to_metric_rows(metric, rows, rows.weight)
    with np.errstate(all="ignore"):
        update = metric.observe(seen, terms=isinstance(metric, RowwiseMetric))
        if update.partial is not None:
            return metric.result(update.partial)
        assert update.terms is not None
        return metric.result(update.terms.table(None))

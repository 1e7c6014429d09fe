"""Differences of results on the same rows, notes, and reasons for missing intervals."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lossfw.config.plan.baseline import baseline_label
from lossfw.config.schema.check_config import build_components
from lossfw.config.schema.checked import CheckedConfig, read_config, require
from lossfw.config.text.source import ConfigSource
from lossfw.errors import DataError, LossfwError
from lossfw.evaluation.accumulator import name_with_parameters
from lossfw.evaluation.baseline import Baseline, BaselineLoss, Skill
from lossfw.evaluation.intervals.found import EstimatedInterval
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.intervals.sentence import MORE_TIME, short_series_reason
from lossfw.evaluation.intervals.units import Units
from lossfw.losses.loss import Loss
from lossfw.metrics import LossMetric, Metric
from lossfw.runs.compare.finished import LOSS, FinishedRun, RunNumber
from lossfw.runs.compare.paired import RunWithRows, RunWithSums, RunWithUnits, paired_interval
from lossfw.runs.compare.pairing import difference_of_rows, have_same_units, have_same_weights
from lossfw.runs.compare.row_keys import has_groups, units_of_run
from lossfw.runs.compare.rows import read_rows, rows_file
from lossfw.runs.folder import CONFIG_FILE
from lossfw.runs.rows import RowRecords
from lossfw.runs.units_file import read_units

NOT_LOADED = "the plugin that computes it was not loaded"
KEEP_ROWS = "write evaluate: {save_rows: true} in the configuration, and run it again"


class Note(NamedTuple):
    """A remark about the numbers of a comparison.

    Attributes
    ----------
    text : str
        A sentence without its full stop, for any reader, without files and options.
    cure : str
        What the person who runs lossfw can do; empty if there is nothing to do.

    Examples
    --------
    >>> str(Note("b has no rows", "run it again")), Note("b has no rows", "run it again").sentence
    ('b has no rows: run it again.', 'b has no rows.')
    """

    text: str
    cure: str = ""

    def __str__(self) -> str:
        return f"{self.text}: {self.cure}." if self.cure else self.sentence

    @property
    def sentence(self) -> str:
        """Only the remark, for pages that others read."""
        return f"{self.text}."


def list_names(names: Sequence[str]) -> str:
    """Return names as part of a sentence.

    Examples
    --------
    >>> list_names(["a"]), list_names(["a", "b"]), list_names(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    """
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


class ExplainedDifference(NamedTuple):
    """A difference, why it has no interval (empty if it has one), and a remark about it.

    `found` describes the interval of paired runs.
    """

    difference: RunNumber
    lacking: str = ""
    note: Note | None = None
    found: EstimatedInterval | None = None


def differences(
    run: FinishedRun,
    base: FinishedRun,
    numbers: Mapping[str, Mapping[str, RunNumber]],
    with_rows: Mapping[str, RunWithUnits],
    intervals: Intervals,
) -> Iterator[tuple[str, ExplainedDifference]]:
    """Yield each measure of two runs with their difference."""
    for name in (name for name in numbers[run.name] if name in numbers[base.name]):
        apart = incomparable_reason(name, run, base, with_rows)
        if apart is not None:
            lacking = "the runs measure different things under this name"
            yield name, ExplainedDifference(RunNumber(None), lacking, apart)
            continue
        value = subtract(numbers[run.name][name].value, numbers[base.name][name].value)
        unpaired = [one for one in (base, run) if one.name not in with_rows]
        if unpaired:
            rowless = [one.name for one in unpaired if rows_file(one.path) is None]
            lacking = "the runs kept different rows, targets or groups"
            if rowless:
                lacking = f"the rows of {list_names(rowless)} were not kept"
            yield name, ExplainedDifference(RunNumber(value), lacking)
            continue
        one, other = with_rows[run.name], with_rows[base.name]
        if not have_same_weights(one, other, name):
            weights = Note(
                f"{run.name} uses other weights of the rows than {base.name}, so their differences "
                "also reflect the weights, and have no interval"
            )
            yield (
                name,
                ExplainedDifference(
                    RunNumber(value), "the runs use different weights of the rows", weights
                ),
            )
            continue
        found = paired_interval(one, other, name, intervals)
        lacking = (
            "" if found.interval else found.why or _no_interval_reason(name, value, one, other)
        )
        note = _not_reproduced_note(name, one, other) or _short_series_note(name, found)
        yield name, ExplainedDifference(RunNumber(value, found.interval), lacking, note, found)


def _no_interval_reason(name: str, value: Any, one: RunWithUnits, base: RunWithUnits) -> str:
    """Return why two runs with their rows have a difference without an interval."""
    for run in (base, one):
        if run.estimate_metric(name) is None:
            if name not in run.metrics and run.run.not_imported:
                return NOT_LOADED
            if name not in run.metrics and name != LOSS:
                return f"the metric could not be computed from the rows of {run.run.name}"
            return f"the rows of {run.run.name} do not reproduce this number"
    if isinstance(value, float) and not np.isfinite(value):
        return "the difference is not a finite number"
    return "resampling the rows does not change it"


def _not_reproduced_note(name: str, one: RunWithUnits, base: RunWithUnits) -> Note | None:
    """Return a note about rows that give another number than the run reports."""
    for run in (base, one):
        if (name in run.metrics or name == LOSS) and run.estimate_metric(name) is None:
            if isinstance(run.metrics.get(name), BaselineLoss | Skill):
                return Note(
                    "rows have no predictions of a baseline, so differences of its loss and of the "
                    "skill have an interval only by the units of the runs"
                )
            return Note(
                f"{name}: the rows of {run.run.name} do not reproduce its value, so its "
                "differences have no interval"
            )
    return None


def _short_series_note(name: str, interval: EstimatedInterval) -> Note | None:
    """Return a note about a difference over too short a time."""
    known = {"count": interval.units, "alike": interval.alike, "memories": interval.memories}
    if not (interval.interval and (why := short_series_reason(known))):
        return None
    return Note(f"{name}: {why}, so the interval of the difference is too narrow", MORE_TIME)


def incomparable_reason(
    name: str, run: FinishedRun, base: FinishedRun, with_rows: Mapping[str, RunWithUnits]
) -> Note | None:
    """Return why a measure of two runs cannot be compared; None if it can."""
    if name == LOSS:
        if loss_key(run) == loss_key(base):
            return None
        texts = [one.loss_name for one in (base, run)]
        if texts[0] == texts[1]:
            texts = [_loss_text(one) for one in (base, run)]
        return Note(
            f"the losses of {base.name} ({texts[0]}) and {run.name} ({texts[1]}) are different "
            "losses",
            "--loss NAME (in Python loss=) scores the stored rows of all runs by one loss",
        )
    if run.name not in with_rows or base.name not in with_rows:
        return None
    mine, theirs = (with_rows[r.name].metrics.get(name) for r in (run, base))
    if mine is None or theirs is None or mine.comparison_key == theirs.comparison_key:
        return None
    return Note(
        f"{name} is {theirs} in {base.name} and {mine} in {run.name}; no difference is shown"
    )


def subtract(value: Any, other: Any) -> Any:
    """Return the difference of two numbers or nested lists; None if it is undefined.

    Examples
    --------
    >>> subtract([1.0, 2.5], [0.5, 2.5]), subtract(1.0, None), subtract([1.0], [1.0, 2.0])
    ([0.5, 0.0], None, None)
    """
    if value is None or other is None:
        return None
    if isinstance(value, list) and isinstance(other, list):
        same = len(value) == len(other)
        return [subtract(a, b) for a, b in zip(value, other, strict=True)] if same else None
    if isinstance(value, list) or isinstance(other, list):
        return None
    with np.errstate(all="ignore"):
        return float(np.float64(value) - np.float64(other))


def runs_with_rows(
    runs: Sequence[FinishedRun], units: Units | None = None, *, strict: bool = False
) -> tuple[dict[str, RunWithRows], list[Note]]:
    """Return the runs whose stored rows are those of the first such run, by name, and notes.

    Intervals treat `units` as independent, by default those of the first run with rows. With
    `strict` a run without them is an error.

    Each note is about all runs that it applies to.
    """
    with_rows: dict[str, RunWithRows] = {}
    notes: list[Note] = []
    rowless: list[str] = []
    faults: dict[str, str] = {}
    first: RunWithRows | None = None
    for run in runs:
        rows = rows_of(run)
        if rows is None:
            rowless.append(run.name)
            continue
        metrics, faults[run.name] = metrics_of(run)
        own = units or units_of_run(run, rows)
        if own.kind == "groups" and not strict and not has_groups(rows):
            # It is not paired with runs that have some.
            own = units_of_run(run, rows)
        units = units or own
        one = RunWithRows(run, rows, metrics, own, sums=_sums_of(run, metrics, own))
        first = first or one
        what = difference_of_rows(one, first)
        if what:
            text = f"{run.name} has other {what} than {first.run.name}, so it is not paired"
            notes.append(Note(text))
        else:
            with_rows[run.name] = one
    if rowless:
        have = "has" if len(rowless) == 1 else "have"
        names = list_names(rowless)
        text = f"{names} {have} no rows, so differences are not paired and have no interval"
        notes.insert(0, Note(text, KEEP_ROWS))
    return with_rows, [*notes, *_missing_metrics(with_rows, faults)]


def runs_with_sums(
    runs: Sequence[FinishedRun], units: Units | None
) -> tuple[dict[str, RunWithSums], list[Note]] | None:
    """Return the runs with their sums by unit, and notes; None unless all have sums of `units`.

    A damaged file is noted, and its run is paired by its rows if it has any.
    """
    with_sums: dict[str, RunWithSums] = {}
    faults: dict[str, str] = {}
    for run in runs:
        stored = read_units(run.path)
        if stored is None or (units is not None and stored.units != units):
            return None
        metrics, faults[run.name] = metrics_of(run)
        from_rows = functools.partial(_run_with_rows, run, metrics, stored.units)
        with_sums[run.name] = RunWithSums(run, stored, metrics, from_rows)
    first, *others = with_sums.values()
    if not all(have_same_units(first, other) for other in others):
        return None
    return with_sums, _missing_metrics(with_sums, faults)


def rows_of(run: FinishedRun) -> RowRecords | None:
    """Return the rows of a run, sorted by number; None if it did not save any."""
    if run.rows is not None:
        return run.rows
    rows = read_rows(run.path)
    return None if rows is None else rows.sorted_by_number()


def _sums_of(run: FinishedRun, metrics: Mapping[str, Metric], units: Units) -> RunWithSums | None:
    """Return the sums of a run by these units, None if it has none."""
    with suppress(DataError):
        stored = read_units(run.path)
        if stored is not None and stored.units == units:
            return RunWithSums(run, stored, metrics, lambda: None)
    return None


def _run_with_rows(
    run: FinishedRun, metrics: Mapping[str, Metric], units: Units
) -> RunWithRows | None:
    rows = rows_of(run)
    return None if rows is None else RunWithRows(run, rows, metrics, units)


def _missing_metrics(runs: Mapping[str, RunWithUnits], faults: dict[str, str]) -> list[Note]:
    """Return a note for each cause that leaves metrics without intervals."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for name, run in runs.items():
        missing = [metric for metric in run.run.result["metrics"] if metric not in run.metrics]
        files = list_names(sorted({Path(file).name for file in run.run.not_imported} or {""}))
        text, cure = "the metric cannot be made again", faults[name]
        if files:
            text = NOT_LOADED
            cure = f"give --trust (in Python trust=True), which executes {files}"
        for metric in missing:
            found.setdefault((text, cure), {})[metric] = None
    return [
        Note(f"differences of {list_names(list(metrics))} have no interval, because {text}", cure)
        for (text, cure), metrics in found.items()
    ]


def metrics_of(run: FinishedRun) -> tuple[dict[str, Metric], str]:
    """Return the loss and the metrics of a run by name, and why some cannot be rebuilt.

    Neither data nor weights are read. If one component cannot be rebuilt, for instance because
    its plugin file may not be imported, the others still are.
    """
    try:
        config = check_config_of(run)
    except LossfwError as error:
        return dict(run.scores), str(error).partition("\n")[0]
    made = [metric for metric in config.metrics if metric is not None]
    given = config.sections and config.sections.evaluate.baseline
    if given and config.loss is not None:
        made += Baseline(baseline_label(given), config.loss).metrics_for(config.loss)
    # The run reports two metrics of one name with their parameters.
    by_text = {name_with_parameters(metric): metric for metric in made}
    by_label = {metric.label: metric for metric in made}
    named = {name: by_label.get(name) or by_text.get(name) for name in run.result["metrics"]}
    metrics = {name: metric for name, metric in named.items() if metric is not None}
    if config.loss is not None:
        metrics[LOSS] = LossMetric(of=config.loss)
    fault = config.problems.error().problems[0].message if config.problems else ""
    return {**metrics, **run.scores}, fault


@functools.cache
def loss_key(run: FinishedRun) -> str:
    """Return a key that is equal for runs with equal losses, including parameters."""
    if run.scored_by:
        return run.scored_by
    try:
        return repr(loss_of(run).to_config())
    except LossfwError:
        # Its plugin may not be imported: what its configuration says.
        return f"{run.loss_name} {_loss_settings(run)}"


def _loss_settings(run: FinishedRun) -> list[tuple[str, str]]:
    prefix = f"{LOSS}."
    return sorted((k, str(v)) for k, v in run.settings.items() if k.startswith(prefix))


def _loss_text(run: FinishedRun) -> str:
    try:
        return str(loss_of(run))
    except LossfwError:
        return ", ".join(f"{key}={value}" for key, value in _loss_settings(run)) or run.loss_name


def loss_of(run: FinishedRun) -> Loss:
    """Return the loss of a run from its configuration, not fused."""
    config = check_config_of(run)
    config.problems.raise_if_any()
    return require(config.loss)


def check_config_of(run: FinishedRun) -> CheckedConfig:
    """Return the configuration of a run with its components; neither data nor weights are read."""
    path = str(run.path / CONFIG_FILE)
    config = read_config(ConfigSource(path, plugins=run.plugins))
    build_components(config)
    return config

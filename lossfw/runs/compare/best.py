"""The best of several runs by one number, corrected for the choice.

Runs that differ only in their seed form one setting, whose number is their mean. The settings are
sorted by name first, so the order of the runs does not matter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossfw.evaluation.intervals.found import too_few_reason
from lossfw.evaluation.intervals.left_out import LeaveOneOut, pairs_of
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.intervals.paired import NumbersOfSameUnits
from lossfw.evaluation.intervals.units import Units
from lossfw.evaluation.intervals.winner import best_of
from lossfw.metrics import LossMetric
from lossfw.runs.compare.differences import loss_key
from lossfw.runs.compare.finished import LOSS, FinishedRun, RunNumber, is_number
from lossfw.runs.compare.paired import RunWithUnits
from lossfw.runs.compare.pairing import have_same_weights
from lossfw.runs.compare.seeds import SeedGroup

# Of two settings the difference says it all.
FEWEST = 3


@dataclass(frozen=True)
class BestRun:
    """The best of several settings by one number.

    Attributes
    ----------
    name : str
        The run, or the setting of runs that differ in their seed.
    runs : tuple of str
        The names of its runs; several for a mean over seeds.
    by : str
        The loss, called ``loss``, or the metric.
    count : int
        The number of settings.
    number : RunNumber
        Its uncorrected number, with its interval.
    corrected : RunNumber
        The number expected on other rows, corrected for choosing the best setting.
    near : tuple of str
        The settings that differ from it by at most one standard error of the difference.
    undefined : tuple of str
        Settings whose number is not finite, which were left out.
    """

    name: str
    runs: tuple[str, ...]
    by: str
    count: int
    number: RunNumber
    corrected: RunNumber
    near: tuple[str, ...]
    undefined: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain numbers, strings and lists, for JSON."""
        return {
            "name": self.name,
            "runs": list(self.runs),
            "by": self.by,
            "count": self.count,
            **self.number.to_dict(),
            "corrected": self.corrected.to_dict(),
            "within_one_standard_error": list(self.near),
            "undefined": list(self.undefined),
        }


def best_run(
    runs: Sequence[FinishedRun],
    numbers: Mapping[str, Mapping[str, RunNumber]],
    with_rows: Mapping[str, RunWithUnits],
    intervals: Intervals,
    by: str,
    groups: Sequence[SeedGroup],
) -> BestRun | str | None:
    """Return the best of runs on the same rows, or why there is none; None for fewer than three.

    Parameters
    ----------
    runs : sequence of FinishedRun
    numbers : mapping of str to mapping
        Their numbers with intervals, by run and measure.
    with_rows : mapping of str to RunWithRows or RunWithSums
        Those of the runs that can be paired.
    intervals : Intervals
    by : str
        The loss, called ``loss``, or a metric.
    groups : sequence of SeedGroup
        Runs that differ only in their seed; may be empty.
    """
    settings = {group.name: [one.name for one in group.members] for group in groups}
    settings = settings or {run.name: [run.name] for run in runs}
    if len(settings) < FEWEST:
        return None
    why = _incomparable_reason(by, runs, with_rows)
    if why:
        return why
    metric = with_rows[runs[0].name].estimate_metric(by).metric  # type: ignore[union-attr]  # looked at
    lower = by == LOSS or isinstance(metric, LossMetric)
    if metric.better is None and not lower:
        return f"{by} does not say whether a larger or a smaller number is better"
    higher = metric.better == "higher" and not lower
    known = {
        name: sorted(own)
        for name, own in sorted(settings.items())
        if all(is_number(numbers[run][by].value) for run in own)
    }
    undefined = tuple(name for name in settings if name not in known)
    if len(known) < FEWEST:
        return f"{by} is not a finite number in {', '.join(undefined)}"
    # The places of each setting's runs among all of them.
    members = [run for own in known.values() for run in own]
    ends = np.cumsum([len(own) for own in known.values()])
    places = np.split(np.arange(len(members)), ends[:-1])
    measured = [one for run in members if (one := with_rows[run].estimate_metric(by)) is not None]
    every = NumbersOfSameUnits.of(measured, intervals.resample)
    left = every.left_out()
    means = [_mean_of_numbers([left[place] for place in own]) for own in places]
    why = too_few_reason(intervals.resample or Units(), means[0].units, means[0].freedom)
    if why:
        return why
    winner = best_of(means, every.sizes, intervals.level, higher=higher)
    best = means[winner.place]
    sign = -1.0 if higher else 1.0
    less = [one.minus(best) for one in means]
    near = [sign * float(one.middle) <= float(one.standard_error) for one in less]
    names = list(known)
    own = known[names[winner.place]]
    number = numbers[own[0]][by]
    if len(own) > 1 or number.interval is None:
        ends = best.ends(intervals.level, metric.bounds)
        number = RunNumber(float(best.middle), pairs_of(ends))
    return BestRun(
        names[winner.place],
        tuple(own),
        by,
        len(known),
        number,
        RunNumber(winner.corrected, winner.ends),
        tuple(n for place, n in enumerate(names) if near[place] and place != winner.place),
        undefined,
    )


def _incomparable_reason(
    by: str, runs: Sequence[FinishedRun], with_rows: Mapping[str, RunWithUnits]
) -> str:
    """Return why the runs have no common units of one and the same number; empty if they do."""
    lacking = [run.name for run in runs if by not in run.numbers]
    if lacking:
        return f"{', '.join(lacking)} did not report {by}"
    if by == LOSS and len({loss_key(run) for run in runs}) > 1:
        return "the runs have different losses (compare --loss NAME takes one for all)"
    apart = [run.name for run in runs if run.name not in with_rows]
    if apart:
        return f"{', '.join(apart)} kept neither sums per unit nor the same rows"
    first, *others = (with_rows[run.name] for run in runs)
    for run in (first, *others):
        one = run.estimate_metric(by)
        if one is None or one.value.ndim:
            return f"{by} of {run.run.name} cannot be reproduced from its rows"
        if by != LOSS and one.metric.comparison_key != first.metrics[by].comparison_key:
            return f"{by} is not the same metric in {first.run.name} and {run.run.name}"
        if not have_same_weights(run, first, by):
            return f"{first.run.name} and {run.run.name} use different weights of the rows"
    return ""


def _mean_of_numbers(numbers: Sequence[LeaveOneOut]) -> LeaveOneOut:
    """Return the mean of numbers of the same units."""
    return LeaveOneOut(
        np.mean([one.middle for one in numbers], axis=0),
        np.mean([one.without for one in numbers], axis=0),
        min(one.freedom for one in numbers),
    )

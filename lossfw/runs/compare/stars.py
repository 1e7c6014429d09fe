"""Stars: which differences of a table are clear, given that the table shows many.

A star accounts for all differences of one measure in a table; a difference that is clear only by
itself has a dot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, TypeAlias

import numpy as np

from lossfw.evaluation.intervals.families import holm_adjusted, simultaneous_quantile
from lossfw.evaluation.intervals.left_out import LeaveOneOut
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.intervals.paired import MeasuredNumber, leave_out_units
from lossfw.evaluation.intervals.student import t_quantile, two_sided_p_value
from lossfw.runs.compare.finished import RunNumber

# Whether a star holds for all differences of a measure in the table, or for each by itself.
Stars: TypeAlias = Literal["all", "each"]

STAR, DOT = "*", "."


class HasNumbers(Protocol):
    """Protocol: a run whose numbers can be recomputed from its rows, or from sums by unit."""

    def estimate_metric(self, name: str) -> MeasuredNumber | None:
        """Return a loss or a metric; None if it cannot be rebuilt."""


class StarCandidate(NamedTuple):
    """A difference of a measure, with its two numbers.

    `key` is its place in the tables: a run, or a part of the rows and a run.
    """

    key: tuple[str, ...]
    difference: RunNumber
    one: MeasuredNumber
    base: MeasuredNumber


@dataclass(frozen=True)
class Family:
    """The differences of one measure with stars, by key, and their number."""

    differences: Mapping[tuple[str, ...], RunNumber]
    size: int


def star_family(
    differences: Sequence[StarCandidate], intervals: Intervals, stars: Stars = "all"
) -> Family:
    """Return the differences of one measure with their stars and p-values.

    Those without an interval have neither.
    """
    known = [one for one in differences if one.difference.single and one.difference.interval]
    less = _leave_one_out_differences(known, intervals)
    t = [_t_statistic(one) for one in less]
    p = [two_sided_p_value(size, one.freedom) for size, one in zip(t, less, strict=True)]
    together = stars == "all" and len(known) > 1
    limit = simultaneous_quantile(less, intervals.level) if together else 0.0
    adjusted = holm_adjusted(p) if together else p
    found = {}
    for one, of, size, alone, beside in zip(known, less, t, p, adjusted, strict=True):
        mark = ""
        if one.difference.clear:
            # What one interval says is not outdone by a family of one.
            is_clear = size > max(limit, t_quantile(intervals.level, of.freedom))
            mark = STAR if is_clear or not together else DOT
        found[one.key] = one.difference._replace(star=mark, p=alone, p_adjusted=beside)
    return Family(found, len(known) if together else min(len(known), 1))


def _leave_one_out_differences(
    known: Sequence[StarCandidate], intervals: Intervals
) -> list[LeaveOneOut]:
    """Return the differences with their values without each unit, the same units for all."""
    if not known:
        return []
    by = intervals.resample
    every = leave_out_units([one.base for one in known] + [one.one for one in known], by)
    count = len(known)
    return [every[count + place].minus(every[place]) for place in range(count)]


def _t_statistic(one: LeaveOneOut) -> float:
    with np.errstate(all="ignore"):
        size = abs(float(one.middle)) / float(one.standard_error)
    return size if np.isfinite(size) else 0.0


def star_candidates(
    key: tuple[str, ...],
    difference: RunNumber,
    measured: Mapping[str, HasNumbers],
    run: str,
    base: str,
    name: str,
) -> Iterator[StarCandidate]:
    """Yield a difference with the numbers of both runs, if these can be rebuilt."""
    if difference.interval and run in measured and base in measured:
        one, other = (measured[which].estimate_metric(name) for which in (run, base))
        if one is not None and other is not None:
            yield StarCandidate(key, difference, one, other)


def star_all(
    names: Sequence[str],
    starred: Callable[[str], Sequence[StarCandidate]],
    intervals: Intervals,
    stars: Stars,
) -> tuple[dict[tuple[str, tuple[str, ...]], RunNumber], int]:
    """Return the differences of all measures by measure and key, and the largest family."""
    found: dict[tuple[str, tuple[str, ...]], RunNumber] = {}
    size = 0
    for name in names:
        family = star_family(starred(name), intervals, stars)
        found |= {(name, key): one for key, one in family.differences.items()}
        size = max(size, family.size)
    return found, size

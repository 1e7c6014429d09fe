"""Findings: those of one cause are one finding for a reader.

A formula that overflows fails for value, gradient and Hessian, and at every other parameter as
well. The gravest of these findings, nearest to the defaults, stands for all.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lossfw.check.core.search import Grade
from lossfw.check.refutation import Refutation
from lossfw.check.severity import GRADES

_RANKS = {grade: rank for rank, grade in enumerate(GRADES)}

# The checks that compare a function with the formula are named after it, those of sorts of errors
# that have a check of their own after both.
_FUNCTIONS = ("value", "gradient", "hessian")
_SORTS = ("precision", "overflow")


@dataclass(frozen=True)
class SharedCause:
    """The findings of one cause.

    Attributes
    ----------
    findings : sequence of Refutation
        The gravest first.
    """

    findings: Sequence[Refutation]

    @property
    def first(self) -> Refutation:
        """The finding that stands for all."""
        return self.findings[0]

    @property
    def grade(self) -> Grade:
        """The grade of the gravest."""
        return self.first.grade

    def lines(self, parameter_sets: int = 1, preceding: str = "") -> Iterator[str]:
        """Yield the lines of the first, which other checks find it, and at how many parameters.

        They are those of so many sets. The code continues that of a `preceding` snippet.
        """
        checks = dict.fromkeys(f.check for f in self.findings if f.check != self.first.check)
        others = {f.component for f in self.findings} - {self.first.component}
        at = f"at {len(others)} of {parameter_sets - 1} other parameters" if others else ""
        yield from self.first.lines("; ".join(filter(None, (", ".join(checks), at))), preceding)


def by_grade(refuted: Iterable[Refutation]) -> list[Refutation]:
    """Return findings with the gravest first."""
    return sorted(refuted, key=lambda one: _RANKS[one.grade])


def causes(refuted: Iterable[Refutation]) -> list[SharedCause]:
    """Return the causes of findings, the gravest first."""
    found: dict[Hashable, list[Refutation]] = {}
    for finding in by_grade(refuted):
        found.setdefault(_cause(finding, found), []).append(finding)
    _join_far_ones(found)
    return [SharedCause(findings) for findings in found.values()]


def _cause(finding: Refutation, found: Mapping[Hashable, list[Refutation]]) -> Hashable:
    """Return the key of the cause of a finding, among those that were found before."""
    sort = sort_of_check(finding.check)
    if sort:
        return "precision" if finding.grade == "digits" else sort, finding.grade == "extreme"
    for key, others in found.items():
        if any(_is_same(finding, other) for other in others):
            return key
    return finding.check


def _is_same(one: Refutation, other: Refutation) -> bool:
    """Tell whether two findings of claims and laws have one cause."""
    if sort_of_check(other.check):
        return False
    if one.check == other.check or (one.cause is not None and one.cause == other.cause):
        return True
    return (
        one.component == other.component
        and bool(one.inputs)
        and one.inputs.keys() == other.inputs.keys()
        and all(np.array_equal(array, other.inputs[name]) for name, array in one.inputs.items())
    )


def _join_far_ones(found: dict[Hashable, list[Refutation]]) -> None:
    """Move what is wrong at extremes to what is wrong in ordinary numbers for the same checks."""
    for sort in ("value", *_SORTS):
        near, far = found.get((sort, False)), found.get((sort, True), [])
        if near and {f.check for f in far} <= {f.check for f in near}:
            near += found.pop((sort, True), [])


def sort_of_check(check: str) -> str:
    """Return the sort of error that a check against the formula is about, else an empty text.

    Examples
    --------
    >>> sort_of_check("overflow"), sort_of_check("precision:gradient"), sort_of_check("nan")
    ('overflow', 'precision', '')
    """
    if check in _FUNCTIONS:
        return "value"
    sort, _, function = check.partition(":")
    return sort if sort in _SORTS and (function or "value") in _FUNCTIONS else ""

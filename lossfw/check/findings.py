"""Findings: several findings of one cause are shown as one.

A formula that overflows fails for value, gradient and Hessian, and also at every other parameter.
The gravest of these findings, nearest to the defaults, represents all.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lossfw.check.core.search import Grade
from lossfw.check.refutation import Refutation
from lossfw.check.severity import GRADES

_RANKS = {grade: rank for rank, grade in enumerate(GRADES)}

# The checks that compare a function with the formula, and the one of NaN, which may be its own.
_RESULTS = ("value", "gradient", "hessian", "nan:legal")

# Where a result depends on its companions, every check of the call fails, and this one says why.
_COMPANIONS = "purity:companions"


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
        """The finding that represents all."""
        return self.findings[0]

    @property
    def grade(self) -> Grade:
        """The grade of the gravest."""
        return self.first.grade

    def lines(self, parameter_sets: int = 1, preceding: str = "") -> Iterator[str]:
        """Yield the lines of the first finding, which other checks find it, and how often.

        The code continues that of a `preceding` snippet.
        """
        checks = dict.fromkeys(f.check for f in self.findings if f.check != self.first.check)
        others = {f.component for f in self.findings} - {self.first.component}
        at = f"at {len(others)} of {parameter_sets - 1} other parameters" if others else ""
        yield from self.first.lines("; ".join(filter(None, (", ".join(checks), at))), preceding)


def sort_by_grade(findings: Iterable[Refutation]) -> list[Refutation]:
    """Return findings with the gravest first."""
    return sorted(findings, key=lambda one: _RANKS[one.grade])


def shared_causes(refuted: Iterable[Refutation]) -> list[SharedCause]:
    """Return the causes of findings, the gravest first."""
    found: dict[Hashable, list[Refutation]] = {}
    ordered = sort_by_grade(refuted)
    ordered.sort(key=lambda one: one.check != _COMPANIONS)
    for finding in ordered:
        found.setdefault(_cause_key(finding, found), []).append(finding)
    return [SharedCause(findings) for findings in found.values()]


def _cause_key(finding: Refutation, found: Mapping[Hashable, list[Refutation]]) -> Hashable:
    """Return the key of the cause of a finding, among those that were found before."""
    if _COMPANIONS in found:
        return _COMPANIONS
    if finding.check in _RESULTS:
        has_none = finding.error == "overflow" or finding.check == "nan:legal"
        key: Hashable = (has_none, finding.grade == "wrong")
        # It is the same mistake at other parameters.
        return next((k for k in found if finding.check in {f.check for f in found[k]}), key)
    for key, others in found.items():
        if any(_have_same_cause(finding, other) for other in others):
            return key
    return finding.check


def _have_same_cause(one: Refutation, other: Refutation) -> bool:
    """Tell whether two findings of claims and laws have one cause."""
    if other.check in _RESULTS:
        return False
    if one.check == other.check or (one.cause is not None and one.cause == other.cause):
        return True
    return (
        one.component == other.component
        and bool(one.inputs)
        and one.inputs.keys() == other.inputs.keys()
        and all(np.array_equal(array, other.inputs[name]) for name, array in one.inputs.items())
    )

"""Reports: the findings of the harness about one component, and their text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from lossfw.check.findings import SharedCause, shared_causes, sort_by_grade
from lossfw.check.refutation import Refutation
from lossfw.check.severity import GRADES

# The reason of what a user has left out, which the text does not repeat.
DESELECTED = "deselected"

NO_FORMULA = "no formula: the value was compared only with itself"

# The exit codes of a check that is not ok.
FAILED, NOT_JUDGED = 1, 2

# So many of the checks that have no outcome, or that are wrong, are named in one line.
_NAMED = 8


class PassedCheck(NamedTuple):
    """A check without a counterexample, and its number of examples."""

    check: str
    examples: int


class NotRun(NamedTuple):
    """A check without an outcome, because of the time limit or of what another check reports."""

    reason: str


class NotJudged(NamedTuple):
    """A check without an outcome because the harness failed; the line is for a bug report."""

    line: str


@dataclass
class Report:
    """The result of `check` for one component.

    Attributes
    ----------
    name : str
        The component, with its parameters.
    refuted : list of Refutation
        The counterexamples, by severity: wrong results, lost digits, extremes, conventions.
    passed : list of PassedCheck
        The checks without a counterexample, with the number of their examples.
    not_claimed : list of str
        Claims that the component does not make.
    not_applicable : dict of str to str
        Checks that do not apply to the component, with the reason.
    expected_failures : dict of str to str
        Expected failures that failed, with the given reason.
    unexpected_passes : dict of str to str
        Expected failures that did not fail, with the given reason.
    not_run : dict of str to str
        Checks without an outcome, with the reason: the time limit, or an error that another check
        reports.
    stages : list of str
        The parts in which the checks run, in their order.
    late_stages : list of str
        The stages that did not finish within the time limit.
    late_checks : list of str
        The checks that did not finish within the time limit, in one stage or in all.
    n_checks : int
        The number of checks that should run, over all parameter sets.
    allow_unfinished : bool
        Whether a report may be ok although the time limit was reached.
    conventions : bool
        Whether a broken convention counts as a failure, as for components.
    strict : bool
        Whether notes are failures too.
    not_judged : dict of str to str
        Checks that ended with an error in lossfw itself, with a line for a bug report.
    witnesses : dict of str to str
        Claims that are set to False, with the example that shows it.
    limited : dict of str to str
        Checks of fewer inputs than usual, with these inputs and the reason.
    not_checked : str
        Why nothing could be checked; otherwise empty.
    skipped : str
        Why a component was skipped, which is not a failure; otherwise empty.
    missing_library : str
        The missing library because of which it was skipped, by its name on PyPI.
    is_deselected : bool
        Whether it was skipped because none of the selected checks applies.
    component : str
        The component without its parameters: reports on the same one are merged.
    seed : int
        The seed of the search.
    remarks : list of str
        Other remarks, such as a promised range or a cost, one per line.
    has_no_formula : bool
        Whether the component has no formula, so the value is compared only with itself.
    parameter_sets : int
        The number of parameter sets at which the component was checked.

    Examples
    --------
    >>> from lossfw.check import check
    >>> check("huber", examples=5, only=["value"]).verdict
    'nothing refuted'
    """

    name: str
    refuted: list[Refutation] = field(default_factory=list)
    passed: list[PassedCheck] = field(default_factory=list)
    not_claimed: list[str] = field(default_factory=list)
    not_applicable: dict[str, str] = field(default_factory=dict)
    expected_failures: dict[str, str] = field(default_factory=dict)
    unexpected_passes: dict[str, str] = field(default_factory=dict)
    not_run: dict[str, str] = field(default_factory=dict)
    stages: list[str] = field(default_factory=list)
    late_stages: list[str] = field(default_factory=list)
    late_checks: list[str] = field(default_factory=list)
    n_checks: int = 0
    allow_unfinished: bool = False
    conventions: bool = True
    strict: bool = False
    not_judged: dict[str, str] = field(default_factory=dict)
    witnesses: dict[str, str] = field(default_factory=dict)
    limited: dict[str, str] = field(default_factory=dict)
    not_checked: str = ""
    skipped: str = ""
    missing_library: str = ""
    is_deselected: bool = False
    component: str = ""
    seed: int = 0
    remarks: list[str] = field(default_factory=list)
    has_no_formula: bool = False
    parameter_sets: int = 1

    @property
    def is_left_out(self) -> bool:
        """Whether it was skipped together with others, which are counted in one sentence."""
        return bool(self.missing_library) or self.is_deselected

    @property
    def is_unfinished(self) -> bool:
        """Whether the time limit was reached before all checks had run."""
        return bool(self.late_checks)

    @property
    def examples(self) -> int:
        """The total number of examples."""
        return sum(passed.examples for passed in self.passed)

    @property
    def failures(self) -> list[Refutation]:
        """The refutations that are failures."""
        return [r for r in self.refuted if self.severity(r) == "wrong"]

    @property
    def notes(self) -> list[Refutation]:
        """The refutations that are failures only of a strict check."""
        return [r for r in self.refuted if self.severity(r) == "note"]

    @property
    def causes(self) -> list[SharedCause]:
        """The causes of failures and notes, by severity."""
        return shared_causes([*self.failures, *self.notes])

    def severity(self, refutation: Refutation) -> str:
        """Return ``"wrong"``, ``"note"``, or ``"convention"`` for one that does not count."""
        if refutation.grade != "convention":
            return "wrong" if refutation.grade == "wrong" else "note"
        return "wrong" if self.conventions else "convention"

    @property
    def ok(self) -> bool:
        """Whether no check failed, all were run, and all expected failures failed."""
        return not (self.has_failures or self.not_judged)

    @property
    def has_failures(self) -> bool:
        """Whether a check failed, other than by an error in lossfw itself."""
        if (self.is_unfinished or self.not_checked) and not self.allow_unfinished:
            return True
        if self.not_checked or self.skipped:
            return False
        is_wrong = bool(self.failures or (self.strict and self.notes) or self.unexpected_passes)
        return is_wrong or self.nothing_ran

    @property
    def nothing_ran(self) -> bool:
        """Whether no check ran, for instance because none of the chosen checks applies."""
        return not (self.passed or self.refuted or self.not_judged or self.is_unfinished)

    @property
    def verdict(self) -> str:
        """The summary of all findings in one sentence."""
        if self.not_checked:
            return f"not checked: {self.not_checked}"
        if self.skipped:
            return f"skipped: {self.skipped}"
        if not (self.passed or self.refuted or self.not_judged):
            return "no check ran, which is a failure"
        firsts = [cause.first for cause in self.causes]
        wrong = [first.check for first in firsts if first.grade == "wrong"]
        if wrong:
            return f"{GRADES['wrong']}: {_list_names(wrong)}"
        conventions = [first.check for first in firsts if first.grade == "convention"]
        if conventions:
            return f"differs only by convention: {_list_names(conventions)}"
        if self.unexpected_passes:
            return (
                f"not refuted, although expected to be: {_list_names(list(self.unexpected_passes))}"
            )
        if self.not_judged and not firsts:
            return f"could not be checked: {_list_names(list(self.not_judged))}"
        refuted = "nothing refuted"
        if firsts:
            notes = _list_names([first.check for first in firsts])
            refuted = f"nothing wrong, {_count(len(firsts), 'note')}: {notes}"
        return "".join([
            refuted,
            " by the checks that ran" if self.is_unfinished and not firsts else "",
            f" ({NO_FORMULA})" if self.has_no_formula and self._looked_at_values else "",
        ])  # fmt: skip

    @property
    def _looked_at_values(self) -> bool:
        names = {one.check for one in self.passed} | {one.check for one in self.refuted}
        return "value" in names

    def raise_if_refuted(self) -> None:
        """Raise an error with the verdict and the findings, unless the report is ok.

        Raises
        ------
        AssertionError
            With a counterexample for each cause, its code, and the seed.
        """
        if not self.ok:
            raise AssertionError(str(self))

    def to_dict(self) -> dict[str, Any]:
        """Return a dict of plain numbers and strings, as written to JSON."""
        return {
            "name": self.name,
            "ok": self.ok,
            "verdict": self.verdict,
            "has_no_formula": self.has_no_formula,
            "remarks": list(self.remarks),
            "failures": [refutation.check for refutation in self.failures],
            "notes": [refutation.check for refutation in self.notes],
            "refuted": [
                {**refutation.to_dict(), "severity": self.severity(refutation)}
                for refutation in self.refuted
            ],
            "passed": {passed.check: passed.examples for passed in self.passed},
            "not_claimed": list(self.not_claimed),
            "witnesses": dict(self.witnesses),
            "not_applicable": dict(self.not_applicable),
            "expected_failures": dict(self.expected_failures),
            "unexpected_passes": dict(self.unexpected_passes),
            "not_run": dict(self.not_run),
            "not_judged": dict(self.not_judged),
            "limited": dict(self.limited),
            "stages": list(self.stages),
            "late_stages": list(self.late_stages),
            "late_checks": list(self.late_checks),
            "not_checked": self.not_checked,
            "skipped": self.skipped,
        }

    def __str__(self) -> str:
        return "\n".join([*self.lines(), f"  {summary([self])}"])

    def lines(self) -> Iterator[str]:
        """Yield the verdict, a finding for each cause, and what was not checked."""
        yield f"{self.name}: {self.verdict}"
        preceding = ""
        for number, cause in enumerate(self.causes):
            if number:
                yield ""
            yield from cause.lines(self.parameter_sets, preceding)
            preceding = cause.first.snippet or preceding
        if self.causes and self.remarks:
            yield ""
        yield from (f"  {remark}" for remark in self.remarks)
        for check, line in self.not_judged.items():
            yield f"  {check} could not be checked: {line}"
        if self.refuted and not self.conventions:
            others = [r.check for r in self.refuted if r.grade == "convention"]
            if others:
                yield f"  other conventions, which do not count: {_list_names(others)}"
        for check, reason in self.unexpected_passes.items():
            yield f"  {check}: expected to fail ({reason}), but it holds: remove the expectation"
        for check, reason in self.expected_failures.items():
            yield f"  {check} failed, as expected: {reason}"
        # What was late is one count in the summary.
        not_run = _drop_checks(self.not_run, self.late_checks)
        for word, reasons in (("not run", not_run), ("looked at less", self.limited)):
            for reason, checks in _group_by_reason(reasons).items():
                if reason != DESELECTED:
                    yield f"  {word}: {_list_names(checks)} ({reason})"

    def lines_on_gaps(self) -> Iterator[str]:
        """Yield the claims that are not made, and the checks that do not apply."""
        if self.not_claimed:
            yield f"  not claimed: {', '.join(self.not_claimed)}"
        for reason, checks in _group_by_reason(self.not_applicable).items():
            yield f"  not applicable: {', '.join(checks)} ({reason})"

    @classmethod
    def merge(cls, reports: Sequence[Report]) -> Report:
        """Return one report on a component that was checked in parts, or at several parameters.

        A check that fails in one part fails, and an expected failure that occurs in one part has
        occurred.
        """
        names = list(dict.fromkeys(report.name for report in reports))
        first = reports[0]
        whole = cls(
            first.name if len(names) == 1 else first.component or first.name,
            sort_by_grade(refutation for report in reports for refutation in report.refuted),
            component=first.component,
            conventions=first.conventions,
            strict=first.strict,
            allow_unfinished=first.allow_unfinished,
            stages=[stage for report in reports for stage in report.stages],
            late_stages=[stage for report in reports for stage in report.late_stages],
            late_checks=[check for report in reports for check in report.late_checks],
            n_checks=sum(report.n_checks for report in reports),
            not_checked="; ".join(dict.fromkeys(r.not_checked for r in reports if r.not_checked)),
            skipped=first.skipped,
            missing_library=first.missing_library,
            is_deselected=first.is_deselected,
            seed=first.seed,
            remarks=list(dict.fromkeys(line for report in reports for line in report.remarks)),
            has_no_formula=any(report.has_no_formula for report in reports),
            parameter_sets=max(len(names), *(report.parameter_sets for report in reports)),
        )
        for report in reports:
            whole.expected_failures |= report.expected_failures
            whole.not_judged |= report.not_judged
            whole.witnesses |= report.witnesses
            whole.limited |= report.limited
        failed = {refutation.check for refutation in whole.refuted} | whole.expected_failures.keys()
        failed |= whole.not_judged.keys()
        examples: dict[str, int] = {}
        for report in reports:
            for check, count in report.passed:
                if check not in failed:
                    examples[check] = examples.get(check, 0) + count
        whole.passed = [PassedCheck(check, count) for check, count in examples.items()]
        known = failed | examples.keys()
        for report in reports:
            whole.unexpected_passes |= _drop_checks(
                report.unexpected_passes, whole.expected_failures
            )
            whole.not_run |= _drop_checks(report.not_run, known)
            whole.not_applicable |= _drop_checks(report.not_applicable, known)
            whole.not_claimed += [
                claim
                for claim in report.not_claimed
                if claim not in whole.not_claimed and f"claim:{claim}" not in known
            ]
        return whole


def summary(reports: Sequence[Report]) -> str:
    """Return the counts of causes, findings and other checks, and of examples."""
    parts = []
    findings = sum(len(report.failures) + len(report.notes) for report in reports)
    if findings:
        causes = sum(len(report.causes) for report in reports)
        parts.append(f"{_count(causes, 'cause')} of {_count(findings, 'finding')}")
    if any(report.notes and not report.strict for report in reports):
        parts.append("notes fail only with --strict")
    reports = [report for report in reports if not report.skipped]
    held = sum(len(report.passed) for report in reports)
    examples = sum(report.examples for report in reports)
    sets = sum(report.parameter_sets for report in reports)
    at = f"at {_count(sets, 'parameter set')}"
    many = f"of {len(reports)} components {at}" if len(reports) > 1 else at
    seed = reports[0].seed if reports else 0
    parts.append(
        f"{_count(held, 'check')} {many} not refuted in {examples:,} examples, seed {seed}"
    )
    late = sum(len(report.late_checks) for report in reports)
    if late:
        every = sum(report.n_checks for report in reports)
        cure = "--time 0 runs all"
        if not all(report.allow_unfinished for report in reports):
            cure += ", --allow-unfinished accepts it"
        parts.append(f"{late:,} of {_count(every, 'check')} did not end in time ({cure})")
    return "; ".join(parts)


def exit_code(reports: Sequence[Report]) -> int:
    """Return 0 if all reports are ok, 1 if one fails, 2 if only the harness itself did."""
    if all(report.is_deselected for report in reports):
        return FAILED
    if all(report.ok for report in reports):
        return 0
    return FAILED if any(report.has_failures for report in reports) else NOT_JUDGED


def report_among_several(reports: Sequence[Report]) -> Report:
    """Return one report on a component of several, left out if no chosen check applies to it."""
    whole = Report.merge(reports)
    if whole.nothing_ran and whole.not_applicable:
        for report in (whole, *reports):
            report.skipped = "none of the checks that are chosen applies to it"
            report.is_deselected = True
    return whole


def left_out_lines(reports: Sequence[Report]) -> Iterator[str]:
    """Yield a line for each reason for which components were left out together."""
    skipped = [
        (report.name, report.missing_library) for report in reports if report.missing_library
    ]
    if skipped:
        named = ", ".join(f"{name} ({library})" for name, library in skipped)
        yield f"skipped {_count(len(skipped), 'component')} whose library is not installed: {named}"
    others = sum(report.is_deselected for report in reports)
    if others:
        yield f"skipped {_count(others, 'component')} to which none of the chosen checks applies"


def _count(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def _list_names(checks: Sequence[str]) -> str:
    """Return the first few names, and how many more there are: the JSON has all."""
    more = len(checks) - _NAMED
    return f"{', '.join(checks[:_NAMED])} and {more} more" if more > 1 else ", ".join(checks)


def _group_by_reason(reasons: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for check, reason in reasons.items():
        found.setdefault(reason, []).append(check)
    return found


def _drop_checks(reasons: Mapping[str, str], checks: Iterable[str]) -> dict[str, str]:
    return {check: reason for check, reason in reasons.items() if check not in checks}

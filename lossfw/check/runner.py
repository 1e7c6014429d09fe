"""Run every check that applies, in a fixed order, with a fixed seed."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from lossfw.check.checks import CHECKS
from lossfw.check.core.causes import Cause, cause_of
from lossfw.check.core.reproduce import snippet
from lossfw.check.core.search import Check, Counterexample, NotApplicable, Search
from lossfw.check.core.subject import Subject
from lossfw.check.denials import denials
from lossfw.check.groups import by_grade
from lossfw.check.options import Options
from lossfw.check.refutation import Refutation
from lossfw.check.report import NotRun, PassedCheck, Report
from lossfw.check.right_for import right_for
from lossfw.check.severity import grade_of
from lossfw.components.component import Component
from lossfw.components.naming import did_you_mean
from lossfw.errors import ArgumentError, MissingExtraError
from lossfw.losses.engine.engine_mode import use_engine

CheckOutcome: TypeAlias = PassedCheck | Refutation | NotApplicable | NotRun

# Names of checks of a formula begin so; those of them that test the call end so.
_OF_FORMULA = (
    "value",
    "precision",
    "overflow",
    "gradient",
    "hessian",
    "nan:",
    "claim",
    "curvature",
)
_OF_CALL = (":many", ":half", ":mean", ":classes")


@dataclass(frozen=True)
class CheckSuite:
    """A component or function with the checks that apply to it."""

    name: str  # for the report
    subject: Any  # a Subject or an activation: the first argument of the checks
    checks: Mapping[str, Check]  # in the order in which they run
    not_claimed: tuple[str, ...]
    setup: str = ""  # code that defines `value` and the others in snippets
    component: Component | None = None  # None for an outside function
    left_out: tuple[str, ...] = ()  # checks that apply and do not run

    def formula_only(self) -> CheckSuite:
        """Return it without the laws of the call, which hold for all parameters or for none."""
        checks = {
            name: check
            for name, check in self.checks.items()
            if name.startswith(_OF_FORMULA) and not name.endswith(_OF_CALL)
        }
        return replace(self, checks=checks, left_out=tuple(self.checks.keys() - checks.keys()))


def suite_of_subject(subject: Subject, more: Mapping[str, Check] | None = None) -> CheckSuite:
    """Return a loss with the checks that apply to it, and `more` that only components have."""
    checks = {**CHECKS, **(more or {})}
    claimed = {f"claim:{claim}" for claim in subject.claims}
    missing = [n for n in checks if n.startswith("claim:") and n not in claimed]
    unclaimed = (name.removeprefix("claim:") for name in missing)
    return CheckSuite(
        subject.name,
        subject,
        {name: check for name, check in checks.items() if name not in missing}
        | denials(subject.denied, checks),
        tuple(claim for claim in unclaimed if claim not in subject.denied),
        subject.setup,
        subject.component,
    )


def run(
    suite: CheckSuite,
    options: Options | None = None,
    *,
    expected_failures: Mapping[str, str] | None = None,
    watch: Callable[[str], None] | None = None,
    **more: Any,
) -> Report:
    """Run every check; `watch` gets the name of each before it runs.

    Without options, `more` are fields of them.
    """
    options = options or Options(**more)
    report = Report(
        suite.name,
        not_claimed=list(suite.not_claimed),
        allow_unfinished=options.allow_unfinished,
        conventions=options.conventions or suite.component is not None,
        component="" if suite.component is None else suite.component.name,
        seed=options.seed,
    )
    expected = expectations(expected_failures or {}, (*suite.checks, *suite.left_out))
    deselected = options.deselected(suite.checks, (*CHECKS, *suite.left_out))
    search = Search(options.seed, options.examples, options.rtol)
    findings = FindingDeduplicator()
    started_at = time.monotonic()
    for name in suite.checks:
        seconds = time.monotonic() - started_at
        if name in deselected:
            report.not_run[name] = "deselected"
        elif findings.blocked_by:
            report.not_run[name] = findings.reason
        elif options.first and report.failures:
            report.not_run[name] = "stopped at the first failure"
        elif options.time_limit is not None and seconds > options.time_limit:
            report.not_run[name] = f"the time limit of {options.time_limit:g} s was over"
            report.unfinished = True
        else:
            if watch is not None:
                watch(name)
            reason = expected.get(name, "")
            outcome = attempt(suite, name, search)
            _record(report, name, outcome if reason else findings.deduplicate(outcome), reason)
    report.witnesses.update(search.witnesses)
    report.limited.update(search.limited)
    report.refuted = by_grade(report.refuted)
    grades = {refutation.grade for refutation in report.failures}
    if (
        grades & {"digits", "extreme"}
        and "wrong" not in grades
        and isinstance(suite.subject, Subject)
    ):
        report.right_for = right_for(suite.subject)
    return report


class FindingDeduplicator:
    """Remembers errors that a check has reported: one mistake is one finding."""

    def __init__(self) -> None:
        self._first: dict[Hashable, str] = {}
        self.blocked_by = ""

    @property
    def reason(self) -> str:
        """Why no other check runs after a finding that blocks them."""
        return f"{self.blocked_by} leaves nothing to look at"

    def deduplicate(self, outcome: CheckOutcome) -> CheckOutcome:
        """Return an outcome, as not run if another check has reported the same error."""
        if not isinstance(outcome, Refutation):
            return outcome
        if outcome.blocks:
            self.blocked_by = outcome.check
        if outcome.cause is None:
            return outcome
        first = self._first.setdefault(outcome.cause, outcome.check)
        return outcome if first == outcome.check else NotRun(f"the error that {first} reports")


def expectations(failures: Mapping[str, str], checks: Iterable[str]) -> dict[str, str]:
    """Return expected failures by the name of the check; a claim may be named without prefix.

    Raises
    ------
    ArgumentError
        If a name is not that of a check, or there is no reason.
    """
    expected, known = {}, list(checks)
    for name, reason in failures.items():
        check = name if name in known else f"claim:{name}"
        if check not in known:
            guess = did_you_mean(name, [*known, *(n.removeprefix("claim:") for n in known)])
            raise ArgumentError(
                f"expected failure {name!r} is none of the checks that run here. {guess}".rstrip()
            )
        if not str(reason).strip():
            raise ArgumentError(f"expected failure {name!r} has no reason: say why it fails.")
        expected[check] = str(reason)
    return expected


def attempt(suite: CheckSuite, name: str, search: Search) -> CheckOutcome:
    """Run one check and return its outcome; kernels are off, so that the body itself is judged.

    Raises
    ------
    MissingExtraError
        If the exact numbers are not installed.
    """
    search.calls.clear()
    search.running = name
    subject = suite.subject
    if isinstance(subject, Subject):
        subject = search.counted(subject)
    try:
        with np.errstate(all="ignore"), use_engine("tiles"):
            suite.checks[name](subject, search)
    except NotApplicable as reason:
        return reason
    except Counterexample as refuted:
        return _refutation(suite, name, refuted, search.seed)
    except MissingExtraError:
        raise
    except Exception as error:
        # An exception on legal input, from the subject or the check, must not pass for held.
        cause = cause_of(error, suite.component)
        text = f"the check was ended by {type(error).__name__}: {error} ({cause.place})"
        message = _with_remedy(text, cause)
        return Refutation(
            name,
            _claim(name),
            message,
            {},
            seed=search.seed,
            cause=cause.key,
            grade=grade_of(name, subject, {}),
            component=suite.name,
        )
    if not search.tried:
        return NotApplicable("there was no example to try")
    return PassedCheck(name, search.tried)


def _refutation(suite: CheckSuite, name: str, refuted: Counterexample, seed: int) -> Refutation:
    """Return a counterexample with the code that shows it."""
    error = refuted.__cause__
    cause = None if error is None else cause_of(error, suite.component)
    return Refutation(
        check=name,
        claim=_claim(name),
        message=refuted.message if cause is None else _with_remedy(refuted.message, cause),
        inputs=refuted.inputs,
        snippet=snippet(suite.setup, refuted.inputs, refuted.code),
        seed=seed,
        cause=refuted.cause or (None if cause is None else cause.key),
        blocks=refuted.blocks,
        grade=grade_of(name, suite.subject, refuted.inputs, loses_digits=refuted.loses_digits),
        component=suite.name,
    )


def _claim(name: str) -> str | None:
    kind, _, claim = name.partition(":")
    return claim if kind in ("claim", "denied") else None


def _with_remedy(message: str, cause: Cause) -> str:
    return f"{message.removesuffix('.')}. {cause.text}" if cause.text else message


def _record(report: Report, name: str, outcome: CheckOutcome, reason: str) -> None:
    """Enter an outcome into the report; `reason` is why a failure was expected, if it was."""
    if isinstance(outcome, NotApplicable):
        report.not_applicable[name] = str(outcome)
    elif isinstance(outcome, NotRun):
        report.not_run[name] = outcome.reason
    elif isinstance(outcome, PassedCheck):
        report.held.append(outcome)
        if reason:
            report.unexpected[name] = reason
    elif reason:
        report.expected[name] = reason
    else:
        report.refuted.append(outcome)

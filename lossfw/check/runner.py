"""Run every check that applies, stage by stage, in a fixed order, with a fixed seed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np

from lossfw.check.checks import CHECKS, GROUP_CHECKS
from lossfw.check.core.causes import Cause, cause_of, is_harness_error
from lossfw.check.core.points import Points, drop_outside
from lossfw.check.core.reproduce import snippet
from lossfw.check.core.search import Check, Counterexample, NotApplicable, Search
from lossfw.check.core.subject import Subject, has_formula
from lossfw.check.denials import check_false_claims
from lossfw.check.findings import sort_by_grade
from lossfw.check.options import Options
from lossfw.check.pool import Watch
from lossfw.check.refutation import Refutation
from lossfw.check.report import DESELECTED, NotJudged, NotRun, PassedCheck, Report
from lossfw.check.severity import NOTES, grade_of
from lossfw.check.stages import Effort, Stage, is_of_formula, stages_of
from lossfw.components.component import Component
from lossfw.components.naming import did_you_mean
from lossfw.components.ranges import SizeRange, parse_range, ranges_in_words
from lossfw.errors import ArgumentError, MissingExtraError
from lossfw.losses.engine.engine_mode import use_engine
from lossfw.losses.loss import Loss
from lossfw.nn.activation import Activation
from lossfw.version import __version__

CheckOutcome: TypeAlias = PassedCheck | Refutation | NotApplicable | NotRun | NotJudged


@dataclass(frozen=True)
class CheckSuite:
    """A component or function with the checks that apply to it."""

    name: str  # for the report
    subject: Any  # a Subject, an activation or a model: the first argument of the checks
    checks: Mapping[str, Check]  # in the order in which they run
    not_claimed: tuple[str, ...]
    setup: str = ""  # code that defines `value` and the others in snippets
    component: Component | None = None  # None for an outside function
    left_out: tuple[str, ...] = ()  # checks that apply and do not run

    @property
    def known_checks(self) -> tuple[str, ...]:
        """The names of its checks, and of checks that other components have."""
        return (*self.checks, *CHECKS, *self.left_out)

    def restrict_to(self, sizes: SizeRange | None) -> CheckSuite:
        """Return it restricted to a range of numbers for results and claims.

        Raises
        ------
        ArgumentError
            If it is not a loss.
        """
        if sizes is None:
            return self
        if not isinstance(self.subject, Subject):
            raise ArgumentError(
                f"{self.name} is not a loss: only a loss is checked within a range of sizes."
            )
        both = parse_range(sizes)
        subject = replace(self.subject, prediction_range=both, target_range=both)
        return replace(self, subject=subject)

    def formula_only(self) -> CheckSuite:
        """Return it without the laws of the call, which hold for all parameters or none."""
        checks = {name: check for name, check in self.checks.items() if is_of_formula(name)}
        return replace(self, checks=checks, left_out=tuple(self.checks.keys() - checks.keys()))


def suite_of_subject(subject: Subject, more: Mapping[str, Check] | None = None) -> CheckSuite:
    """Return a loss with the checks that apply to it, and `more` that only components have."""
    checks = GROUP_CHECKS if subject.kind == "group" else {**CHECKS, **(more or {})}
    claimed = {f"claim:{claim}" for claim in subject.claims}
    missing = [n for n in checks if n.startswith("claim:") and n not in claimed]
    unclaimed = (name.removeprefix("claim:") for name in missing)
    return CheckSuite(
        subject.name,
        subject,
        {name: check for name, check in checks.items() if name not in missing}
        | check_false_claims(subject.denied, checks),
        tuple(claim for claim in unclaimed if claim not in subject.denied),
        subject.setup,
        subject.component,
    )


@dataclass
class StageResult:
    """What one stage of a suite found."""

    stage: Stage
    # In the order in which the checks ran.
    outcomes: dict[str, CheckOutcome] = field(default_factory=dict)
    witnesses: Mapping[str, str] = field(default_factory=dict)
    limited: Mapping[str, str] = field(default_factory=dict)
    # Why no other check runs, empty where others do.
    ended_by: str = ""


def run(
    suite: CheckSuite,
    options: Options | None = None,
    *,
    effort: Effort | None = None,
    expected_failures: Mapping[str, str] | None = None,
    watch: Callable[[str], object] | None = None,
    **more: Any,
) -> Report:
    """Run every check, stage by stage; `watch` gets the name of each before it runs.

    Without options, `more` are fields of them.
    """
    options = options or Options(**more)
    options.refuse_unknown(suite.known_checks)
    expected = expectations(expected_failures or {}, (*suite.checks, *suite.left_out))
    until = math.inf if options.time is None else time.monotonic() + options.time

    def tell(name: str) -> bool:
        if watch is not None:
            watch(name)
        return time.monotonic() < until

    results: list[StageResult] = []
    for stage in stages_of(suite.subject, suite.checks):
        if results and (time.monotonic() >= until or results[-1].ended_by):
            break
        search = (effort or Effort()).search(stage, options)
        results.append(run_stage(suite, stage, search, options, expected=expected, watch=tell))
    return report_of(suite, options, expected, results)


def run_stage(
    suite: CheckSuite,
    stage: Stage,
    search: Search,
    options: Options,
    *,
    expected: Mapping[str, str],
    known: Mapping[str, Points] | None = None,
    watch: Watch | None = None,
) -> StageResult:
    """Run the checks of a stage, at least one, while `watch` says that there is time.

    `known` has the refutations elsewhere: a check runs only if it holds there.
    """
    result = StageResult(stage, witnesses=search.witnesses, limited=search.limited)
    for name in stage.checks(options.select_checks(suite.checks)):
        has_time = watch is None or watch(name)
        if result.outcomes and not has_time:
            break
        outcome: CheckOutcome | None = None
        if known and name in known:
            outcome = _refute_at(suite, name, search, known[name])
        if outcome is None:
            outcome = attempt(suite, name, search)
        result.outcomes[name] = outcome
        if isinstance(outcome, Refutation) and name not in expected:
            if outcome.stops_checks:
                result.ended_by = _blocking_reason(name)
            elif options.first and _is_failure(suite, options, outcome):
                result.ended_by = "stopped after the first failure"
        if result.ended_by:
            break
    return result


def _refute_at(suite: CheckSuite, name: str, search: Search, points: Points) -> Refutation | None:
    """Return the refutation by some points, None if they do not refute."""
    is_row = points.y.ndim > 1
    if is_row != suite.subject.rows or (
        is_row and points.y.shape[-1] not in suite.subject.column_counts
    ):
        return None
    inside = drop_outside(suite.subject, points)
    outcome = attempt(suite, name, search.at_points(inside)) if len(inside) else None
    return outcome if isinstance(outcome, Refutation) else None


def report_of(
    suite: CheckSuite,
    options: Options,
    expected: Mapping[str, str],
    results: Sequence[StageResult],
    ended_by: str = "",
) -> Report:
    """Return the report of the stages that ran before the search ended.

    Other stages are late, unless something other than the time ended the search.
    """
    stages = stages_of(suite.subject, suite.checks)
    for number, result in enumerate(results):
        if result.ended_by:
            ended_by, results = result.ended_by, results[: number + 1]
            break
    selected = options.select_checks(suite.checks)
    late = {} if ended_by else _unfinished_checks(stages, selected, results)
    report = Report(
        suite.name,
        not_claimed=list(suite.not_claimed),
        allow_unfinished=options.allow_unfinished,
        conventions=_conventions_fail(suite, options),
        strict=options.strict,
        has_no_formula=_has_no_formula(suite),
        component="" if suite.component is None else suite.component.name,
        seed=options.seed,
        remarks=_remarks(suite.subject),
        stages=[stage.value for stage in stages],
        late_stages=[stage.value for stage in late],
        late_checks=[name for name in selected if any(name in names for names in late.values())],
        n_checks=len(selected),
    )
    findings = FindingDeduplicator()
    for name in suite.checks:
        outcomes = [result.outcomes[name] for result in results if name in result.outcomes]
        reason = expected.get(name, "")
        if name not in selected:
            report.not_run[name] = DESELECTED
        elif findings.blocked_by:
            report.not_run[name] = findings.reason
        elif not outcomes:
            report.not_run[name] = ended_by or f"the time of {options.time:g} s was over"
        else:
            outcome = _join_outcomes(outcomes)
            if isinstance(outcome, PassedCheck) and name in report.late_checks:
                reason = ""  # it may fail in what did not run
            _record(report, name, outcome if reason else findings.deduplicate(outcome), reason)
    for result in results:
        report.witnesses.update(result.witnesses)
        report.limited.update(result.limited)
    report.refuted = sort_by_grade(report.refuted)
    return report


def _unfinished_checks(
    stages: Sequence[Stage], selected: Sequence[str], results: Sequence[StageResult]
) -> dict[Stage, list[str]]:
    """Return the checks of each stage for which there was no time, without empty stages."""
    settled = {
        name
        for result in results
        for name, outcome in result.outcomes.items()
        if not isinstance(outcome, PassedCheck)
    }
    ran = {(result.stage, name) for result in results for name in result.outcomes}
    late = {
        stage: [
            name
            for name in stage.checks(selected)
            if name not in settled and (stage, name) not in ran
        ]
        for stage in stages
    }
    return {stage: names for stage, names in late.items() if names}


def _has_no_formula(suite: CheckSuite) -> bool:
    """Tell whether results are compared with the value alone, for want of a formula."""
    component = suite.component
    return isinstance(component, Loss | Activation) and not has_formula(component)


def _remarks(subject: Any) -> list[str]:
    """Return a line on the sizes at which results are looked at, if not at all of them."""
    if not isinstance(subject, Subject):
        return []
    sizes = ranges_in_words(subject.prediction_range, subject.target_range)
    return [f"results and claims were checked only for {sizes}"] if sizes else []


def _is_failure(suite: CheckSuite, options: Options, refutation: Refutation) -> bool:
    """Tell whether a refutation is a failure."""
    if refutation.grade in NOTES:
        return options.strict
    return refutation.grade == "wrong" or _conventions_fail(suite, options)


def _conventions_fail(suite: CheckSuite, options: Options) -> bool:
    """Tell whether broken conventions are failures."""
    return options.conventions or suite.component is not None


def _join_outcomes(outcomes: Sequence[CheckOutcome]) -> CheckOutcome:
    """Return the outcome that the stages of one check have together."""
    refuted = sort_by_grade(outcome for outcome in outcomes if isinstance(outcome, Refutation))
    if refuted:
        # Of equal grade, numbers farther out add nothing to ordinary ones.
        return refuted[0]
    for outcome in outcomes:
        if isinstance(outcome, NotJudged):
            return outcome
    passed = [outcome for outcome in outcomes if isinstance(outcome, PassedCheck)]
    if passed:
        return PassedCheck(passed[0].check, sum(one.examples for one in passed))
    return outcomes[0]


class FindingDeduplicator:
    """Remembers reported errors, so that one mistake is one finding."""

    def __init__(self) -> None:
        self._first: dict[Hashable, str] = {}
        self.blocked_by = ""

    @property
    def reason(self) -> str:
        """Why no other check runs after a blocking finding."""
        return _blocking_reason(self.blocked_by)

    def deduplicate(self, outcome: CheckOutcome) -> CheckOutcome:
        """Return an outcome, as not run if another check has reported the same error."""
        if not isinstance(outcome, Refutation):
            return outcome
        if outcome.stops_checks:
            self.blocked_by = outcome.check
        if outcome.cause is None:
            return outcome
        first = self._first.setdefault(outcome.cause, outcome.check)
        return outcome if first == outcome.check else NotRun(f"the error that {first} reports")


def _blocking_reason(check: str) -> str:
    """Return why no other check runs after a finding that blocks them."""
    return f"{check} leaves no points to check"


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
                f"expected failure {name!r} is not among the checks that run here. {guess}".rstrip()
            )
        if not str(reason).strip():
            raise ArgumentError(f"expected failure {name!r} has no reason: say why it fails.")
        expected[check] = str(reason)
    return expected


def attempt(suite: CheckSuite, name: str, search: Search) -> CheckOutcome:
    """Run one check and return its outcome; kernels are off, so the body itself is judged.

    Raises
    ------
    MissingExtraError
        If the exact numbers are not installed.
    """
    search.calls.clear()
    search.running = name
    subject = suite.subject
    if isinstance(subject, Subject):
        subject = search.count_calls(subject)
    try:
        with np.errstate(all="ignore"), use_engine("tiles"):
            suite.checks[name](subject, search)
    except NotApplicable as reason:
        return reason
    except Counterexample as refuted:
        return _make_refutation(suite, name, refuted, search.seed)
    except MissingExtraError:
        raise
    except Exception as error:
        # An exception on legal input, from the subject or the check, must not pass for held.
        cause = cause_of(error, suite.component)
        if isinstance(subject, Subject | Activation) and is_harness_error(error, suite.component):
            return NotJudged(_line_to_report(suite, name, error, cause, search))
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
    if not search.n_examples:
        return NotApplicable("no example could be generated")
    return PassedCheck(name, search.n_examples)


def _line_to_report(
    suite: CheckSuite, name: str, error: Exception, cause: Cause, search: Search
) -> str:
    """Return what to report of an exception that the harness itself raised."""
    return (
        f"the harness itself failed, please report this line: {type(error).__name__}: {error} "
        f"({cause.place}) in {name} of {suite.name}, seed {search.seed}, lossfw {__version__}"
    )


def _make_refutation(
    suite: CheckSuite, name: str, refuted: Counterexample, seed: int
) -> Refutation:
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
        stops_checks=refuted.stops_checks,
        grade=grade_of(name, suite.subject, refuted.inputs, refuted.grade),
        error=refuted.error,
        component=suite.name,
        labels=_labels(suite.subject, refuted.inputs),
    )


def _labels(subject: Any, inputs: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the names of the columns of inputs that have any."""
    if not isinstance(subject, Subject) or not subject.has_columns or subject.kind == "group":
        return {}
    # A number has no columns, nor has the tangent of another law.
    return {
        name: subject.labels(name, x.shape[-1])
        for name, x in inputs.items()
        if x.ndim > 1 and name in ("y", "t", "a", "b", "m")
    }


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
    elif isinstance(outcome, NotJudged):
        report.not_judged[name] = outcome.line
    elif isinstance(outcome, PassedCheck):
        report.passed.append(outcome)
        if reason:
            report.unexpected_passes[name] = reason
    elif reason:
        report.expected_failures[name] = reason
    else:
        report.refuted.append(outcome)

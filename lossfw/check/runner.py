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
from lossfw.check.options import Options
from lossfw.check.report import Held, NotRun, Refutation, Report
from lossfw.check.severity import gravity
from lossfw.components.component import Component
from lossfw.components.naming import did_you_mean
from lossfw.errors import ArgumentError, MissingExtraError
from lossfw.losses.engine.engine_mode import use_engine

CheckOutcome: TypeAlias = Held | Refutation | NotApplicable | NotRun

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
class Prepared:
    """A component or function with the checks that apply to it.

    Attributes
    ----------
    name : str
        For the report.
    subject : Subject or Activation
        The first argument of the checks.
    checks : mapping of str to callable
        The checks by name, in the order in which they run.
    not_claimed : tuple of str
        The claims that are not made.
    setup : str
        Code that defines ``value`` and the others in snippets.
    component : Component or None
        The component, where one is checked.
    left_out : tuple of str
        The checks that apply and are not run.
    """

    name: str
    subject: Any
    checks: Mapping[str, Check]
    not_claimed: tuple[str, ...]
    setup: str = ""
    component: Component | None = None
    left_out: tuple[str, ...] = ()

    def formula_alone(self) -> Prepared:
        """Return it without the laws of the call, which hold for any parameters or for none."""
        kept = {
            name: check
            for name, check in self.checks.items()
            if name.startswith(_OF_FORMULA) and not name.endswith(_OF_CALL)
        }
        return replace(self, checks=kept, left_out=tuple(self.checks.keys() - kept.keys()))


def prepare(subject: Subject, more: Mapping[str, Check] | None = None) -> Prepared:
    """Return a loss with the checks that apply to it.

    Parameters
    ----------
    subject : Subject
    more : mapping of str to Check, optional
        Checks for components alone.
    """
    checks = {**CHECKS, **(more or {})}
    denied = denials(subject.denied, checks)
    claimed = {f"claim:{name}" for name in subject.claims}
    missing = [n for n in checks if n.startswith("claim:") and n not in claimed]
    return Prepared(
        subject.name,
        subject,
        {name: check for name, check in checks.items() if name not in missing} | denied,
        tuple(
            n for n in (name.removeprefix("claim:") for name in missing) if n not in subject.denied
        ),
        subject.setup,
        subject.component,
    )


def run(
    prepared: Prepared,
    options: Options | None = None,
    *,
    expected_failures: Mapping[str, str] | None = None,
    watch: Callable[[str], None] | None = None,
    **more: Any,
) -> Report:
    """Run every check.

    Parameters
    ----------
    prepared : Prepared
    options : Options, optional
    expected_failures
        As in `lossfw.check.check`.
    watch : callable, optional
        Told the name of each check before it runs.
    **more
        Fields of the options, in place of them.
    """
    options = options or Options(**more)
    report = Report(
        prepared.name,
        not_claimed=list(prepared.not_claimed),
        allow_unfinished=options.allow_unfinished,
        conventions=options.conventions or prepared.component is not None,
    )
    left_out = prepared.left_out
    expected = expectations(expected_failures or {}, (*prepared.checks, *left_out))
    deselected = options.deselected(prepared.checks, (*CHECKS, *left_out))
    search, told = Search(options.seed, options.examples, options.rtol), Told()
    begun = time.monotonic()
    for name in prepared.checks:
        late = options.time_limit is not None and time.monotonic() - begun > options.time_limit
        if name in deselected:
            report.not_run[name] = "deselected"
        elif told.blocked:
            report.not_run[name] = told.reason
        elif options.first and report.failures:
            report.not_run[name] = "stopped at the first failure"
        elif late:
            report.not_run[name] = f"the time limit of {options.time_limit:g} s was over"
            report.unfinished = True
        else:
            if watch is not None:
                watch(name)
            reason = expected.get(name, "")
            outcome = attempt(prepared, name, search)
            _enter(report, name, outcome if reason else told.once(outcome), reason)
    report.witnesses.update(search.witnesses)
    report.limited.update(search.limited)
    report.refuted.sort(key=lambda refutation: gravity(refutation.check))
    return report


class Told:
    """The errors that were told already: one slip is one finding."""

    def __init__(self) -> None:
        self._first: dict[Hashable, str] = {}
        self.blocked = ""

    @property
    def reason(self) -> str:
        """Why no other check is run after a finding that blocks them."""
        return f"{self.blocked} leaves nothing to look at"

    def once(self, outcome: CheckOutcome) -> CheckOutcome:
        """Return an outcome, as not run if another check has told the same error."""
        if not isinstance(outcome, Refutation):
            return outcome
        if outcome.blocks:
            self.blocked = outcome.check
        if outcome.cause is None:
            return outcome
        first = self._first.setdefault(outcome.cause, outcome.check)
        return outcome if first == outcome.check else NotRun(f"the error that {first} tells")


def expectations(failures: Mapping[str, str], checks: Iterable[str]) -> dict[str, str]:
    """Return expected failures by the name of the check; a claim may be named alone.

    Raises
    ------
    ArgumentError
        If a name is that of no check, or there is no reason.
    """
    found, known = {}, list(checks)
    for name, reason in failures.items():
        check = name if name in known else f"claim:{name}"
        if check not in known:
            guess = did_you_mean(name, [*known, *(n.removeprefix("claim:") for n in known)])
            raise ArgumentError(
                f"expected failure {name!r} is none of the checks that run here. {guess}".rstrip()
            )
        if not str(reason).strip():
            raise ArgumentError(f"expected failure {name!r} has no reason: say why it fails.")
        found[check] = str(reason)
    return found


def attempt(prepared: Prepared, name: str, search: Search) -> CheckOutcome:
    """Run one check and return its outcome; kernels are off, and so the body itself is judged.

    Raises
    ------
    MissingExtraError
        If the exact numbers are not installed.
    """
    search.calls.clear()
    search.running = name
    subject = prepared.subject
    if isinstance(subject, Subject):
        subject = search.counted(subject)
    try:
        with np.errstate(all="ignore"), use_engine("tiles"):
            prepared.checks[name](subject, search)
    except NotApplicable as why:
        return why
    except Counterexample as found:
        return _refutation(name, found, search.seed, prepared)
    except MissingExtraError:
        raise
    except Exception as error:
        # An exception on legal input, from the subject or the check, must not pass for held.
        cause = cause_of(error, prepared.component)
        text = f"the check was ended by {type(error).__name__}: {error} ({cause.place})"
        return Refutation(
            name, _claim(name), _with_cure(text, cause), {}, seed=search.seed, cause=cause.key
        )
    if not search.tried:
        return NotApplicable("there was no example to try")
    return Held(name, search.tried)


def _with_cure(text: str, cause: Cause) -> str:
    return f"{text.removesuffix('.')}. {cause.text}" if cause.text else text


def _enter(report: Report, name: str, outcome: CheckOutcome, reason: str) -> None:
    """Enter an outcome into the report; `reason` is why a failure was expected, if it was."""
    if isinstance(outcome, NotApplicable):
        report.not_applicable[name] = str(outcome)
    elif isinstance(outcome, NotRun):
        report.not_run[name] = outcome.reason
    elif isinstance(outcome, Held):
        report.held.append(outcome)
        if reason:
            report.unexpected[name] = reason
    elif reason:
        report.expected[name] = reason
    else:
        report.refuted.append(outcome)


def _claim(name: str) -> str | None:
    kind, _, claim = name.partition(":")
    return claim if kind in ("claim", "denied") else None


def _refutation(name: str, found: Counterexample, seed: int, prepared: Prepared) -> Refutation:
    """Return a counterexample with the code that shows it."""
    error = found.__cause__
    cause = None if error is None else cause_of(error, prepared.component)
    return Refutation(
        check=name,
        claim=_claim(name),
        message=found.message if cause is None else _with_cure(found.message, cause),
        inputs=found.inputs,
        snippet=snippet(prepared.setup, found.inputs, found.code),
        seed=seed,
        cause=found.cause or (None if cause is None else cause.key),
        blocks=found.blocks,
    )

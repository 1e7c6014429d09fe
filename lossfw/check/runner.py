"""Runner: every check that applies, in a fixed order, with a fixed seed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from lossfw.check import call, claims, derivatives, laws, values
from lossfw.check.report import Held, Refutation, Report
from lossfw.check.search import Check, NotApplicable, Refuted, Search
from lossfw.check.subject import Subject
from lossfw.errors import ArgumentError
from lossfw.names import did_you_mean

# The checks of any loss, in the order in which they run.
CHECKS: dict[str, Check] = {
    **call.CHECKS,
    **laws.CHECKS,
    **values.CHECKS,
    **derivatives.CHECKS,
    **{f"claim:{name}": check for name, check in claims.CHECKS.items()},
}


def run(
    subject: Subject,
    *,
    seed: int = 0,
    examples: int = 200,
    time_limit: float | None = None,
    expected_failures: Mapping[str, str] | None = None,
    more: Mapping[str, Check] | None = None,
) -> Report:
    """Run every check on a loss.

    Parameters
    ----------
    subject : Subject
    seed, examples, time_limit, expected_failures
        As in `lossfw.check.check`.
    more : mapping of str to Check, optional
        Checks for components alone.
    """
    checks = {**CHECKS, **(more or {})}
    claimed = {f"claim:{name}" for name in subject.claims}
    missing = [n for n in checks if n.startswith("claim:") and n not in claimed]
    return run_checks(
        subject.name,
        subject,
        {name: check for name, check in checks.items() if name not in missing},
        [name.removeprefix("claim:") for name in missing],
        seed=seed,
        examples=examples,
        time_limit=time_limit,
        expected_failures=expected_failures,
        setup=subject.setup,
    )


def run_checks(
    name: str,
    subject: Any,
    checks: Mapping[str, Callable[[Any, Search], int]],
    not_claimed: Iterable[str],
    *,
    seed: int = 0,
    examples: int = 200,
    time_limit: float | None = None,
    expected_failures: Mapping[str, str] | None = None,
    setup: str = "",
) -> Report:
    """Run checks on whatever they are made for; see `run`."""
    report = Report(name, not_claimed=list(not_claimed))
    search = Search(seed, examples)
    expected = _expected(expected_failures or {}, checks)
    begun = time.monotonic()
    for check_name, check in checks.items():
        if time_limit is not None and time.monotonic() - begun > time_limit:
            report.not_applicable[check_name] = f"the time limit of {time_limit:g} s was over"
            continue
        _run_one(subject, search, check_name, check, report, expected.get(check_name, ""), setup)
    return report


def _expected(failures: Mapping[str, str], checks: Mapping[str, Any]) -> dict[str, str]:
    """Return expected failures by the name of the check; a claim may be named alone.

    Raises
    ------
    ArgumentError
        If a name is that of no check, or there is no reason.
    """
    found = {}
    for name, reason in failures.items():
        known = name if name in checks else f"claim:{name}"
        if known not in checks:
            raise ArgumentError(
                f"expected failure {name!r} is none of the checks that run here. "
                f"{did_you_mean(name, [*checks, *(n.removeprefix('claim:') for n in checks)])}"
            )
        if not str(reason).strip():
            raise ArgumentError(f"expected failure {name!r} has no reason: say why it fails.")
        found[known] = str(reason)
    return found


def _run_one(
    subject: Any,
    search: Search,
    name: str,
    check: Callable[[Any, Search], int],
    report: Report,
    reason: str,
    setup: str,
) -> None:
    try:
        with np.errstate(all="ignore"):
            tried = check(subject, search)
    except NotApplicable as why:
        report.not_applicable[name] = str(why)
    except Refuted as found:
        if reason:
            report.expected[name] = reason
        else:
            report.refuted.append(_refutation(name, found, search.seed, setup))
    else:
        if reason:
            report.unexpected[name] = reason
        report.held.append(Held(name, tried))


def _refutation(name: str, found: Refuted, seed: int, setup: str) -> Refutation:
    """Return a counterexample with the code that shows it."""
    lines = [setup] if setup else []
    lines += [f"{key} = {_literal(array)}" for key, array in found.inputs.items()]
    lines.append(f"print({found.code})")
    return Refutation(
        check=name,
        claim=name.removeprefix("claim:") if name.startswith("claim:") else None,
        message=found.message,
        inputs=found.inputs,
        snippet="\n".join(lines),
        seed=seed,
    )


def _literal(array: np.ndarray[Any, Any]) -> str:
    """Write an array as code, with every digit."""
    values = repr(array.tolist())
    if array.dtype.name in ("float64", "int64", "bool"):
        return f"array({values})"
    return f"array({values}, dtype='{array.dtype.name}')"

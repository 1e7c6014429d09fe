"""Runner: every check that applies, in a fixed order, with a fixed seed."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np

from lossfw.check import call, laws
from lossfw.check.report import Held, Refutation, Report
from lossfw.check.search import Check, NotApplicable, Refuted, Search
from lossfw.check.subject import Subject


def all_checks() -> dict[str, Check]:
    """Return every check by name, in the order in which they run."""
    from lossfw.check import claims, derivatives, values

    return {
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
) -> Report:
    """Run every check on a subject.

    Parameters
    ----------
    subject : Subject
    seed : int
        The same seed gives the same report.
    examples : int
        About how many pairs each check tries in each dtype.
    time_limit : float, optional
        Seconds after which no further check is begun; those left are reported
        as not applicable, with this reason.
    expected_failures : mapping of str to str, optional
        Name of a check, or of a claim, to the reason why it is expected to fail.
    """
    report = Report(subject.name)
    search = Search(seed, examples)
    expected = dict(expected_failures or {})
    begun = time.monotonic()
    for name, check in all_checks().items():
        claim = name.removeprefix("claim:") if name.startswith("claim:") else None
        if claim is not None and claim not in subject.claims:
            report.not_claimed.append(claim)
            continue
        if time_limit is not None and time.monotonic() - begun > time_limit:
            report.not_applicable[name] = f"the time limit of {time_limit:g} s was over"
            continue
        reason = expected.get(name, expected.get(claim or "", ""))
        _run_one(subject, search, name, claim, check, report, reason)
    return report


def _run_one(
    subject: Subject,
    search: Search,
    name: str,
    claim: str | None,
    check: Check,
    report: Report,
    reason: str,
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
            report.refuted.append(refutation(subject, search, name, claim, found))
    else:
        if reason:
            report.unexpected[name] = reason
        report.held.append(Held(name, tried))


def refutation(
    subject: Subject, search: Search, name: str, claim: str | None, found: Refuted
) -> Refutation:
    """Return a counterexample with the code that shows it."""
    lines = [subject.setup] if subject.setup else []
    lines += [f"{key} = {literal(array)}" for key, array in found.inputs.items()]
    lines.append(f"print({found.code})")
    return Refutation(
        check=name,
        claim=claim,
        message=found.message,
        inputs=found.inputs,
        snippet="\n".join(lines),
        seed=search.seed,
    )


def literal(array: np.ndarray) -> str:  # type: ignore[type-arg]
    """Write an array as code, with every digit."""
    name = array.dtype.name
    values = repr(array.tolist())
    if name in ("float64", "int64", "bool"):
        return f"array({values})"
    return f"array({values}, dtype='{name}')"

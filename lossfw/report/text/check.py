"""The output of ``lossfw check``: a table, then every refutation in full."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from lossfw.check.report import Refutation, Report

HEADERS = ("component", "held", "refuted", "not claimed", "expected", "not run")

# For so many components the claims not made and the checks not applicable are named,
# for more they are counted: the JSON has the names.
_FEW = 1

_UNCOUNTED = " (another convention, which does not count without --conventions)"

# So many of the checks that did not run are named.
_NAMED = 8


def row(report: Report) -> tuple[str, ...]:
    """Return the cells of one component."""
    return (
        report.name,
        str(len(report.held)),
        str(len(report.refuted)),
        str(len(report.not_claimed)),
        str(len(report.expected)),
        str(len(report.not_run)),
    )


def lines_below(reports: Sequence[Report], seed: int) -> Iterator[str]:
    """Yield the lines below the table, refutations first."""
    for report in reports:
        for refutation in report.refuted:
            counted = "" if refutation in report.failures else _UNCOUNTED
            yield f"\n{report.name}{counted}\n  {refutation}"
        for check, reason in report.unexpected.items():
            yield (
                f"\n{report.name}\n  {check}: expected to fail ({reason}), but it holds: remove "
                "the expectation"
            )
        if report.not_checked:
            yield f"\n{report.name}\n  not checked: {report.not_checked}"
        elif not report.held and not report.refuted:
            yield f"\n{report.name}\n  no check ran, which is a failure"
    yield from _told(reports)
    yield f"\n{summary(reports, seed)}"


def _told(reports: Sequence[Report]) -> Iterator[str]:
    for report in reports:
        for check, reason in report.expected.items():
            yield f"\n{report.name}\n  {check} failed, as expected: {reason}"
    few = len({report.name.partition("(")[0] for report in reports}) <= _FEW
    for report in reports:
        for reason, checks in _by_reason(report.not_run).items():
            yield f"\n{report.name}\n  not run: {_listed(checks)} ({reason})"
        for reason, checks in _by_reason(report.limited).items():
            yield f"\n{report.name}\n  looked at less: {_listed(checks)} ({reason})"
    for report in reports[: _FEW if few else 0]:
        yield ""
        if report.not_claimed:
            yield f"not claimed: {', '.join(report.not_claimed)}"
        for reason, checks in _by_reason(report.not_applicable).items():
            yield f"not applicable: {', '.join(checks)} ({reason})"


def _by_reason(reasons: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for check, reason in reasons.items():
        found.setdefault(reason, []).append(check)
    return found


def _listed(checks: Sequence[str]) -> str:
    """Return the first few names, and how many more there are: the JSON has all."""
    more = len(checks) - _NAMED
    return f"{', '.join(checks[:_NAMED])} and {more} more" if more > 1 else ", ".join(checks)


def summary(reports: Sequence[Report], seed: int) -> str:
    """Return the last line: the counts of refuted and of other checks, and of examples."""
    held = sum(len(report.held) for report in reports)
    examples = sum(report.examples for report in reports)
    refuted = [r for report in reports for r in report.refuted]
    many = sum(bool(report.refuted) for report in reports)
    parts = []
    if refuted:
        parts.append(
            f"{len(refuted)} refuted{_sorted(refuted)}, of {many} {_plural('component', many)}"
        )
    parts.append(
        f"{held} {_plural('check', held)} of {len(reports)} "
        f"{_plural('component', len(reports))} not refuted in {examples:,} examples, seed {seed}"
    )
    late = [report for report in reports if report.unfinished]
    if late:
        accepted = all(report.allow_unfinished for report in late)
        cure = "" if accepted else " (--allow-unfinished accepts that)"
        parts.append(f"the time limit ended {len(late)} {_plural('component', len(late))}{cure}")
    return "; ".join(parts)


def _sorted(refuted: Sequence[Refutation]) -> str:
    """Return how many findings there are of each severity, where they are not all defects."""
    counts = Counter(refutation.severity for refutation in refuted)
    if set(counts) == {"defect"}:
        return ""
    # Precision has no plural.
    words = (f"{n} {w if w == 'precision' else _plural(w, n)}" for w, n in counts.items())
    return f" ({', '.join(words)})"


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"

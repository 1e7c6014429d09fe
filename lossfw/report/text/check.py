"""The output of ``lossfw check``: a line for what was not refuted, then each failing component."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lossfw.check.report import Report, summary


def merged_by_component(reports: Sequence[Report]) -> list[Report]:
    """Return one report for each component, in their order."""
    parts: dict[str, list[Report]] = {}
    for report in reports:
        parts.setdefault(report.component or report.name, []).append(report)
    return [Report.merged(of_one) for of_one in parts.values()]


def lines(reports: Sequence[Report]) -> Iterator[str]:
    """Yield the lines on reports, each on another component; those that failed come last."""
    for number, report in enumerate(sorted(reports, key=lambda one: not one.ok)):
        if number and not report.ok:
            yield ""
        yield from report.lines()
        if report.ok and len(reports) == 1:
            yield from report.lines_on_gaps()
    yield ""
    yield summary(reports)

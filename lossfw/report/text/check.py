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
    for report in (one for one in reports if one.ok):
        yield from report.lines()
        if len(reports) == 1:
            yield from report.lines_on_gaps()
    for number, report in enumerate(one for one in reports if not one.ok):
        if number or len(reports) > 1:
            yield ""
        yield from report.lines()
    yield ""
    yield summary(reports)

"""Means over the seeds of a sweep, and its best run, for its table and its JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lossfw.evaluation.intervals.options import Intervals
from lossfw.report.text.comparison import winner_lines
from lossfw.report.text.over_seeds import seed_remarks, seed_tables
from lossfw.report.text.tables import show_table
from lossfw.runs.compare import BestRun
from lossfw.runs.compare.finished import LOSS
from lossfw.runs.compare.seeds import SeedGroup, SeedMember, loss_names, seed_groups
from lossfw.runs.compare.settings import differing_settings, flatten_settings
from lossfw.runs.files import write_stdout
from lossfw.runs.records import RunRequest

# A table below a sweep has no rows of its runs.
_HINT = "Compare the folders with lossfw compare to tell the recipes apart."


def seed_groups_of_runs(
    runs: Iterable[tuple[RunRequest, str, Mapping[str, Any]]],
) -> tuple[SeedGroup, ...]:
    """Return the runs that differ only in their seed, with means and deviations.

    Each run is its request, the name of its loss, and its numbers, the loss called ``loss``.
    """
    every = list(runs)
    settings = [flatten_settings(request.config.root.to_plain()) for request, _, _ in every]
    keys = differing_settings(settings)
    alike = len({loss_name for _, loss_name, _ in every}) == 1
    apart = loss_names(keys if alike else [LOSS])
    seeded = [
        SeedMember(request.name, own, numbers).select_settings(keys, apart)
        for (request, _, numbers), own in zip(every, settings, strict=True)
    ]
    return seed_groups(seeded, Intervals().level)


def group_to_dict(groups: Sequence[SeedGroup], name: str) -> dict[str, Any]:
    """Return the group of a run for JSON under its own key, or nothing."""
    for group in groups:
        if any(member.name == name for member in group.members):
            return {"over_seeds": group.to_dict()}
    return {}


def show_over_seeds(groups: Sequence[SeedGroup], kind: str) -> None:
    """Write means and differences over seeds, with an explanation."""
    names = dict.fromkeys(name for group in groups for name in group.numbers)
    for table in seed_tables(groups, kind, {name: name for name in names}):
        write_stdout("")
        show_table(table.headers, table.rows)
    if groups:
        write_stdout("")
        for line in seed_remarks(groups, Intervals().level, _HINT):
            write_stdout(line)


def show_winner(winner: BestRun | str | None) -> None:
    """Write which run is the best, corrected for the choice, or why there is none."""
    for place, line in enumerate(winner_lines(winner)):
        write_stdout(line if place else f"\n{line}")


def winner_to_dict(winner: BestRun | str | None, request: RunRequest) -> dict[str, Any]:
    """Return the best run for JSON under its own key; nothing for other runs."""
    folder = request.folder
    if isinstance(winner, BestRun) and folder is not None and folder.name in winner.runs:
        return {"winner": winner.to_dict()}
    return {}

"""Sentences about a comparison: what its intervals mean, and why some are missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lossfw.runs.compare import Comparison
from lossfw.runs.compare.seeds import SeedGroup

_NOT_MEASURED = "not all runs have this number"


def remarks(comparison: Comparison) -> list[str]:
    """Return remarks about the tables, in sentences."""
    lines = facts(comparison)
    if lists := comparison.lists:
        lines.append(f"Not shown here, but by --json: {', '.join(lists)}.")
    return [*lines, *(f"note: {note}" for note in comparison.notes)]


def facts(comparison: Comparison, where: str = "In brackets") -> list[str]:
    """Return what the intervals and stars mean, for any reader; `where` is their place."""
    options = comparison.intervals
    lines = []
    ranges = [n.interval for one in comparison.numbers.values() for n in one.values()]
    if any(ranges):
        lines.append(f"{where}: {100 * options.level:.4g}% intervals, by the {options.method}.")
    clear = has_intervals(comparison)
    if clear or comparison.paired:
        count = comparison.baseline.result["count"]
        star = "; * marks an interval that leaves out 0" if clear else ""
        lines.append(f"Differences are paired by {count:,} rows{star}.")
    if comparison.differences and not clear:
        lines.append(f"No difference has an interval, because {why_none(comparison)}.")
    if comparison.seeds:
        lines.append(_seed_remark(comparison.seeds, options.level))
    if not comparison.settings:
        lines.append("The configurations say the same.")
    return lines


def _seed_remark(groups: Sequence[SeedGroup], level: float) -> str:
    """Return what the numbers over seeds mean, as a sentence."""
    text = "Over seeds: mean ± standard deviation."
    known = [spread for group in groups for spread in group.differences.values()]
    if not known:
        return text
    text = "Over seeds: mean ± standard deviation; differences are paired by seed"
    if any(spread.interval for spread in known):
        return f"{text}, with {100 * level:.4g}% intervals of their mean by Student's t."
    return f"{text}; they have no interval, which needs two pairs that differ."


def has_intervals(comparison: Comparison) -> bool:
    """Tell whether any difference in the tables has an interval."""
    return any(
        comparison.difference(run, name).interval
        for run in comparison.runs
        for name in comparison.single
    )


def interval_count(comparison: Comparison, name: str) -> str:
    """Return in how many runs the interval of a difference leaves out 0, for a caption.

    Runs whose difference has no interval are not counted, and the reason is given.
    """
    runs = [run for run in comparison.runs if run.name in comparison.differences]
    differences = [comparison.difference(run, name) for run in runs]
    known = sum(bool(difference.interval) for difference in differences)
    clear = sum(difference.clear for difference in differences)
    because = _reasons(comparison, [name])
    if not known:
        which = "it has no" if len(runs) == 1 else "none of them has an"
        return f"{which} interval, because {because}"
    counted = f"in {clear} of {'the ' if known < len(runs) else ''}{known} runs"
    if known == len(runs):
        if known == 1:
            return f"the interval {'leaves out' if clear else 'includes'} 0"
        return f"{counted} the interval leaves out 0"
    found = f"{counted} with an interval it leaves out 0"
    if known == 1:
        found = f"the interval of the only run with one {'leaves out' if clear else 'includes'} 0"
    rest = len(runs) - known
    have = "1 run has" if rest == 1 else f"{rest} runs have"
    return f"{found}; {have} none, because {because}"


def why_none(comparison: Comparison) -> str:
    """Return why no difference in the tables has an interval."""
    return _reasons(comparison, comparison.single)


def _reasons(comparison: Comparison, names: Iterable[str]) -> str:
    """Return the reasons why differences have no interval."""
    found = dict.fromkeys(
        comparison.lacking[run].get(name, _NOT_MEASURED)
        for name in names
        for run, of in comparison.differences.items()
        if not (name in of and of[name].interval)
    )
    return ", or because ".join(found)

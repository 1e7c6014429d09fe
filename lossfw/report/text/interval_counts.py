"""Sentences about the intervals of differences: how many leave out 0, and why some are missing."""

from __future__ import annotations

from collections.abc import Iterable

from lossfw.runs.compare import Comparison

_NOT_MEASURED = "not all runs have this number"


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

    Parameters
    ----------
    comparison : Comparison
        With differences.
    name : str
        A measure.
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

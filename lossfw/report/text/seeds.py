"""Means over seeds as text: a number with its spread, and what the columns mean."""

from __future__ import annotations

from collections.abc import Sequence

from lossfw.report.text.rounding import as_number, decimal_places, with_interval
from lossfw.runs.compare.seeds import SeedGroup, SeedSpread

# Digits of a standard deviation.
_DIGITS = 2


def mean_text(spread: SeedSpread | None) -> str:
    """Return a mean with the standard deviation beside it.

    Examples
    --------
    >>> mean_text(SeedSpread(0.96314, 0.01004, 3)), mean_text(SeedSpread(0.25, None, 1))
    ('0.963 ± 0.010', '0.25')
    """
    if spread is None:
        return "-"
    if not spread.deviation:
        return as_number(spread.mean)
    ends = [spread.mean - spread.deviation, spread.mean + spread.deviation]
    places = decimal_places(ends, _DIGITS)
    if places is None:
        return f"{as_number(spread.mean)} ± {as_number(spread.deviation, _DIGITS)}"
    return f"{spread.mean:.{places}f} ± {spread.deviation:.{places}f}"


def difference_over_seeds(spread: SeedSpread | None) -> str:
    """Return a mean difference with its interval, and a star if that leaves out 0.

    Examples
    --------
    >>> difference_over_seeds(SeedSpread(0.0123, 0.01, 3, [0.001, 0.0236]))
    '+0.012 [+0.001, +0.024] *'
    """
    if spread is None:
        return "-"
    text = with_interval(spread.mean, spread.interval, sign=True)
    return text + (" *" if spread.clear else "")


def measures_of(groups: Sequence[SeedGroup], shown: Sequence[str]) -> list[str]:
    """Return the measures of a table that a group has over its seeds."""
    return [name for name in shown if any(name in group.numbers for group in groups)]


def seed_remark(groups: Sequence[SeedGroup], level: float) -> str:
    """Return what the numbers over seeds mean, as a sentence."""
    told = "Over seeds: mean ± standard deviation."
    known = [of for group in groups for of in group.differences.values()]
    if not known:
        return told
    told = "Over seeds: mean ± standard deviation; differences are paired by seed"
    if any(of.interval for of in known):
        return f"{told}, with {100 * level:.4g}% intervals of their mean by Student's t."
    return f"{told}; they have no interval, which needs two pairs that differ."

"""Numbers over several seeds as tables and sentences, and differences with their stars."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from lossfw.report.text.tables import decimal_places, number_text, text_with_interval
from lossfw.runs.compare.differences import list_names
from lossfw.runs.compare.finished import RunNumber
from lossfw.runs.compare.seeds import SeedDifference, SeedGroup, SeedSpread, have_recipes

LESS = "less "
# Digits of a standard deviation.
_SPREAD_DIGITS = 2
# Beside differences of recipes.
_WITHOUT = "A difference without an interval has too few seeds, or no rows that judge a recipe."


class TextTable(NamedTuple):
    """A table of text: headers, and rows that begin with their names."""

    headers: list[str]
    rows: list[list[str]]


def seed_tables(
    groups: Sequence[SeedGroup], kind: str, titles_of: Mapping[str, str]
) -> Iterator[TextTable]:
    """Yield the table of means over seeds, and that of differences from the first setting.

    `titles_of` has the titles of the measures.
    """
    names = [name for name in titles_of if any(name in group.numbers for group in groups)]
    titles = [titles_of[name] for name in names]
    if groups:
        rows = [
            [group.name, str(len(group.members))]
            + [_mean_text(group.numbers.get(name)) for name in names]
            for group in groups
        ]
        yield TextTable([f"{kind}s over seeds", "seeds", *titles], rows)
    recipes = have_recipes(groups)
    rows = [
        [group.name] + [difference_text(group.difference(name, recipes=recipes)) for name in names]
        for group in groups
        if group.differences
    ]
    if rows:
        yield TextTable([f"{LESS}{groups[0].base or groups[-1].base}", *titles], rows)


def seed_remarks(groups: Sequence[SeedGroup], level: float, hint: str = "") -> list[str]:
    """Return sentences on what the numbers over seeds mean; none without groups.

    `hint` says how to get differences of recipes.
    """
    if not groups:
        return []
    known = list(_differences(groups))
    if not known:
        return ["Over seeds: mean ± standard deviation."]
    lines = ["Over seeds: mean ± standard deviation; differences are paired by seed."]
    intervals = f"{100 * level:.4g}% intervals"
    recipes = [one for one in known if one.recipe]
    if recipes:
        together = max(one.together for one in recipes)
        lines.append(
            f"Differences of recipes: {_recipe_text(groups)}; {intervals}. {star_meaning(together)}"
        )
        if any(not one.recipe and (one.spread.mean or one.spread.deviation) for one in known):
            lines.append(_WITHOUT)
    elif any(one.number.interval for one in known):
        lines.append(
            f"Differences have {intervals} by Student's t over the seeds: would other seeds on the "
            f"same data give the same answer? They say nothing about other rows. {hint}".rstrip()
        )
    else:
        lines.append("Differences have no interval, which needs two pairs that differ.")
    return lines


def _differences(groups: Sequence[SeedGroup]) -> Iterator[SeedDifference]:
    for group in groups:
        yield from group.differences.values()


def _recipe_text(groups: Sequence[SeedGroup]) -> str:
    """Return what the differences of recipes are of; where that differs, with whose they are."""
    whose: dict[str, dict[str, None]] = {}
    measures: dict[str, dict[str, None]] = {}
    for group in groups:
        for name, one in group.differences.items():
            if one.recipe:
                whose.setdefault(one.recipe, {})[group.name] = None
                measures.setdefault(one.recipe, {})[name] = None
    if len(whose) == 1:
        return next(iter(whose))
    same = all(list(names) == list(next(iter(whose.values()))) for names in whose.values())
    found = measures if same else whose
    return "; ".join(f"{words} ({list_names(list(names))})" for words, names in found.items())


def star_meaning(n_differences: int) -> str:
    """Return what stars mean; `n_differences` is the number of differences they account for.

    Examples
    --------
    >>> print(star_meaning(11))
    * excludes 0, for all 11 differences together; . for one alone.
    """
    if n_differences > 1:
        which = "both" if n_differences == 2 else f"all {n_differences}"
        return f"* excludes 0, for {which} differences together; . for one alone."
    return "* marks an interval that excludes 0."


def difference_text(difference: RunNumber) -> str:
    """Return a difference with its interval, and its star or dot.

    Examples
    --------
    >>> difference_text(RunNumber(0.0123, [0.001, 0.0236])), difference_text(RunNumber(0.0))
    ('+0.012 [+0.001, +0.024] *', '0')
    """
    text = text_with_interval(difference.value, difference.interval, sign=True)
    return f"{text}{difference.mark}"


def _mean_text(spread: SeedSpread | None) -> str:
    """Return a mean with the standard deviation next to it.

    Examples
    --------
    >>> _mean_text(SeedSpread(0.96314, 0.01004, 3)), _mean_text(SeedSpread(0.25, None, 1))
    ('0.963 ± 0.010', '0.25')
    """
    if spread is None:
        return "-"
    if not spread.deviation:
        return number_text(spread.mean)
    ends = [spread.mean - spread.deviation, spread.mean + spread.deviation]
    places = decimal_places(ends, _SPREAD_DIGITS)
    if places is None:
        return f"{number_text(spread.mean)} ± {number_text(spread.deviation, _SPREAD_DIGITS)}"
    return f"{spread.mean:.{places}f} ± {spread.deviation:.{places}f}"

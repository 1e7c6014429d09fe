"""Runs or trainings that differ only in their seed: mean, deviation, and differences by seed.

A seed is any of `DRAWS`, such as the number of a repeat with other folds.

A difference over seeds is a difference of recipes if its error includes other rows and other seeds;
its star then accounts for all groups of the table, by Holm's method, because the groups need not
have the same seeds. Otherwise the t-test over seeds only shows whether other seeds on the same data
would agree, and there is no star.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias

from lossfw.evaluation.baseline import CONSTANT, SKILL
from lossfw.evaluation.intervals.families import holm_adjusted
from lossfw.evaluation.intervals.recipes import RecipeDifference
from lossfw.runs.compare.finished import LOSS, RunNumber
from lossfw.runs.compare.recipes import DRAWS, Judge
from lossfw.runs.compare.settings import MODEL_FILES, UNSET, format_setting
from lossfw.runs.compare.stars import DOT, STAR, Stars
from lossfw.runs.stored import HELD_OUT

# What was trained with different seeds lies in different files.
_TRAINED = ("network.weights", *MODEL_FILES)
# The settings of a group, and what has them.
_Group: TypeAlias = tuple[dict[str, Any], list["SeedMember"]]
# The name of a group where nothing but the seed differs.
_ALL = "all"


class SeedMember(NamedTuple):
    """A run or a training as a member of its group."""

    name: str
    settings: Mapping[str, Any]
    numbers: Mapping[str, Any]
    like: Any = None

    def select_settings(self, keys: Iterable[str], excluded: Iterable[str]) -> SeedMember:
        """Return it with the settings of some keys, and its single numbers except `excluded`."""
        numbers = {
            name: float(value)
            for name, value in self.numbers.items()
            if isinstance(value, int | float) and name not in excluded
        }
        settings = {key: self.settings.get(key) for key in keys}
        return self._replace(settings=settings, numbers=numbers)


class SeedSpread(NamedTuple):
    """A number over several seeds.

    The standard deviation divides by n - 1, and is None for one seed.
    """

    mean: float
    deviation: float | None
    seeds: int


class SeedDifference(NamedTuple):
    """A difference over several seeds, paired by seed.

    Attributes
    ----------
    spread : SeedSpread
        Mean and deviation of the differences by seed.
    number : RunNumber
        Their mean with its interval; a difference of recipes also has a star and p-values.
    recipe : str
        The description of a difference of recipes. It is empty if the interval is Student's t over
        the seeds, or if there is none.
    together : int
        The number of differences that the star accounts for.
    """

    spread: SeedSpread
    number: RunNumber
    recipe: str = ""
    together: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return the difference as plain numbers and texts, for JSON."""
        number = self.number.to_dict()
        del number["value"]
        return {**_spread_to_dict(self.spread), "recipe": self.recipe or None, **number}


@dataclass(frozen=True)
class SeedGroup:
    """Runs or trainings with the same settings and different seeds.

    Its name consists of the `settings` in which it differs from other groups. `numbers` and
    `differences` are by measure; differences are from the first group, `base`, paired by seed. The
    first group has neither `base` nor differences.
    """

    name: str
    settings: Mapping[str, Any]
    members: tuple[SeedMember, ...]
    numbers: Mapping[str, SeedSpread]
    differences: Mapping[str, SeedDifference]
    base: str = ""

    def difference(self, name: str, *, recipes: bool) -> RunNumber:
        """Return a difference for a table; next to `recipes`, only those have intervals."""
        one = self.differences.get(name)
        if one is None:
            return RunNumber(None)
        return one.number if one.recipe or not recipes else one.number._replace(interval=None)

    def to_dict(self) -> dict[str, Any]:
        """Return the group as plain numbers, texts and lists, for JSON."""
        return {
            "name": self.name,
            "settings": dict(self.settings),
            "seeds": [one.settings.get(DRAWS[0]) for one in self.members],
            "members": [one.name for one in self.members],
            "numbers": {name: _spread_to_dict(of) for name, of in self.numbers.items()},
            "differences": {name: of.to_dict() for name, of in self.differences.items()},
        }


def seed_groups(
    items: Sequence[SeedMember], level: float, judge: Judge | None = None, stars: Stars = "all"
) -> tuple[SeedGroup, ...]:
    """Return the groups of runs that differ only in their seed; none if no group has two seeds.

    `judge` finds the differences of recipes; a star accounts for all of them, or with `each`
    only for one.

    Examples
    --------
    >>> runs = [
    ...     SeedMember(f"{rate},{s}", {"rate": rate, "seed": s}, {"loss": rate + s})
    ...     for rate in (1.0, 2.0) for s in (0, 2)
    ... ]
    >>> [(group.name, group.numbers["loss"].mean) for group in seed_groups(runs, 0.95)]
    [('rate=1.0', 2.0), ('rate=2.0', 3.0)]
    """
    found = _group_by_settings(items, {*DRAWS, *_TRAINED})
    if any(len(_seeds_of(of)) < len(of) for _, of in found):
        # The weights do not only follow the seed.
        found = _group_by_settings(items, {*DRAWS})
    if not any(len(_seeds_of(of)) > 1 for _, of in found):
        return ()
    first, groups = found[0][1], list[SeedGroup]()
    for settings, members in found:
        texts = (
            f"{key} unset" if value is UNSET else f"{key}={format_setting(value)}"
            for key, value in settings.items()
        )
        names = dict.fromkeys(name for one in members for name in one.numbers)
        numbers = {
            name: _spread_of([one.numbers[name] for one in members if name in one.numbers])
            for name in names
        }
        less = {} if members is first else _differences(members, first, level, judge)
        base = groups[0].name if groups else ""
        name = ",".join(texts) or _ALL
        groups.append(SeedGroup(name, settings, tuple(members), numbers, less, base))
    return _add_stars(groups, level, stars)


def have_recipes(groups: Sequence[SeedGroup]) -> bool:
    """Tell whether any difference over seeds is a difference of recipes."""
    return any(one.recipe for group in groups for one in group.differences.values())


def loss_names(settings: Iterable[str]) -> frozenset[str]:
    """Return the names of the loss if such settings differ: the losses are not comparable."""
    differs = any(key == LOSS or key.startswith(f"{LOSS}.") for key in settings)
    names = (LOSS, CONSTANT, SKILL)
    return frozenset(f"{part}{name}" for part in ("", HELD_OUT) for name in names if differs)


def _seeds_of(members: Sequence[SeedMember]) -> set[Any]:
    return {_read_seed(one) for one in members}


def _read_seed(one: SeedMember) -> tuple[Any, ...]:
    return tuple(one.settings.get(key) for key in DRAWS)


def _spread_to_dict(spread: SeedSpread) -> dict[str, Any]:
    return {"mean": spread.mean, "deviation": spread.deviation, "count": spread.seeds}


def _group_by_settings(items: Sequence[SeedMember], excluded: set[str]) -> list[_Group]:
    """Return the items by their settings other than some."""
    found: dict[str, _Group] = {}
    for one in items:
        settings = {key: value for key, value in one.settings.items() if key not in excluded}
        # Lists cannot be keys of a dictionary, and their texts can.
        found.setdefault(repr(settings), (settings, []))[1].append(one)
    return list(found.values())


def _differences(
    members: Sequence[SeedMember], base: Sequence[SeedMember], level: float, judge: Judge | None
) -> dict[str, SeedDifference]:
    """Return the differences of members with those of the same seed, by measure."""
    others = {_read_seed(one): one for one in base}
    both = [(one, others.get(_read_seed(one))) for one in members]
    pairs = [(one, other) for one, other in both if other is not None and one.like == other.like]
    found = {}
    for name in dict.fromkeys(name for one, _ in pairs for name in one.numbers):
        own = [(a, b) for a, b in pairs if name in a.numbers and name in b.numbers]
        if own:
            spread = _spread_of([a.numbers[name] - b.numbers[name] for a, b in own])
            recipe = judge and judge(name, [(a.name, b.name) for a, b in own])
            if recipe:
                # The mean of what the runs report, whose rows give it again up to rounding.
                of = recipe.difference._replace(value=spread.mean)
                number = RunNumber(of.value, of.ends(level), "", of.p)
                found[name] = SeedDifference(spread, number, recipe.words)
            else:
                found[name] = SeedDifference(spread, _difference_by_t_test(spread, level))
    return found


def _difference_by_t_test(spread: SeedSpread, level: float) -> RunNumber:
    """Return the mean with the interval of the paired t-test, and without a star."""
    if not spread.deviation:
        return RunNumber(spread.mean, None, "")
    error = spread.deviation / math.sqrt(spread.seeds)
    ends = RecipeDifference(spread.mean, error, spread.seeds - 1).ends(level)
    return RunNumber(spread.mean, ends, "")


def _add_stars(groups: Sequence[SeedGroup], level: float, stars: Stars) -> tuple[SeedGroup, ...]:
    """Return the groups with the stars of recipes, which hold for all groups together."""
    marked = [dict(group.differences) for group in groups]
    for name in dict.fromkeys(name for less in marked for name in less):
        family = [less for less in marked if name in less and less[name].recipe]
        p = [float(less[name].number.p or 0.0) for less in family]
        together = len(family) if stars == "all" else min(len(family), 1)
        adjusted = holm_adjusted(p) if stars == "all" else p
        for less, alone, beside in zip(family, p, adjusted, strict=True):
            number = less[name].number
            # What one interval says is not outdone by a family of one.
            clear = beside <= max(1.0 - level, alone)
            star = "" if not number.clear else STAR if clear else DOT
            number = number._replace(star=star, p_adjusted=beside)
            less[name] = less[name]._replace(number=number, together=together)
    return tuple(replace(one, differences=less) for one, less in zip(groups, marked, strict=True))


def _spread_of(values: Sequence[float]) -> SeedSpread:
    if not all(map(math.isfinite, values)):
        return SeedSpread(sum(values) / len(values), None, len(values))
    deviation = statistics.stdev(values) if len(values) > 1 else None
    return SeedSpread(statistics.fmean(values), deviation, len(values))

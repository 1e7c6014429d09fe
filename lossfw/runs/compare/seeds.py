"""Runs or trainings that differ in their seed alone: mean, spread, and differences by seed."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from lossfw.evaluation.intervals.student import t_quantile
from lossfw.runs.compare.settings import MODEL_FILES, UNSET, as_text

SEED = "seed"
# What was trained with different seeds lies in different files.
_TRAINED = ("network.weights", *MODEL_FILES)
# The settings of a group, and what has them.
_Group: TypeAlias = tuple[dict[str, Any], list["Seeded"]]
# The name of a group where nothing but the seed differs.
_ALL = "all"


class Seeded(NamedTuple):
    """A run or a training as its group sees it."""

    name: str
    settings: Mapping[str, Any]
    numbers: Mapping[str, float]
    like: Any = None


class SeedSpread(NamedTuple):
    """A number over several seeds.

    The deviation has n - 1 below the root, and is None for one seed. The interval is that of the
    mean of differences, by Student's t; None for anything else.
    """

    mean: float
    deviation: float | None
    seeds: int
    interval: list[float] | None = None


@dataclass(frozen=True)
class SeedGroup:
    """Runs or trainings with the same settings and different seeds.

    It is named by the `settings` in which it differs from other groups. `numbers` and `differences`
    are by measure; the latter are from the first group, paired by seed, and empty for that group.
    """

    name: str
    settings: Mapping[str, Any]
    members: tuple[Seeded, ...]
    numbers: Mapping[str, SeedSpread]
    differences: Mapping[str, SeedSpread]

    def to_dict(self) -> dict[str, Any]:
        """Return the group as plain numbers, texts and lists, for JSON."""
        return {
            "name": self.name,
            "settings": dict(self.settings),
            "seeds": [one.settings.get(SEED) for one in self.members],
            "members": [one.name for one in self.members],
            "numbers": {name: _plain(of) for name, of in self.numbers.items()},
            "differences": {
                name: {**_plain(of), "interval": of.interval}
                for name, of in self.differences.items()
            },
        }


def seed_groups(items: Sequence[Seeded], level: float) -> tuple[SeedGroup, ...]:
    """Return the groups that differ in their seed alone; none if no group has two seeds.

    Examples
    --------
    >>> runs = [
    ...     Seeded(f"{rate},{s}", {"rate": rate, "seed": s}, {"loss": rate + s})
    ...     for rate in (1.0, 2.0) for s in (0, 2)
    ... ]
    >>> [(group.name, group.numbers["loss"].mean) for group in seed_groups(runs, 0.95)]
    [('rate=1.0', 2.0), ('rate=2.0', 3.0)]
    """
    found = _grouped(items, {SEED, *_TRAINED})
    if any(len(_seeds(of)) < len(of) for _, of in found):
        # The weights do not only follow the seed.
        found = _grouped(items, {SEED})
    if not any(len(_seeds(of)) > 1 for _, of in found):
        return ()
    first, groups = found[0][1], []
    for settings, members in found:
        texts = (
            f"{key} unset" if value is UNSET else f"{key}={as_text(value)}"
            for key, value in settings.items()
        )
        names = dict.fromkeys(name for one in members for name in one.numbers)
        numbers = {
            name: _spread([one.numbers[name] for one in members if name in one.numbers])
            for name in names
        }
        less = {} if members is first else _differences(members, first, level)
        groups.append(SeedGroup(",".join(texts) or _ALL, settings, tuple(members), numbers, less))
    return tuple(groups)


def _seeds(members: Sequence[Seeded]) -> set[Any]:
    return {one.settings.get(SEED) for one in members}


def _plain(spread: SeedSpread) -> dict[str, Any]:
    return {"mean": spread.mean, "deviation": spread.deviation, "count": spread.seeds}


def _grouped(items: Sequence[Seeded], apart: set[str]) -> list[_Group]:
    """Return the items by their settings other than some."""
    found: dict[str, _Group] = {}
    for one in items:
        settings = {key: value for key, value in one.settings.items() if key not in apart}
        # Lists cannot be keys of a dictionary, and their texts can.
        found.setdefault(repr(settings), (settings, []))[1].append(one)
    return list(found.values())


def _differences(
    members: Sequence[Seeded], base: Sequence[Seeded], level: float
) -> dict[str, SeedSpread]:
    """Return the differences of members with those of the same seed, by measure."""
    others = {one.settings.get(SEED): one for one in base}
    both = [(one, others.get(one.settings.get(SEED))) for one in members]
    pairs = [(one, other) for one, other in both if other is not None and one.like == other.like]
    names = dict.fromkeys(name for one, _ in pairs for name in one.numbers)
    found = {}
    for name in names:
        less = [a.numbers[name] - b.numbers[name] for a, b in pairs if name in b.numbers]
        if less:
            found[name] = spread = _spread(less)
            if spread.deviation:
                # That of the paired t-test.
                error = spread.deviation / math.sqrt(spread.seeds)
                half = t_quantile(level, spread.seeds - 1) * error
                ends = [spread.mean - half, spread.mean + half]
                found[name] = spread._replace(interval=ends)
    return found


def _spread(values: Sequence[float]) -> SeedSpread:
    if not all(map(math.isfinite, values)):
        return SeedSpread(sum(values) / len(values), None, len(values))
    deviation = statistics.stdev(values) if len(values) > 1 else None
    return SeedSpread(statistics.fmean(values), deviation, len(values))

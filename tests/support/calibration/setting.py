"""A setting of two equally good models, and how often it has a false star."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lossfw.evaluation.intervals.freedom import degrees_of_freedom
from lossfw.evaluation.intervals.left_out import LeaveOneOut

LEVEL = 0.95
# The fraction of comparisons that may have a false star, of COUNT.
MOST = 0.08
COUNT = 2000
# The least share of comparisons with a warning where no interval can be right.
LEAST_WARNED = 0.8

STARS, OWN = "false stars", "own intervals that miss"


class Outcome(NamedTuple):
    """Whether a comparison has a false star, and whether lossfw warns."""

    star: bool
    warned: bool = False


@dataclass(frozen=True)
class Setting:
    """What is compared: `draw` one comparison; `hopeless` ones have to warn."""

    name: str
    draw: Callable[[np.random.Generator], Outcome]
    before: float | None = None
    hopeless: bool = False
    counts: str = STARS


class Rates(NamedTuple):
    """The shares of comparisons with a false star, and with a warning."""

    stars: float
    warned: float


def rates(setting: Setting, count: int = COUNT) -> Rates:
    """Return the rates of a setting in its first comparisons."""
    seed = zlib.crc32(setting.name.encode())
    every = [setting.draw(np.random.default_rng([seed, k])) for k in range(count)]
    return Rates(*np.array(every, float).mean(axis=0).tolist())


def is_held(setting: Setting, found: Rates) -> bool:
    """Tell whether a setting keeps its promise; own intervals of skewed losses have none."""
    if setting.hopeless:
        return found.warned >= LEAST_WARNED
    return setting.counts == OWN or found.stars <= MOST


def left_out(sums, size, square=None) -> LeaveOneOut:
    """Return the mean without each unit, from the sums of the units and their weights."""
    total, weight = sums.sum(axis=0), size.sum()
    column = size if sums.ndim == 1 else size[:, np.newaxis]
    without = (total - sums) / (weight - column)
    return LeaveOneOut(np.asarray(total / weight), without, degrees_of_freedom(size, square))


def has_star(less: LeaveOneOut) -> bool:
    """Tell whether the interval of a difference excludes 0."""
    low, high = less.ends(LEVEL)
    return not low <= 0 <= high

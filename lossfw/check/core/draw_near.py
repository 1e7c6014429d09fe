"""Pairs at which differences cancel: predictions near targets, equal numbers, rotated vectors.

A formula may lose a result that is a small difference of large numbers, and freely drawn numbers
never show this. Some of the drawn pairs are moved to such points, in every space: numbers of a row
are alike, or their sum is nearly 0; vectors are equal, or one is rotated by a small angle;
predictions are a few units in the last place from their targets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from lossfw.check.core.draw_groups import group_spaces
from lossfw.check.core.members import (
    Generator,
    clip_to_interval,
    is_real_line,
    perturb_by_ulps,
    usual_best_predictions,
)
from lossfw.check.core.points import Points, any_in_row
from lossfw.check.core.subject import Subject
from lossfw.components.columns import Columns
from lossfw.components.spaces import Interval, Simplex, Space, Vector
from lossfw.numerics.arrays import NDArray

# These shares of the pairs are moved, where they can be.
_AT_TARGETS, _TURNED, _ALIKE, _CANCELLING = 0.1, 0.1, 0.06, 0.04

# An angle, and what is left of a sum, are so many powers of ten below 1; so is the spread of alike
# numbers.
_DIGITS, _DIGITS_OF_SPREAD = (1.0, 9.0), (1.0, 14.0)

# In this fraction of the pairs with a turned vector, it is equal to the other one.
_EQUAL = 0.2

# Vectors are turned and made so many times as long.
_FACTORS = (1.0, 0.5, 3.0, -1.0)


class _Block(NamedTuple):
    """A vector among the numbers of a row: the numbers of `role` ("y" or "t") from `first` on."""

    role: str
    first: int
    stop: int
    space: Space  # of each number, or of a distribution

    def view(self, rows: dict[str, NDArray]) -> NDArray:
        return rows[self.role][:, self.first : self.stop]


def move_to_cancellations(subject: Subject, points: Points, rng: Generator) -> Points:
    """Return points, some of them moved to where differences cancel."""
    rows = {"y": points.y.copy(), "t": points.t.copy()}
    _move_to_targets(subject, rows, _choose_fraction(len(points), _AT_TARGETS, rng), rng)
    blocks = [one for one in _iter_blocks(subject, rows) if one.stop - one.first > 1]
    pairs = [
        pair for pair in combinations(blocks, 2) if len({one.stop - one.first for one in pair}) == 1
    ]
    for (a, b), which in _assign_by_turns(pairs, _choose_fraction(len(points), _TURNED, rng)):
        x = rotate_rows(a.view(rows)[which], rng)
        equal = rng.random((len(which), 1)) < _EQUAL
        factor = np.where(equal, 1.0, rng.choice(_FACTORS, (len(which), 1)))
        b.view(rows)[which] = _nearest_members(
            b.space, np.where(equal, a.view(rows)[which], x) * factor
        )
    for (one,), which in _assign_by_turns(
        [(x,) for x in blocks], _choose_fraction(len(points), _ALIKE, rng)
    ):
        x = one.view(rows)[which].astype(np.float64)
        spread = 10.0 ** -rng.uniform(*_DIGITS_OF_SPREAD, (len(which), 1))
        # A row of zeros may have no direction.
        base = np.take_along_axis(x, np.abs(x).argmax(-1, keepdims=True), axis=-1)
        one.view(rows)[which] = _nearest_members(
            one.space, base * (1 + spread * rng.normal(size=x.shape))
        )
    lines = [(x,) for x in blocks if isinstance(x.space, Interval) and x.space.low < 0]
    for (one,), which in _assign_by_turns(lines, _choose_fraction(len(points), _CANCELLING, rng)):
        x = one.view(rows)[which].astype(np.float64)
        rest = 10.0 ** -rng.uniform(*_DIGITS, len(which))
        total = x[:, :-1].sum(-1)
        x[:, -1] = np.where(total == 0, x[:, -1], -total * (1 + rest))
        one.view(rows)[which] = _nearest_members(one.space, x)
    return Points(rows["y"], rows["t"])


def rotate_rows(x: NDArray, rng: Generator) -> NDArray:
    """Return rows rotated by small angles, in any direction or along one axis."""
    x = x.astype(np.float64)
    count, width = x.shape
    aside = np.asarray(rng.normal(size=x.shape))
    along = rng.random(count) < 0.5
    aside[along] = np.eye(width)[rng.integers(0, width, np.count_nonzero(along))]
    with np.errstate(all="ignore"):
        length = np.sqrt((x * x).sum(-1, keepdims=True))
        unit = x / length
        aside -= (aside * unit).sum(-1, keepdims=True) * unit
        aside /= np.sqrt((aside * aside).sum(-1, keepdims=True))
        moved = x + 10.0 ** -rng.uniform(*_DIGITS, (count, 1)) * length * aside
    return np.where(np.isfinite(moved), moved, x)


def _move_to_targets(
    subject: Subject, rows: dict[str, NDArray], which: NDArray, rng: Generator
) -> None:
    """Move predictions to their targets, or a few units beside them."""
    y, t = rows["y"], rows["t"]
    if y.shape != t.shape or t.dtype.kind != "f" or subject.kind == "margin":
        return
    target = t[which]
    if subject.kind == "distance" and is_real_line(subject.target):
        # Most targets are 0: others are where predictions are.
        target = np.where(target == 0, y[which], target)
    elif isinstance(subject.target, Interval):
        # The bounds of targets meet the edges of predictions.
        inside = (target != subject.target.low) & (target != subject.target.high)
        which, target = which[any_in_row(inside)], target[any_in_row(inside)]
    best = _best_predictions(subject.prediction, subject.target, target.astype(np.float64)).astype(
        y.dtype
    )
    t[which] = target
    y[which] = _nearest_members(subject.prediction, perturb_by_ulps(best, rng))


def _best_predictions(prediction: Space, target: Space, t: NDArray) -> NDArray:
    """Return the best predictions for targets, of rows number by number."""
    if isinstance(prediction, Columns | Vector) and isinstance(target, Columns | Vector):
        size = t.shape[-1]
        pairs = zip(prediction.space_of_each(size), target.space_of_each(size), strict=True)
        return np.stack(
            [usual_best_predictions(*pair, t[..., k]) for k, pair in enumerate(pairs)], axis=-1
        )
    return usual_best_predictions(prediction, target, t)


def _nearest_members(space: Space, x: NDArray) -> NDArray:
    """Return the members of a space that are nearest to numbers, or to the rows of a simplex."""
    if isinstance(space, Simplex):
        size = np.abs(x)
        return np.asarray(size / size.sum(-1, keepdims=True))
    return clip_to_interval(space, x)


def _iter_blocks(subject: Subject, rows: dict[str, NDArray]) -> Iterator[_Block]:
    """Yield the vectors of real numbers, or the distributions, among predictions and targets."""
    spaces = {"y": subject.prediction, "t": subject.target}
    if subject.kind == "group":
        spaces = dict(zip("yt", group_spaces(subject)[0], strict=True))
    for role, space in spaces.items():
        x = rows[role]
        if x.ndim == 1 or x.dtype.kind != "f":
            continue
        width, repeats = x.shape[-1], 1
        if subject.kind == "group" and space.axes:
            width = group_spaces(subject)[1]["yt".index(role)]
            repeats = x.shape[-1] // width
        for number in range(repeats):
            for first, stop, one in _iter_vectors(space, width):
                if isinstance(one, Interval | Simplex):
                    yield _Block(role, number * width + first, number * width + stop, one)


def _iter_vectors(space: Space, width: int) -> Iterator[tuple[int, int, Space]]:
    """Yield where each vector of a row begins and ends, with the space of its numbers."""
    if isinstance(space, Columns):
        first = 0
        for one, size in zip(space.spaces, space.widths(width), strict=True):
            yield from (
                (first + a, first + b, numbers)
                for a, b, numbers in _iter_vectors(one, size)
                if one.axes
            )
            first += size
    else:
        yield 0, width, space.of_numbers if isinstance(space, Vector) else space


def _choose_fraction(count: int, fraction: float, rng: Generator) -> NDArray:
    """Return the numbers of a fraction of the points."""
    return np.flatnonzero(rng.random(count) < fraction)


def _assign_by_turns(
    block_groups: Sequence[tuple[_Block, ...]], which: NDArray
) -> Iterator[tuple[tuple[_Block, ...], NDArray]]:
    """Yield the blocks with the points that are moved in them, each point in one of them."""
    for number, kind in enumerate(block_groups):
        some = which[number :: len(block_groups)]
        if some.size:
            yield kind, some

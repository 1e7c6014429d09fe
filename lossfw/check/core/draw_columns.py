"""Pairs for losses with named columns or vectors: each column from its own space.

The columns of a row are independent, close together, or close to what the others suggest.
"""

from __future__ import annotations

import numpy as np

from lossfw.check.core.members import (
    Generator,
    clip_to_interval,
    members,
    perturb,
    perturb_by_ulps,
    usual_best_predictions,
    usual_members,
)
from lossfw.check.core.points import Points
from lossfw.check.core.subject import Subject
from lossfw.components.spaces import Interval, Simplex, Space
from lossfw.numerics.arrays import NDArray

# How many numbers a vector of the target has where its space and the prediction leave it open.
_WIDTH = 3

# In these shares of the rows a number is near what another column suggests, or is equal to it, give
# or take a few units in the last place.
_NEAR, _EQUAL = 0.4, 0.1

# A number beyond this says nothing of its neighbours: they would all be equal to it.
_PLAIN = 1e3


def target_size(subject: Subject, columns: int) -> int:
    """Return the size of a target for predictions of so many columns."""
    width = _WIDTH
    if subject.prediction.size is None:
        # As many as the vectors of the prediction have.
        sizes = range(1, columns + 1)
        width = next(k for k in sizes if subject.prediction.flat_size(k) == columns)
    return subject.target.flat_size(width)


def column_pairs(subject: Subject, columns: int, dtype: str, rng: Generator, count: int) -> Points:
    """Return pairs of flat rows, or of flat rows and numbers."""
    spaces = subject.prediction, subject.target
    sizes = columns, target_size(subject, columns)
    pairs = list(zip(spaces, sizes, strict=True))
    rows = [_draw_members(space, size, dtype, rng, count) for space, size in pairs]
    own = [space.space_of_each(size) for space, size in pairs]
    with np.errstate(all="ignore"):
        for a, b in ((1, 1), (0, 0), (0, 1)):
            _move_near(rows[a], own[a], rows[b], own[b], dtype, rng)
    rows = [
        np.sort(x, axis=-1) if getattr(space, "is_ordered", False) else x
        for x, space in zip(rows, spaces, strict=True)
    ]
    return Points(rows[0], rows[1] if subject.target.axes else rows[1][:, 0])


def usual_rows(space: Space, size: int, rng: Generator, count: int) -> NDArray:
    """Return unremarkable members of a space, as flat rows or numbers."""
    rows: NDArray = space.generate_rows(
        size, lambda space, row: usual_members(space, rng, (count, *row))
    )
    return rows


def usual_pairs(subject: Subject, rng: Generator, count: int) -> Points:
    """Return unremarkable pairs; vectors have three numbers."""
    columns = subject.prediction.flat_size(_WIDTH)
    sizes = columns, target_size(subject, columns)
    spaces = subject.prediction, subject.target
    pairs = (usual_rows(*one, rng, count) for one in zip(spaces, sizes, strict=True))
    return Points(*pairs)


def _draw_members(space: Space, size: int, dtype: str, rng: Generator, count: int) -> NDArray:
    """Return members of a space as rows, each column in an order of its own."""

    def draw(space: Space, row: tuple[int, ...]) -> NDArray:
        if isinstance(space, Simplex):
            return usual_members(space, rng, (count, *row)).astype(dtype)
        return rng.choice(members(space, dtype, rng, count), (count, *row))

    rows = space.generate_rows(size, draw).astype(dtype)
    return np.array(rows if space.axes else rows[:, np.newaxis])


def _move_near(
    rows: NDArray,
    spaces: list[Space],
    others: NDArray,
    other_spaces: list[Space],
    dtype: str,
    rng: Generator,
) -> None:
    """Move some numbers of an interval near a number of another column, or make them equal."""
    for place, space in enumerate(spaces):
        sources = [
            (others[:, k], other)
            for k, other in enumerate(other_spaces)
            if not other.axes and not (others is rows and k == place)
        ]
        if not isinstance(space, Interval) or not sources:
            continue
        source, other = sources[rng.integers(len(sources))]
        share = rng.random(len(rows))
        suggested = usual_best_predictions(space, other, source.astype(np.float64))
        noise = rng.normal(size=len(rows)) * (rng.random(len(rows)) < 0.5)
        near = clip_to_interval(space, (perturb(suggested, "float64", rng) + noise).astype(dtype))
        plain = np.abs(source) < _PLAIN
        rows[:, place] = np.where((share < _NEAR) & plain, near, rows[:, place])
        same = clip_to_interval(space, perturb_by_ulps(source.astype(dtype), rng))
        rows[:, place] = np.where(share > 1 - _EQUAL, same, rows[:, place])

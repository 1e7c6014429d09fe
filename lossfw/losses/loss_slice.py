"""Slices of losses of columns, vectors and groups: one number varies, the others are fixed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from lossfw.components.columns import Columns
from lossfw.components.spaces import FiniteSpace, Interval, Simplex, Space
from lossfw.errors import ArgumentError
from lossfw.numerics.arrays import NDArray

# `lossfw.Loss`, which imports this module.
_Loss: TypeAlias = Any

# A vector without a size has so many numbers, and a sample so many vectors.
_WIDTH = 2

# Rows of a group; vectors, whose targets may be labels, need two of each.
_ROWS, _ROWS_OF_VECTORS = 2, 4


@dataclass(frozen=True)
class LossSlice:
    """Predictions along a line, with their target; a group is one row of an array (G, n).

    `moved` is the space of the number that varies, the first of the prediction.
    """

    label: str
    moved: Space
    prediction: NDArray
    target: NDArray

    def arguments_at(self, x: NDArray) -> tuple[NDArray, NDArray]:
        """Return predictions and targets for values of the number that varies."""
        y, t = (np.stack([one] * len(x)) for one in (self.prediction, self.target))
        y.reshape(len(x), -1)[:, 0] = x
        return y, t


def slice_of(loss: _Loss, target: float = 1.0) -> LossSlice:
    """Return the slice of a loss that has columns or takes groups.

    A target has the given number if its space contains it. In a group, numbers of the second half
    are 0.

    Examples
    --------
    >>> import lossfw
    >>> slice_of(lossfw.loss("crps_normal")).label
    'prediction.location x, of [x, 0], target 1'
    """
    width = max(_WIDTH, loss.least_classes)
    space, of_target = loss.prediction_space, loss.target_space
    alone = not space.axes or isinstance(space, Columns)
    rows = 1 if not loss.takes_groups else _ROWS if alone else _ROWS_OF_VECTORS
    # Events of a group come at one time, as one that nobody is left beside has no derivative.
    targets = [target if 2 * k < rows or of_target.axes else 0.0 for k in range(rows)]
    y = np.stack(
        [_make_row(space, width, _distinct_drawer(itertools.count(k))) for k in range(rows)]
    )
    t = np.stack([_make_row(of_target, width, _equal_drawer(one)) for one in targets])
    if not loss.takes_groups:
        y, t = y[0], t[0]
    size = y.size // rows
    shown = np.array(y, dtype=object)
    shown.reshape(-1)[0] = "x"
    of = f", of {_format_value(shown)}" if y.ndim else ""
    what = f"prediction{space.labels(size)[0]}"
    many = "targets" if rows > 1 else "target"
    label = f"{what} {'x' if y.ndim else 'y'}{of}, {many} {_format_value(t)}"
    return LossSlice(label, space.space_of_each(size)[0], y, t)


def _make_row(space: Space, width: int, draw: Any) -> NDArray:
    """Return a plain member in the shape of an array of it."""
    if space.axes < 2:
        return np.asarray(space.generate_rows(space.flat_size(width), draw), float)
    vectors = len(space.names) if isinstance(space, Columns) else _WIDTH
    row = np.asarray(space.generate_rows(vectors * width, draw), float)
    return row.reshape(vectors, -1)


def _distinct_drawer(pattern: Iterator[int]) -> Any:
    """Return a draw of numbers at or near 0, and of vectors no two of which are the same."""

    def draw(space: Space, row: tuple[int, ...]) -> NDArray:
        if isinstance(space, Simplex):
            return np.full(row, 1 / row[-1])
        if not row:
            return np.asarray(_plain_number(space, 0.0))
        turned = (np.arange(row[0]) + next(pattern)) % max(row[0], 2)
        return np.array([_plain_number(space, float(number)) for number in turned])

    return draw


def _equal_drawer(target: float) -> Any:
    """Return a draw of targets that are this number, or near it."""

    def draw(space: Space, row: tuple[int, ...]) -> NDArray:
        if isinstance(space, Simplex):
            return np.full(row, 1 / row[-1])
        return np.full(row, _plain_number(space, target))

    return draw


def _plain_number(space: Space, preferred: float) -> float:
    """Return a number of a space: the one that is wanted, or another one."""
    candidates = [preferred, 1.0, 0.0, -1.0]
    if isinstance(space, FiniteSpace):
        candidates += space.members
    if isinstance(space, Interval):
        candidates += [(space.low + space.high) / 2, space.low + 1, space.high - 1]
    for number in candidates:
        if np.isfinite(number) and space.outside_or_none(np.array([number])) is None:
            return float(number)
    raise ArgumentError(f"no plain number of {space} is known.")


def _format_value(x: Any) -> str:
    if isinstance(x, str):
        return x
    return f"[{', '.join(map(_format_value, x))}]" if np.ndim(x) else f"{x:g}"

"""Folds that roll through time: each held-out period is later than all its training rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lossfw.components.naming import format_count
from lossfw.config.schema.checked import CheckedConfig, ConfigPath
from lossfw.config.schema.sections import HoldOutSection
from lossfw.data import DataColumn, Dataset
from lossfw.data.comparisons import ColumnComparison
from lossfw.data.times import NotTimesError, Times
from lossfw.evaluation.slices import default_slice_name
from lossfw.numerics.arrays import NDArray

_PATH = ("train", "hold_out")


class RollingFold(NamedTuple):
    """The rows of a fold, by their ascending numbers.

    `begins` is a filter of the rows that the folds hold out; rows before the first period are never
    held out.
    """

    train_rows: NDArray
    held_out: NDArray
    begins: str


def rolling_fold(
    config: CheckedConfig, data: Dataset, section: HoldOutSection, units: NDArray | None
) -> RollingFold:
    """Return a fold of the rows; `units` has the group of each row, which must not be split."""
    name = default_slice_name(str(section.time))
    column = data.columns[name]
    time = _times_of_rows(config, name, column)
    if data.groups is not None:
        _check_groups(config, name, time, data.groups.numbers(0, len(data)))
    folds, fold = section.folds or 0, section.fold or 0
    begins = period_starts(time, folds)
    if len(set(begins.tolist())) < folds or not (time < begins[:1]).any():
        distinct = len(np.unique(time))
        config.add(
            [*_PATH, "folds"],
            f"{folds} periods of {len(time)} rows cannot be formed from the {distinct} values of "
            f"{name!r}: rows of one value are not split",
            "write fewer folds",
        )
        raise config.problems.error()
    train_rows, held_out = fold_masks(time, begins, fold, section.gap or 0.0, section.window)
    if units is not None:
        train_rows = _purge_groups(config, fold, train_rows, held_out, units)
    if not train_rows.any():
        key, hint = "folds", "write fewer folds"
        if section.keep_together and (time < begins[fold]).any():
            key, hint = (
                "keep_together",
                "every earlier group also has rows in the period: leave keep_together out",
            )
        if section.gap:
            key, hint = "gap", "write a smaller gap"
        elif section.window is not None:
            key, hint = "window", "write a larger window"
        config.add([*_PATH, key], f"fold {fold} has no training rows before its period", hint)
        raise config.problems.error()
    first = np.flatnonzero(time == begins[0])[0]
    value = np.asarray(column.values)[first].item()
    text = column.labels[value] if column.holds_strings else repr(value)
    begins_at = ColumnComparison(name, ">=", (text,))
    return RollingFold(np.flatnonzero(train_rows), np.flatnonzero(held_out), str(begins_at))


def period_starts(times: NDArray, folds: int) -> NDArray:
    """Return the first time of each held-out period.

    A period has n // (folds + 1) of n rows, as in scikit-learn's ``TimeSeriesSplit``, and the last
    one ends with the data; rows of one time are not split.

    Examples
    --------
    >>> period_starts(np.arange(10), 4)
    array([2, 4, 6, 8])
    """
    ordered = np.sort(times)
    size = len(ordered) // (folds + 1)
    found: NDArray = ordered[[len(ordered) - max(1, size) * k for k in range(folds, 0, -1)]]
    return found


def fold_masks(
    times: NDArray, starts: NDArray, fold: int, gap: float = 0.0, window: float | None = None
) -> tuple[NDArray, NDArray]:
    """Return which rows a fold learns from and which it holds out.

    No training row is within the `gap` before a period, nor before the `window`.

    Examples
    --------
    >>> train_rows, held_out = fold_masks(np.arange(10), np.array([2, 4, 6, 8]), 1, gap=1, window=2)
    >>> np.flatnonzero(train_rows), np.flatnonzero(held_out)
    (array([1, 2]), array([4, 5]))
    """
    begin = starts[fold]
    held_out = times >= begin
    if fold + 1 < len(starts):
        held_out &= times < starts[fold + 1]
    train_rows = times < begin - gap
    if window is not None:
        train_rows &= times >= begin - gap - window
    return train_rows, held_out


def _times_of_rows(config: CheckedConfig, name: str, column: DataColumn) -> NDArray:
    """Return the time of each row as a number; dates in days."""
    path: ConfigPath = [*_PATH, "time"]
    try:
        numbers = Times(column).of(np.asarray(column.values))
    except NotTimesError as error:
        config.add(path, f"column {name!r} {error.what}", error.hint)
        raise config.problems.error() from None
    missing = ~np.isfinite(numbers)
    if missing.any():
        row = int(np.flatnonzero(missing)[0])
        config.add(path, f"column {name!r}[{row}] is missing; every row needs a time")
        raise config.problems.error()
    return numbers


def _check_groups(config: CheckedConfig, name: str, times: NDArray, groups: NDArray) -> None:
    """Refuse groups of the loss that lie at several times."""
    within = np.diff(groups) == 0
    if (within & (np.diff(times) != 0)).any():
        what = f"rows of one group of data.group_key have different values of {name!r}"
        config.add([*_PATH, "time"], what, "give each group one time, such as its first")
        raise config.problems.error()


def _purge_groups(
    config: CheckedConfig, fold: int, train_rows: NDArray, held_out: NDArray, units: NDArray
) -> NDArray:
    """Return the rows to learn from without the groups that reach into the held-out period."""
    seen = np.zeros(int(units.max()) + 1, bool)
    seen[units[held_out]] = True
    out = train_rows & seen[units]
    if out.any():
        groups = len(np.unique(units[out]))
        config.notes.append(
            f"fold {fold} does not train on {format_count(int(out.sum()), 'row')} of "
            f"{format_count(groups, 'group')} that also have rows in its held-out period"
        )
    return train_rows & ~out

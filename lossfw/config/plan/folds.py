"""Rows of the data that a training holds out: a fraction of them, or one of several folds."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lossfw.components.naming import shortlist
from lossfw.config.plan.report_options import baseline_column
from lossfw.config.plan.rolling import rolling_fold
from lossfw.config.schema.checked import CheckedConfig, ConfigPath, require
from lossfw.config.schema.section_types import MAX_RUNS
from lossfw.config.schema.sections import REPEAT, HoldOutSection
from lossfw.config.text.overrides import UnsettablePathError, remove_value, with_value
from lossfw.config.text.tree import Node
from lossfw.data import DataColumn, Dataset
from lossfw.data.selected_rows import take_rows_lazily
from lossfw.evaluation.slices import default_slice_name
from lossfw.nn.seeding import held_out_units
from lossfw.numerics.arrays import NDArray

_PATH = ("train", "hold_out")


class _HoldOutUnits(NamedTuple):
    """What is held out as a whole: rows, or groups of rows."""

    # What one is called.
    word: str
    # The number of the unit of each row, and how many units there are.
    numbers: NDArray
    total: int


def count_folds(config: CheckedConfig) -> int | None:
    """Return how many trainings a configuration with folds describes; None if it is one training.

    Examples
    --------
    >>> from lossfw.config.schema.checked import read_config
    >>> from lossfw.config.text.mapping import NAME, MappingConfig
    >>> from lossfw.config.text.source import ConfigSource
    >>> given = MappingConfig.of({"train": {"hold_out": {"folds": 5}}})
    >>> config = read_config(ConfigSource(NAME, given=given))
    >>> count_folds(config), count_folds(with_fold(config, 2))
    (5, None)
    """
    node = config.root.find([*_PATH, "folds"])
    is_open = node is not None and not config.has_value(*_PATH, "fold")
    return node.value if node is not None and is_open and isinstance(node.value, int) else None


def with_fold(config: CheckedConfig, fold: int) -> CheckedConfig:
    """Return the unchecked configuration of the training that holds out one fold.

    Mistakes are recorded in the same collection.
    """
    overrides = (*config.source.overrides, f"{'.'.join(_PATH)}.fold={fold}")
    at = config.root.locate([*_PATH, "folds"])
    root = with_value(config.root, (*_PATH, "fold"), Node(fold, at), at)
    return CheckedConfig(replace(config.source, overrides=overrides), root, config.problems)


def _refuse_repeats(config: CheckedConfig) -> None:
    """Record repeats of all folds next to one of them."""
    one = [key for key in ("fold", "repeat") if config.has_value(*_PATH, key)]
    if one and config.has_value(*_PATH, "repeats"):
        what = f"train.hold_out.repeats trains all folds, but {one[0]} selects some"
        config.add([*_PATH, "repeats"], what, "leave one of them out", key=True)


def with_repeats(config: CheckedConfig) -> CheckedConfig:
    """Return the sweep of repeats that a configuration of folds describes, or the configuration.

    Wrong values are unchanged, and found when the configuration is checked.
    """
    _refuse_repeats(config)
    config.problems.raise_if_any()
    node = config.root.find([*_PATH, "repeats"])
    count = None if node is None else node.value
    alone = config.has_value(*_PATH, "folds") and not config.has_value(*_PATH, "time")
    if not isinstance(count, int) or not 2 <= count <= MAX_RUNS or not alone:
        return config
    at = config.root.locate([*_PATH, "repeats"])
    root = remove_value(config.root, [*_PATH, "repeats"])
    try:
        every = Node([Node(repeat, at) for repeat in range(count)], at)
        root = with_value(root, ("sweep", "grid", REPEAT), every, at)
    except UnsettablePathError:
        return config  # the sweep itself is wrong
    overrides = (*config.source.overrides, f"{'.'.join(_PATH)}.repeats-")
    return CheckedConfig(replace(config.source, overrides=overrides), root, config.problems)


def first_fold(config: CheckedConfig) -> CheckedConfig:
    """Return the configuration of one training, the first one if there are folds.

    All folds have the same mistakes.
    """
    return config if count_folds(config) is None else with_fold(config, 0)


def refuse_folds(config: CheckedConfig) -> None:
    """Record folds where a single training is expected."""
    if not config.problems:
        _refuse_repeats(config)
    if folds := count_folds(config):
        config.add(
            [*_PATH, "folds"],
            f"{folds} folds describe {folds} trainings, but this command takes one",
            "lossfw train carries out all of them (in Python lossfw.train_all); for a single one "
            "write fold: 0",
        )


def group_columns(config: CheckedConfig) -> tuple[str, ...]:
    """Return the columns that determine which rows are held out: groups and time."""
    section = _hold_out_section(config)
    named = () if section is None else (section.keep_together, section.time)
    return tuple(dict.fromkeys(default_slice_name(name) for name in named if name))


def _hold_out_section(config: CheckedConfig) -> HoldOutSection | None:
    train = config.sections and config.sections.train
    return train.hold_out if train else None


def hold_out(config: CheckedConfig, data: Dataset, section: HoldOutSection) -> None:
    """Split the data into training rows and held-out rows."""
    units = _hold_out_units(config, data)
    if section.time is not None:
        grouped = units.numbers if section.keep_together else None
        fold = rolling_fold(config, data, section, grouped)
        _split_data(config, data, fold.train_rows, fold.held_out)
        config.held_out_rows, config.held_out_filter = fold.held_out, fold.begins
        _note_unused_patience(config, section)
        return
    key, needed = ("fraction", 2) if section.folds is None else ("folds", section.folds)
    if units.total < needed:
        have = f"the data have {units.total} {_plural(units.word, units.total)}"
        none = (
            "none can be held out of it" if key == "fraction" else f"{needed} folds need {needed}"
        )
        config.add([*_PATH, key], f"{have}, and {none}")
        raise config.problems.error()
    held_out = held_out_units(
        units.total,
        require(config.sections).seed,
        fraction=section.fraction,
        folds=section.folds or 0,
        fold=section.fold or 0,
        repeat=section.repeat or 0,
        classes=_classes_of_units(config, data, units) if section.stratify else None,
    )
    is_held_out = np.zeros(units.total, bool)
    is_held_out[held_out] = True
    is_held_out = is_held_out[units.numbers]
    rows = np.flatnonzero(is_held_out)
    _split_data(config, data, np.flatnonzero(~is_held_out), rows)
    if section.folds is None:
        return
    config.held_out_rows = rows
    _note_unused_patience(config, section)


def _split_data(
    config: CheckedConfig, data: Dataset, train_rows: NDArray, held_out: NDArray
) -> None:
    # The columns have told groups and times.
    kept = baseline_column(config)
    columns = {name: column for name, column in data.columns.items() if name in kept}
    data = replace(data, columns=columns)
    config.data, config.held_out = (
        take_rows_lazily(data, train_rows),
        take_rows_lazily(data, held_out),
    )


def _note_unused_patience(config: CheckedConfig, section: HoldOutSection) -> None:
    if section.patience is not None:
        config.notes.append(
            "train.hold_out.patience stops each training where the loss of its fold is least, and "
            "the same rows are reported: their loss is too low. Without patience the number of "
            "rounds is the same for all folds"
        )


def _hold_out_units(config: CheckedConfig, data: Dataset) -> _HoldOutUnits:
    """Return what is held out as a whole."""
    section = _hold_out_section(config)
    if section is not None and section.keep_together:
        name = default_slice_name(section.keep_together)
        column = data.columns[name]
        numbers = np.unique(column.values, return_inverse=True)[1]
        _check_groups(config, data, name, column, numbers)
        return _HoldOutUnits("group", numbers, int(numbers.max()) + 1)
    if data.groups is not None:
        return _HoldOutUnits("group", data.groups.numbers(0, len(data)), len(data.groups))
    return _HoldOutUnits("row", np.arange(len(data)), len(data))


def _check_groups(
    config: CheckedConfig, data: Dataset, name: str, column: DataColumn, numbers: NDArray
) -> None:
    """Refuse a column with missing values, or one that splits the groups of the loss."""
    path: ConfigPath = [*_PATH, "keep_together"]
    values = np.asarray(column.values)
    missing = [code for code, label in enumerate(column.labels_or_none) if label is None]
    absent = np.isin(values, missing) if column.holds_strings else np.isnan(values)
    if absent.any():
        row = int(np.flatnonzero(absent)[0])
        config.add(path, f"column {name!r}[{row}] is missing; every row needs a group")
    elif data.groups is not None:
        within = np.diff(data.groups.numbers(0, len(data))) == 0
        if (within & (np.diff(numbers) != 0)).any():
            what = f"rows of one group of data.group_key have different values of {name!r}"
            config.add(path, what, "leave it out: groups of group_key stay together without it")
    config.problems.raise_if_any()


def _classes_of_units(config: CheckedConfig, data: Dataset, units: _HoldOutUnits) -> NDArray:
    """Return the class of each row or group, and note the classes that not every fold has."""
    path: ConfigPath = [*_PATH, "stratify"]
    targets = np.asarray(data.targets)
    hint = "leave stratify out"
    if targets.size != len(data):
        config.add(path, "stratify needs classes, but a target is a row of numbers", hint)
        raise config.problems.error()
    targets = targets.reshape(-1)
    fractions = np.flatnonzero(targets != np.floor(targets))
    if fractions.size:
        row = int(fractions[0])
        what = f"stratify needs classes, but target[{row}] = {targets[row]} is not a class"
        config.add(path, what, hint)
        raise config.problems.error()
    classes = np.zeros(units.total, targets.dtype)
    classes[units.numbers] = targets
    mixed = np.flatnonzero(classes[units.numbers] != targets)
    if mixed.size:
        row = int(mixed[0])
        what = f"stratify needs groups with one class each, but the group of row {row} has several"
        config.add(path, what, f"{hint}, or groups")
        raise config.problems.error()
    _note_rare_classes(config, data, classes, units.word)
    return classes


def _note_rare_classes(config: CheckedConfig, data: Dataset, classes: NDArray, noun: str) -> None:
    """Note the classes with fewer rows, or groups, than there are folds."""
    folds = require(require(require(config.sections).train).hold_out).folds
    values, counts = np.unique(classes, return_counts=True)
    rare = [
        f"{data.classes[int(value)] if data.classes else f'{value:g}'} ({count})"
        for value, count in zip(values, counts, strict=True)
        if folds is not None and count < folds
    ]
    if rare:
        config.notes.append(
            f"classes with fewer {_plural(noun, 2)} than the {folds} folds are missing from some "
            f"folds: {shortlist(rare)}"
        )


def _plural(noun: str, count: int) -> str:
    return noun if count == 1 else f"{noun}s"

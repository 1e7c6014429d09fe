"""The options of an evaluation besides loss and metrics: sample, intervals, slices."""

from __future__ import annotations

import numpy as np

from lossfw.config.schema.check_config import slice_section
from lossfw.config.schema.checked import CheckedConfig, ConfigPath, DataSpec, require
from lossfw.config.schema.messages import split_hint
from lossfw.config.schema.section_types import MAX_ITEMS
from lossfw.config.schema.sections import RootSection
from lossfw.config.text.tree import Node
from lossfw.data import Dataset
from lossfw.errors import ParameterError
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.intervals.units import Units
from lossfw.evaluation.slices import COLUMN, Slice, default_slice_name

_UNITS: ConfigPath = ["evaluate", "intervals", "resample"]


def read_report_options(config: CheckedConfig) -> None:
    """Fill `sample` and `intervals` if sections and data are known."""
    if config.sections is None or config.data is None:
        return
    config.sample = _draw_sample(config, config.sections, config.data)
    section = config.sections.evaluate.intervals
    if section is not None:
        seed = config.sections.seed if section.seed is None else section.seed
        units = config.units
        if section.resample is None and units is not None and units.kind == "time":
            # Blocks are of numbers; of dates each one is a unit.
            column = config.data.columns.get(units.column)
            if column is not None and column.holds_strings:
                config.units = Units("column", units.column)
        config.intervals = Intervals(
            section.level, section.method, section.replicates, seed, config.units
        )


def read_units(config: CheckedConfig) -> None:
    """Fill `units` with what intervals treat as independent, if there are intervals.

    The first of these: evaluate.intervals.resample, train.hold_out.keep_together,
    train.hold_out.time in blocks, data.group_key, rows.
    """
    section = config.sections and config.sections.evaluate.intervals
    if not section:
        return
    train, given = require(config.sections).train, section.resample
    if given is None and train is not None and (held_out := train.hold_out) is not None:
        given = held_out.keep_together or (held_out.time and {"time": held_out.time})
    key = config.data_spec.options.group_key
    if given is None and key is not None:
        given = "groups"
    try:
        units = Units() if given is None else Units.read(given)
    except ParameterError as error:
        what, hint = split_hint(str(error).removesuffix("."))
        config.add(_UNITS, what, hint)
        return
    if units.kind == "groups" and key is None:
        what = "resample: groups are defined by data.group_key, which is not given"
        config.add(_UNITS, what, f"write {COLUMN}NAME, a column of the data, or data.group_key")
        return
    takes = [part.takes_groups for part in (config.loss, *config.metrics) if part is not None]
    if units.kind == "groups" and not any(takes):
        units = Units("column", str(key))
    config.units = units


def read_slices(config: CheckedConfig) -> None:
    """Fill `slices` with the valid ones."""
    made: dict[str, Slice] = {}
    for index, item in enumerate(_slice_nodes(config)):
        section = slice_section(item)
        if section is None:
            continue
        place: list[str | int] = ["evaluate", "slices", index]
        if section.name in made:
            what = f"two slices have the name {section.name!r}"
            config.add([*place, "name"], what, "give each a different name")
            continue
        try:
            made[section.name] = Slice(
                section.name, section.by, tuple(section.bins), section.largest
            )
        except ParameterError as error:
            what, hint = split_hint(str(error).removesuffix("."))
            # The message begins with the parameter that it is about.
            config.add([*place, what.partition(" ")[0]], what, hint)
    config.slices = tuple(made.values())


def row_columns(config: CheckedConfig) -> tuple[str, ...]:
    """Return the columns of the data to store with each row: those of slices, and others."""
    asked = [] if config.sections is None else config.sections.evaluate.columns
    units = [config.units.column] if config.units is not None and config.units.column else []
    baseline = baseline_column(config)
    kept = [*(p.column for p in config.slices if p.column), *asked, *units, *baseline]
    return tuple(dict.fromkeys(kept))


def baseline_column(config: CheckedConfig) -> tuple[str, ...]:
    """Return the column of the data that has the predictions of a baseline, if there is one."""
    given = None if config.sections is None else config.sections.evaluate.baseline
    if not isinstance(given, str) or not given.startswith(COLUMN) or given == COLUMN:
        return ()
    return (default_slice_name(given),)


def place_of_column(config: CheckedConfig, column: str, spec: DataSpec) -> ConfigPath:
    """Return where a column of the data is named first.

    It may be the column of groups, of a slice, of the file of rows, or of a filter.
    """
    intervals = config.sections and config.sections.evaluate.intervals
    if intervals and intervals.resample and config.units and config.units.column == column:
        return _UNITS
    train = config.sections and config.sections.train
    if train and train.hold_out and train.hold_out.keep_together == f"{COLUMN}{column}":
        return ["train", "hold_out", "keep_together"]
    if train and train.hold_out and train.hold_out.time == f"{COLUMN}{column}":
        return ["train", "hold_out", "time"]
    if column in baseline_column(config):
        return ["evaluate", "baseline"]
    if column == spec.options.group_key:
        return [*spec.path, "group_key"]
    for index, item in enumerate(_slice_nodes(config)):
        section = slice_section(item)
        if section is not None and section.by == f"{COLUMN}{column}":
            inside = ["by"] if isinstance(item.value, dict) else []
            return ["evaluate", "slices", index, *inside]
    asked = [] if config.sections is None else config.sections.evaluate.columns
    if column in asked:
        return ["evaluate", "columns", asked.index(column)]
    return [*spec.path, "where"]


def _slice_nodes(config: CheckedConfig) -> list[Node]:
    node = config.root.find(["evaluate", "slices"])
    return node.value[:MAX_ITEMS] if node is not None and isinstance(node.value, list) else []


def _draw_sample(
    config: CheckedConfig, sections: RootSection, data: Dataset
) -> tuple[int, ...] | None:
    """Draw the rows of a sample, or those of a sample of groups, from a generator of its own."""
    sample, groups = sections.evaluate.sample, data.groups
    if sample is None:
        return None
    count, what = (len(data), "rows") if groups is None else (len(groups), "groups")
    if sample.count > count and not sample.replace:
        config.add(
            ["evaluate", "sample", "count"],
            f"{sample.count} {what} cannot be drawn from {count} without replacement",
            f"write replace: true, or a count of at most {count}",
        )
        return None
    seed = sections.seed if sample.seed is None else sample.seed
    drawn = np.random.default_rng(seed).choice(count, sample.count, replace=sample.replace)
    return tuple((drawn if groups is None else groups.rows_of(drawn)).tolist())

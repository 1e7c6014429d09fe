"""From a configuration to a plan: compatible objects, before any computation."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import replace
from typing import TypeAlias

from lossfw.config.plan.adapt import adapt_loss
from lossfw.config.plan.baseline import read_baseline
from lossfw.config.plan.compatibility import check_against_training
from lossfw.config.plan.digest import plan_digest
from lossfw.config.plan.first_rows import try_first_rows
from lossfw.config.plan.load_outputs import load_outputs
from lossfw.config.plan.report_options import (
    read_report_options,
    read_slices,
    read_units,
    row_columns,
)
from lossfw.config.plan.rows import apply_options, load_rows, standardise_inputs
from lossfw.config.plan.unused_keys import unused_keys
from lossfw.config.schema.check_config import build_components
from lossfw.config.schema.checked import CheckedConfig, read_config, require
from lossfw.config.text.source import ConfigSource
from lossfw.data import Dataset, Source
from lossfw.data.options import DataOptions
from lossfw.data.selected_rows import Selection, select_rows
from lossfw.evaluation.plan import Plan

# Rows that were read already, by their source: the runs of a sweep share them.
# With them the filter, and the names of columns that were read beside the arrays.
Loaded: TypeAlias = MutableMapping[tuple[Source, str | None, tuple[str, ...]], Selection]


def plan_of_source(source: ConfigSource) -> Plan:
    """Return the plan that a configuration describes.

    Every part is checked against the others before any computation. If a part is wrong, the parts
    that do not depend on it are still checked.
    """
    return build_plan(read_config(source))


def build_plan(config: CheckedConfig, cache: Loaded | None = None) -> Plan:
    """Return the plan of a configuration, and store the rows that it reads in `cache`."""
    build_components(config)
    refuse_sweep(config)
    load_outputs(config)
    read_slices(config)
    read_units(config)
    _load_data(config, {} if cache is None else cache)
    # Nothing is known about a model that cannot be read.
    readable = config.predictor is not None or config.outputs is not None
    if config.data is not None and readable:
        check_against_training(config, config.data, config.data_spec, config.recorded)
        config.data = standardise_inputs(config, config.data)
    adapt_loss(config)
    read_report_options(config)
    read_baseline(config)
    config.problems.raise_if_any()
    plan = _make_plan(config)
    try_first_rows(config, plan)
    config.problems.raise_if_any()
    config.notes += unused_keys(config)
    return replace(plan, warnings=(*plan.warnings, *config.notes))


def build_data(source: ConfigSource, *, inputs: bool = False) -> Dataset:
    """Return the rows of a configuration; saved predictions read inputs only with `inputs`.

    Mistakes elsewhere are ignored, such as a loss from a plugin file that is not imported.
    """
    config = read_config(source)
    build_components(config)
    _load_data(config, {}, inputs=inputs)
    if config.data is None:
        config.problems.raise_if_any()
    return require(config.data)


def _make_plan(config: CheckedConfig) -> Plan:
    evaluate = require(config.sections).evaluate
    return Plan(
        data=require(config.data),
        loss=require(config.used_loss),
        model=config.predictor,
        outputs=config.outputs,
        outputs_form=require(config.loss_form),
        output_activation=require(config.origin).output_activation
        if config.outputs is not None
        else None,
        metrics=tuple(map(require, config.metrics)),
        batch_size=evaluate.batch_size,
        sample=config.sample,
        rows=evaluate.save_rows,
        allow_nan=evaluate.allow_nan,
        intervals=config.intervals,
        slices=config.slices,
        columns=row_columns(config),
        watched=tuple(evaluate.columns),
        baseline=config.baseline,
        digest=plan_digest(config),
        warnings=require(config.data).notes,
    )


def refuse_sweep(config: CheckedConfig) -> None:
    """Record a sweep as a mistake if a single run is expected."""
    if config.has_value("sweep"):
        config.add(
            ["sweep"],
            "a sweep describes several runs, but this command takes one",
            "lossfw run carries them out one by one (in Python lossfw.run_all or "
            "lossfw.train_all); for a single run remove the sweep: -o sweep-",
            key=True,
        )


def _load_data(config: CheckedConfig, cache: Loaded, *, inputs: bool = False) -> None:
    spec, kept = config.data_spec, tuple(sorted(row_columns(config)))
    if spec.source is None:
        return
    columns = tuple(sorted({*kept, *spec.options.extra_columns}))
    if config.origin is not None and config.origin.is_saved and not inputs:
        spec = replace(spec, source=spec.source.without_inputs())
    key = require(spec.source), spec.options.where, columns
    if key not in cache:
        found = load_rows(config, spec, kept)
        if found is None and columns and spec.options.group_key is None:
            # Without the columns that slices name: one is not there, which has been reported.
            found = load_rows(config, replace(spec, options=DataOptions()))
        if found is None:
            return
        cache[key] = found
    config.data = apply_options(config, cache[key], spec, kept)
    config.total_rows = cache[key].total
    if config.data is not None and cache[key].numbers is not None:
        _select_outputs(config, config.data, cache[key])


def _select_outputs(config: CheckedConfig, data: Dataset, selection: Selection) -> None:
    """Take the saved outputs of the rows that are left, and see that classes keep their numbers."""
    if config.outputs is not None and config.outputs.shape[:1] == (selection.total,):
        config.outputs = select_rows(config.outputs, require(selection.numbers))
    lost = [label for label in selection.classes if label not in data.classes]
    by_label = config.recorded.classes or isinstance(config.data_spec.options.classes, tuple)
    if lost and not by_label and config.data_spec.options.map_targets is None:
        config.add(
            ["data", "where"],
            f"none of the selected rows has the label {', '.join(lost)}, but classes are numbered "
            "by the labels that occur",
            f"list all labels: data.classes: [{', '.join(selection.classes)}]",
        )

"""From a configuration to a training: compatible objects, before any computation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lossfw.config.plan.adapt import adapt_loss
from lossfw.config.plan.baseline import read_baseline
from lossfw.config.plan.compatibility import check_against_training
from lossfw.config.plan.digest import digest_of, training_identity
from lossfw.config.plan.evaluation import refuse_sweep
from lossfw.config.plan.folds import group_columns, hold_out, refuse_folds
from lossfw.config.plan.learner import origin_of_training, refuse_loss
from lossfw.config.plan.report_options import baseline_column
from lossfw.config.plan.rows import apply_options, load_rows, require_inputs, standardise_inputs
from lossfw.config.plan.unused_keys import unused_keys
from lossfw.config.schema import suggestions
from lossfw.config.schema.check_config import build_components
from lossfw.config.schema.checked import CheckedConfig, require
from lossfw.config.schema.sections import TrainSection
from lossfw.data import Dataset
from lossfw.data.data_record import DataRecord
from lossfw.data.options import FOUND
from lossfw.data.selected_rows import Selection
from lossfw.data.standardisation import Standardisation
from lossfw.errors import ShapeError
from lossfw.models import Model
from lossfw.models.training.dense import DenseLearner
from lossfw.models.training.records import Training
from lossfw.nn.dense import Network
from lossfw.nn.initializers import INITIALIZERS, FileInitializer
from lossfw.nn.schedules import SCHEDULES
from lossfw.nn.seeding import Purpose, generator
from lossfw.nn.training.advice import obstacles

# The type of a trained network unless the configuration names another: half the
# memory of float64 and twice its speed, with digits to spare for a gradient.
DEFAULT_DTYPE = "float32"

# Inputs of a file with fewer bytes are read once, also for a model that reads them in batches:
# it does so several times in each leg, and a megabyte of text takes some 20 ms.
_READ_ONCE_BYTES = 256 * 2**20


def training_of(config: CheckedConfig) -> Training:
    """Return the training of a configuration."""
    build_components(config, training=True)
    _refuse_sample(config)
    refuse_sweep(config)
    refuse_folds(config)
    config.problems.raise_if_mistakes()
    section = require(require(config.sections).train)
    if config.problems:
        # Only the rows can be looked at without the plugin files that are not imported.
        _load_rows(config, section)
        raise config.problems.error()
    config.schedule = config.schedule or SCHEDULES[section.schedule.name]()
    if config.model is not None:
        refuse_loss(config, config.model)
        config.problems.raise_if_any()
    _load_rows(config, section)
    if not section.allow_untrainable:
        _refuse_untrainable(config, require(config.data))
    learner = _make_learner(config, section)
    adapt_loss(config)
    read_baseline(config, training=True)
    if config.held_out is not None and not config.problems:
        _check_held_out(config, config.held_out)
    config.problems.raise_if_any()
    if learner.training_mode == "epochs":
        _note_batches(config, section.batch_size)
    config.notes += unused_keys(config, training=True)
    if isinstance(learner, Model) and learner.own_objective:
        config.notes.append(
            f"{learner.name} trains with its own objective; {require(config.loss).name} is only "
            "measured"
        )
    return _make_training(config, section, learner)


def _make_learner(config: CheckedConfig, section: TrainSection) -> Model | DenseLearner:
    """Return what learns, and fill `origin`, or for layers `predictor`."""
    if config.model is not None:
        config.origin = origin_of_training(config, config.model)
        config.problems.raise_if_any()
        return config.model
    config.predictor = network = _initial_network(config, section, require(config.data))
    seed, schedule = require(config.sections).seed, require(config.schedule)
    return DenseLearner(network, require(config.optimizer), seed, schedule)


def _refuse_sample(config: CheckedConfig) -> None:
    if config.sections is not None and config.sections.evaluate.sample is not None:
        config.add(
            ["evaluate", "sample"],
            "evaluate.sample selects rows of an evaluation, but a training uses all rows",
            "leave it out; to hold out rows, use train.hold_out",
            key=True,
        )


def _load_rows(config: CheckedConfig, section: TrainSection) -> None:
    """Fill the rows to learn from and those that are held out."""
    spec, kept = config.data_spec, group_columns(config)
    kept += baseline_column(config)
    rows, data = load_rows(config, spec, kept), None
    if isinstance(config.initializer, FileInitializer):
        with config.errors_at(["train", "initializer"]):
            config.recorded = DataRecord.read(config.initializer.file)
    if rows is not None:
        data = apply_options(config, rows, spec, kept, train=True)
    held_out = None
    if config.held_out_spec.source is not None:
        kept_back = load_rows(config, config.held_out_spec, baseline_column(config))
        if data is not None and kept_back is not None:
            held_out = _renumber_held_out_labels(config, kept_back, data)
    if data is not None:
        check_against_training(config, data, spec, config.recorded)
        if held_out is not None:
            check_against_training(
                config, held_out, config.held_out_spec, _data_record(config, data)
            )
    config.problems.raise_if_any()
    config.data, config.held_out = _rows_in_memory(config, require(data)), held_out
    if held_out is None and section.hold_out is not None:
        hold_out(config, config.data, section.hold_out)
        config.data = _rows_in_memory(config, config.data)
    if config.held_out is not None:
        config.held_out = _rows_in_memory(config, config.held_out)
    weight = config.data.sample_weight
    if weight is not None and not np.any(weight):
        hint = "give weights above 0, or leave the column of weights out"
        config.add(["data"], "every training row has weight 0", hint)
    _standardise_both(config, config.data)


def _rows_in_memory(config: CheckedConfig, data: Dataset) -> Dataset:
    """Return rows in memory, but for many inputs of a model that reads them in batches."""
    inputs, model = data.inputs, config.model
    size = 0 if inputs is None else inputs.size * inputs.dtype.itemsize
    stays = model is not None and model.reads_in_batches and size > _READ_ONCE_BYTES
    return data.in_memory(inputs=not stays)


def _standardise_both(config: CheckedConfig, data: Dataset) -> None:
    """Standardise the inputs by the rows to learn from, and by the same numbers those held out."""
    if config.data_spec.options.standardize and config.recorded.standardisation is None:
        found = Standardisation.of(require_inputs(data))
        config.recorded = replace(config.recorded, standardisation=found)
    config.data = standardise_inputs(config, data)
    if config.held_out is not None and config.recorded.standardisation is not None:
        with config.errors_at(config.held_out_spec.path):
            config.held_out = config.recorded.standardisation.apply(config.held_out)


def _renumber_held_out_labels(
    config: CheckedConfig, held_out: Selection, data: Dataset
) -> Dataset | None:
    """Return the rows that are held out, their labels numbered like those of the data."""
    spec = config.held_out_spec
    if held_out.data.classes and data.classes and spec.options.classes in (None, FOUND):
        options = spec.options.model_copy(update={"classes": data.classes})
        spec = replace(spec, options=options)
    return apply_options(config, held_out, spec, baseline_column(config))


def _refuse_untrainable(config: CheckedConfig, data: Dataset) -> None:
    """Refuse a loss, an activation or data that cannot be trained on, and suggest others."""
    loss, registry = require(config.loss), require(config.registry)
    activations = tuple(map(require, config.activations))
    for part, index, reason in obstacles(loss, activations, data):
        if part == "loss" and config.model is not None:
            # The model itself says which losses it refuses.
            continue
        path: list[str | int] = [part]
        names, hint = "", "train.allow_untrainable: true trains anyway"
        if part == "loss":
            names = suggestions.losses_like(loss, registry)
        elif part == "activation":
            path = ["network", "layers", index, "activation"]
            names = suggestions.activations_like(activations[index], registry)
        if names:
            hint = f"choose {names} instead; {hint}, although no weight changes"
        config.add(path, reason, hint)


def _initial_network(config: CheckedConfig, section: TrainSection, data: Dataset) -> Network:
    """Return the network to start from."""
    initializer = config.initializer or INITIALIZERS[section.initializer.name]()
    with config.errors_at(["data"]):
        inputs = require_inputs(data)
        # The check of the network refuses images that are not rows yet.
        width = int(np.prod(inputs.shape[1:]))
        random = generator(require(config.sections).seed, Purpose.WEIGHTS)
        dtype = require(config.network_section).dtype or DEFAULT_DTYPE
        with config.errors_at(["train", "initializer"]):
            return initializer.network(config.layers or [], width, dtype, random)
    raise config.problems.error()


def _check_held_out(config: CheckedConfig, held_out: Dataset) -> None:
    """Check the rows that are held out against the model and the loss, targets to the last."""
    loss, units = require(config.used_loss), require(require(config.origin).units)
    classes = loss.takes_classes
    by_index = classes and held_out.targets.ndim == 1
    with config.errors_at(config.held_out_spec.path):
        shape = require_inputs(held_out).shape
        trained = require_inputs(require(config.data)).shape
        if config.predictor is not None:
            config.predictor.check_inputs(shape)
        elif trained[1:] != shape[1:]:
            told = ", ".join(map(str, ("N", *trained[1:])))
            raise ShapeError(f"inputs have shape {shape}; the rows to learn from have ({told}).")
        # There are no predictions yet.
        targets = np.asarray(held_out.targets)
        loss.check_domain(np.empty((0, units)), targets, by_index, 0)


def _note_batches(config: CheckedConfig, batch_size: int) -> None:
    """Note that batches of a loss of all rows are smaller than the data."""
    loss, data = config.loss, config.data
    if loss is None or data is None or not loss.takes_groups or data.groups is not None:
        return
    if batch_size < len(data):
        config.notes.append(
            f"without data.group_key the {len(data)} rows form one group for the loss {loss.name}, "
            f"but each step takes a batch of {batch_size} as a group, which gives a different "
            f"loss: write train.batch_size: {len(data)}, or name the groups by data.group_key"
        )


def _make_training(
    config: CheckedConfig, section: TrainSection, learner: Model | DenseLearner
) -> Training:
    identity = training_identity(config, section, learner)
    total, origin = section.rounds or section.epochs or 1, require(config.origin)
    counted = {f"{learner.training_mode}": total} if learner.training_mode != "once" else {}
    return Training(
        data=require(config.data),
        model=learner,
        loss=require(config.used_loss),
        form=require(config.loss_form),
        total=total,
        configured=require(config.loss),
        output_activation=origin.output_activation if isinstance(learner, Model) else None,
        units=require(origin.units),
        batch_size=section.batch_size,
        seed=require(config.sections).seed,
        measure_every=section.measure_every or 1,
        schedule=require(config.schedule),
        held_out=config.held_out,
        held_out_rows=config.held_out_rows,
        held_out_filter=config.held_out_filter,
        record=_data_record(config, require(config.data)),
        patience=None if section.hold_out is None else section.hold_out.patience,
        metrics=tuple(map(require, config.metrics)),
        baseline=require(config.sections).evaluate.baseline,
        identity=identity,
        digest=digest_of({**identity, **counted}),
    )


def _data_record(config: CheckedConfig, data: Dataset) -> DataRecord:
    """Return what later data have to agree with."""
    return DataRecord(
        classes=data.classes,
        columns=data.input_names,
        divisor=config.data_spec.divisor,
        categories=config.recorded.categories,
        standardisation=config.recorded.standardisation,
    )

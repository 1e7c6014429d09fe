"""From a configuration to a training: objects that fit each other, nothing computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np

from lossfw.components.component import Component
from lossfw.components.plugin_choice import Plugins
from lossfw.components.registry import Registry
from lossfw.components.spaces import CLASS_INDEX, SIMPLEX
from lossfw.config.build.digest import digest, versions, without_files
from lossfw.config.build.evaluation import refuse_sweep
from lossfw.config.build.fusion import Fitted, at
from lossfw.config.build.parts import Config, assemble, fit, inputs_of, load
from lossfw.config.schema import suggestions
from lossfw.config.schema.checked import Parts, check, read
from lossfw.config.schema.rules import RULES
from lossfw.config.schema.sections import SCHEMA_VERSION, TrainSection
from lossfw.config.text.tree import Node, Problems
from lossfw.data import Dataset, Source
from lossfw.data.files import digest_arrays
from lossfw.data.source import file_fields
from lossfw.nn.dense import Network
from lossfw.nn.initializers import Initial
from lossfw.nn.optimizer import Optimizer
from lossfw.nn.schedules import Schedule
from lossfw.nn.seeding import Purpose, generator, split
from lossfw.nn.training.records import Training
from lossfw.nn.training.trainability import obstacles

# What a network is trained in unless the configuration says otherwise: half the
# memory of float64 and twice its speed, with digits to spare for a gradient.
DEFAULT_DTYPE = "float32"

_HELD_OUT = ["train", "hold_out", "data"]

_Part = TypeVar("_Part", bound=Component)


def build_training(
    name: str, overrides: Sequence[str] = (), plugins: Plugins | None = None
) -> Training:
    """Return the training that a configuration describes.

    Parameters
    ----------
    name : str
        The configuration file.
    overrides : sequence of str
        ``KEY=VALUE`` each, put in before anything is checked.
    plugins : Plugins, optional
        Which plugins may be used; all that are installed unless given.

    Raises
    ------
    ConfigError
        All mistakes of the file and the overrides, each with its place. A loss
        or an activation from which nothing can be learnt is one, unless the
        configuration says ``train: {force: true}``.
    """
    problems = Problems()
    root = read(name, overrides, problems)
    return build_training_tree(root, plugins or Plugins(), problems)


def build_training_tree(root: Node, plugins: Plugins, problems: Problems) -> Training:
    """Return the training of a configuration that has been read; see `build_training`."""
    parts = check(
        root,
        plugins,
        problems,
        file_fields=file_fields,
        training=True,
    )
    _refuse_sample(parts, problems)
    refuse_sweep(root, problems)
    problems.raise_if_any()
    learner = _learner(parts)
    data, held_out = _rows(learner, problems)
    _refuse_obstacles(learner, data, problems)
    network = _network(learner, data, problems)
    fitted = _fit(learner, network, data, held_out, problems)
    problems.raise_if_any()
    return _training(learner, data, held_out, network, fitted)


@dataclass(frozen=True)
class _Learner:
    """What a configuration says of learning, each part for itself right."""

    config: Config
    registry: Registry
    section: TrainSection
    optimizer: Optimizer
    schedule: Schedule
    initial: Initial
    held_out: Source | None


def _learner(parts: Parts) -> _Learner:
    config = assemble(parts)
    section = config.skeleton.train
    assert section is not None  # the skeleton's check saw to it
    assert parts.registry is not None
    return _Learner(
        config,
        parts.registry,
        section,
        cast(Optimizer, parts.optimizer),
        cast(Schedule, _rule(parts, "schedule", section.schedule.name)),
        cast(Initial, _rule(parts, "initial", section.initial.name)),
        cast("Source | None", parts.held_out),
    )


def _rule(parts: Parts, key: str, default: str) -> Component:
    """Return what the configuration names, or else what the skeleton does."""
    return parts.rules[key] or RULES[key][default]()


def _refuse_sample(parts: Parts, problems: Problems) -> None:
    if parts.skeleton is not None and parts.skeleton.evaluate.sample is not None:
        problems.add(
            parts.root.locate(["evaluate", "sample"], key=True),
            "evaluate.sample draws the rows of an evaluation, and a training takes all rows",
            "leave it out; train.hold_out keeps rows back",
        )


def _rows(learner: _Learner, problems: Problems) -> tuple[Dataset, Dataset | None]:
    """Return the rows to learn from and those that are held out."""
    config, hold_out = learner.config, learner.section.hold_out
    data = load(config.source, ["data"], config.root, problems)
    held_out = None
    if learner.held_out is not None:
        held_out = load(learner.held_out, _HELD_OUT, config.root, problems)
    problems.raise_if_any()
    assert data is not None
    data = data.in_memory()
    if held_out is not None:
        return data, held_out.in_memory()
    if hold_out is None:
        return data, None
    assert hold_out.share is not None
    if len(data) < 2:
        place = config.root.locate(["train", "hold_out", "share"])
        problems.add(place, "the data have 1 row, and none can be held out of it")
        raise problems.error()
    learnt, held = split(len(data), hold_out.share, config.skeleton.seed)
    return data.take(learnt), data.take(held)


def _refuse_obstacles(learner: _Learner, data: Dataset, problems: Problems) -> None:
    """Refuse what cannot be learnt, with the reason and what could be."""
    config = learner.config
    if learner.section.force:
        return
    for part, index, reason in obstacles(config.loss, config.activations, data):
        path: list[str | int] = [part]
        names, hint = "", "train.force: true would train all the same"
        if part == "loss":
            names = suggestions.for_loss(config.loss, learner.registry)
        elif part == "activation":
            path = ["network", "layers", index, "activation"]
            names = suggestions.for_activation(config.activations[index], learner.registry)
        if names:
            hint = f"take {names} in its place; {hint}, and show that nothing moves"
        problems.add(config.root.locate(path), reason, hint)


def _network(learner: _Learner, data: Dataset, problems: Problems) -> Network:
    """Return the network to start from."""
    config = learner.config
    with at(config.root, ["data"], problems):
        inputs = inputs_of(data)
        # Images that are not rows yet are told so when the network is checked.
        width = int(np.prod(inputs.shape[1:]))
        random = generator(config.skeleton.seed, Purpose.WEIGHTS)
        dtype = config.skeleton.network.dtype or DEFAULT_DTYPE
        with at(config.root, ["train", "initial"], problems):
            return learner.initial.network(config.layers, width, dtype, random)
    raise problems.error()


def _fit(
    learner: _Learner,
    network: Network,
    data: Dataset,
    held_out: Dataset | None,
    problems: Problems,
) -> Fitted:
    """Check both data sets against the network and the loss, targets to the last."""
    config = learner.config
    fitted = fit(config.sound, network, None, data, problems)
    assert fitted is not None  # nothing that it depends on is missing
    for rows, path in ((data, ["data"]), (held_out, _HELD_OUT)):
        if rows is None or problems:
            continue
        with at(config.root, path, problems):
            network.check_inputs(inputs_of(rows).shape)
            _check_targets(fitted, network.units, rows)
    return fitted


def _check_targets(fitted: Fitted, units: int, data: Dataset) -> None:
    loss = fitted.loss
    classes = loss.takes_rows and loss.target_space in (CLASS_INDEX, SIMPLEX)
    by_index = classes and data.targets.ndim == 1
    # Of predictions there are none yet.
    loss.check_domain(np.empty((0, units)), data.targets, by_index, 0)


def _training(
    learner: _Learner,
    data: Dataset,
    held_out: Dataset | None,
    network: Network,
    fitted: Fitted,
) -> Training:
    config, section = learner.config, learner.section
    identity = _identity(learner, data, held_out, network, fitted)
    return Training(
        data=data,
        network=network,
        loss=fitted.loss,
        form=fitted.form,
        optimizer=learner.optimizer,
        epochs=section.epochs,
        batch_size=section.batch_size,
        seed=config.skeleton.seed,
        schedule=learner.schedule,
        held_out=held_out,
        patience=None if section.hold_out is None else section.hold_out.patience,
        metrics=config.metrics,
        identity=identity,
        digest=digest({**identity, "epochs": section.epochs}),
    )


def _identity(
    learner: _Learner,
    data: Dataset,
    held_out: Dataset | None,
    network: Network,
    fitted: Fitted,
) -> Mapping[str, str]:
    """Return the digest of each part that decides the result, by its place in the file.

    The number of epochs is one only where the schedule depends on it: else a
    training may be resumed with more of them.
    """
    config, section = learner.config, learner.section
    hold_out: dict[str, Any] | None = None
    if section.hold_out is not None and held_out is not None:
        source = learner.held_out and without_files(learner.held_out, file_fields)
        plain = section.hold_out.model_dump(exclude={"data"})
        hold_out = {**plain, "data": source, "digest": held_out.digest}
    described: dict[str, Any] = {
        "lossfw": SCHEMA_VERSION,
        "seed": config.skeleton.seed,
        "plugins": versions(config.entries),
        "data": [without_files(config.source, file_fields), data.digest],
        "network": [[a.to_config() for a in config.activations], digest_arrays(*network.arrays)],
        "loss": [fitted.loss.to_config(), fitted.form],
        "evaluate.metrics": [metric.to_config() for metric in config.metrics],
        "train.optimizer": learner.optimizer.to_config(),
        "train.schedule": learner.schedule.to_config(),
        "train.batch_size": section.batch_size,
        "train.hold_out": hold_out,
    }
    if learner.schedule.needs_end:
        described["train.epochs"] = section.epochs
    return {key: digest({"": value}) for key, value in described.items()}

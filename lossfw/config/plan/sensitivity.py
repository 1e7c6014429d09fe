"""From a configuration to a sensitivity study, before any computation."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from lossfw.config.plan.digest import digest_of
from lossfw.config.plan.evaluation import build_plan
from lossfw.config.schema.checked import CheckedConfig, read_config, require
from lossfw.config.schema.sections import SensitivitySection
from lossfw.config.text.source import ConfigSource
from lossfw.errors import ArgumentError
from lossfw.nn.dense import Dense, Network
from lossfw.nn.sensitivity import GRADIENT, Study
from lossfw.numerics.arrays import NDArray

_NAME = re.compile(r"layers\.(\d{1,9})\.(weights|bias)\[(\d{1,9}(?:\s*,\s*\d{1,9})*)\]")


def build_study(source: ConfigSource) -> Study:
    """Return the study that a configuration describes."""
    config = read_config(source)
    plan = build_plan(config)
    section = require(config.sections).sensitivity or SensitivitySection()
    network, place, offsets = resolve_study(config, section)
    data = plan.data if plan.sample is None else plan.data.take(plan.sample)
    hidden, last = network.layers[:-1], network.layers[-1]
    own = ", ".join(dict.fromkeys(layer.activation.name for layer in hidden))
    networks = {own or last.activation.name: network}
    for activation in map(require, config.study_activations) if hidden else ():
        changed = (Dense(layer.weight, layer.bias, activation) for layer in hidden)
        networks[activation.name] = Network((*changed, last))
    plan = replace(plan, data=data.in_memory(), sample=None)
    of_all = digest_of({"plan": plan.digest, "study": section.model_dump()})
    return Study(plan, networks, section.parameter or GRADIENT, place, offsets, of_all)


def resolve_study(
    config: CheckedConfig, section: SensitivitySection
) -> tuple[Network, tuple[int, ...], NDArray]:
    """Return the network, the parameter that varies, and its range, without computing."""
    (low, high), offsets = section.range, np.zeros(1)
    place: tuple[int, ...] = ()
    if low < high and low <= 0 <= high and np.isfinite([low, high]).all():
        offsets = np.linspace(low, high, section.points)
        offsets[np.abs(offsets).argmin()] = 0.0  # the network itself is always a point
    else:
        what = f"sensitivity.range should be two finite numbers around 0, got {low:g} and {high:g}"
        hint = "the range has two offsets from the value of the parameter, such as -1:1"
        config.add(["sensitivity", "range"], what, hint)
    if not isinstance(config.predictor, Network):
        key, what = "network", "the network has saved outputs, but no weights"
        if config.model is not None:
            key, what = "model", f"the model {config.model.name} has no weights of dense layers"
        hint = "give a network with layers and weights"
        config.add([key], f"{what}, so there is no parameter to vary", hint, key=True)
        raise config.problems.error()
    network = config.predictor
    network = network.with_arrays([array.astype(np.float64) for array in network.arrays])
    if section.parameter is None:
        hint = "name one: --parameter 'layers.0.weights[0,0]'; or --parameter gradient for all"
        config.add(["sensitivity"], "sensitivity.parameter is missing", hint, key=True)
    elif section.parameter != GRADIENT:
        with config.errors_at(["sensitivity", "parameter"]):
            place = find_parameter(section.parameter, network)
    config.problems.raise_if_any()
    return network, place, offsets


def find_parameter(name: str, network: Network) -> tuple[int, ...]:
    """Return the array number and the index of a network's parameter, by its name."""
    if match := _NAME.fullmatch(name):
        number = 2 * int(match[1]) + (match[2] == "bias")
        place = tuple(int(text) for text in match[3].split(","))
        shape = network.arrays[number].shape if number < len(network.arrays) else ()
        if len(place) == len(shape) and all(i < n for i, n in zip(place, shape, strict=True)):
            return number, *place
    layers = enumerate(network.layers)
    shapes = (
        f"layers.{i}.weights {x.weight.shape}, layers.{i}.bias {x.bias.shape}" for i, x in layers
    )
    raise ArgumentError(
        f"there is no parameter {name!r}: a name is layers.0.weights[1,2] or layers.0.bias[1], "
        f"counted from 0. The network has {'; '.join(shapes)}."
    )

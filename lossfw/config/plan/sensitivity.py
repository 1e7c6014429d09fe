"""From a configuration to a study of sensitivity: objects that fit, nothing computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lossfw.config.plan.digest import digest
from lossfw.config.plan.evaluation import build_plan
from lossfw.config.schema.checked import CheckedConfig, known, read_config
from lossfw.config.schema.sections import SensitivitySection
from lossfw.config.text.source import ConfigSource
from lossfw.evaluation.plan import Plan
from lossfw.evaluation.predictor import one_blas_thread
from lossfw.nn.activation import Activation
from lossfw.nn.backprop import loss_and_gradients
from lossfw.nn.dense import Dense, Network
from lossfw.nn.sensitivity.directions import (
    Direction,
    Parameter,
    along,
    along_parameter,
    drawn,
    find_parameter,
)
from lossfw.nn.sensitivity.path import in_float64
from lossfw.nn.sensitivity.study import Study
from lossfw.numerics.arrays import NDArray


def build_study(source: ConfigSource) -> Study:
    """Return the study that a configuration describes."""
    config = read_config(source)
    plan = build_plan(config)
    sections = known(config.sections)
    section = sections.sensitivity or SensitivitySection()
    network, parameter, offsets = check_study(config, section)
    if plan.sample is not None:
        plan = replace(plan, data=plan.data.take(plan.sample), sample=None)
    plan = replace(plan, data=plan.data.in_memory())
    return Study(
        data=plan.data,
        network=network,
        loss=plan.loss,
        form=plan.outputs_form,
        metrics=plan.metrics,
        directions=_directions(section, network, plan, parameter, sections.seed),
        offsets=offsets,
        variants=_variants(network, tuple(map(known, config.instead))),
        parameter=parameter,
        sample=section.sample,
        seed=sections.seed,
        digest=digest({"plan": plan.digest, "seed": sections.seed, "study": section.model_dump()}),
    )


def check_study(
    config: CheckedConfig, section: SensitivitySection
) -> tuple[Network, Parameter | None, NDArray]:
    """Return the network, the parameter that moves, and how far it goes; nothing is computed."""
    offsets = _offsets(config, section)
    network = _float64_network(config)
    parameter = _parameter(config, section, network)
    config.problems.raise_if_any()
    return network, parameter, offsets


def _offsets(config: CheckedConfig, section: SensitivitySection) -> NDArray:
    low, high = section.range
    place = ["sensitivity", "range"]
    if not (np.isfinite(low) and np.isfinite(high)):
        config.add(place, f"sensitivity.range should be two finite numbers, got {low}, {high}")
    elif not low < high:
        hint = "give the lower end first: how far from its value the parameter goes"
        config.add(place, f"sensitivity.range from {low:g} to {high:g} is empty", hint)
    elif not low <= 0 <= high:
        hint = "the range is how far the parameter goes from its value, which is 0 of the way"
        config.add(place, f"sensitivity.range from {low:g} to {high:g} leaves out 0", hint)
    else:
        offsets = np.linspace(low, high, section.points)
        # The value itself is always one of the points.
        if low < 0 < high:
            offsets[np.abs(offsets).argmin()] = 0.0
        return offsets
    return np.zeros(1)


def _float64_network(config: CheckedConfig) -> Network:
    if not isinstance(config.predictor, Network):
        key, what = "network", "the network has saved outputs and no weights"
        if config.model is not None:
            key, what = "model", f"the model {config.model.name} has no weights of dense layers"
        config.add(
            [key],
            f"{what}, so that no parameter can move",
            "give a network with layers and weights",
            key=True,
        )
        raise config.problems.error()
    return in_float64(config.predictor)


def _parameter(
    config: CheckedConfig, section: SensitivitySection, network: Network
) -> Parameter | None:
    if section.parameter is None:
        if not section.directions:
            config.add(
                ["sensitivity"],
                "sensitivity.parameter is missing",
                "name one: --parameter 'layers.0.weights[0,0]'; or give --directions",
                key=True,
            )
        return None
    with config.at(["sensitivity", "parameter"]):
        return find_parameter(section.parameter, network)
    return None


def _directions(
    section: SensitivitySection,
    network: Network,
    plan: Plan,
    parameter: Parameter | None,
    seed: int,
) -> tuple[Direction, ...]:
    """Return the parameter's direction; where more are wanted, the gradient's and drawn ones."""
    directions = [] if parameter is None else [along_parameter(parameter, network)]
    if section.directions:
        data = plan.data
        rows = np.asarray(data.inputs, np.float64)
        group = data.group_numbers if plan.loss.takes_groups else None
        with one_blas_thread(), np.errstate(all="ignore"):
            _, slopes = loss_and_gradients(
                network, plan.loss, plan.outputs_form, rows, data.targets, data.sample_weight, group
            )
        directions.append(along("gradient", slopes))
        directions += drawn(network, section.directions, seed)
    return tuple(directions)


def _variants(network: Network, instead: Sequence[Activation]) -> dict[str, Network]:
    """Return the network, and the same with other activations in its hidden layers."""
    hidden = network.layers[:-1]
    own = ", ".join(dict.fromkeys(layer.activation.name for layer in hidden))
    variants = {own or network.layers[-1].activation.name: network}
    for activation in instead if hidden else ():
        changed = tuple(Dense(layer.weight, layer.bias, activation) for layer in hidden)
        variants[str(activation.name)] = Network((*changed, network.layers[-1]))
    return variants

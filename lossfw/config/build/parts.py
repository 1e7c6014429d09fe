"""The parts of a configuration as objects whose types are known, fitted to each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from lossfw.components.component import Component
from lossfw.components.registry import Entry, Registry
from lossfw.config.build.compatibility import (
    check_predictions,
    check_targets,
    class_advice,
    refuse_classes,
)
from lossfw.config.build.fusion import (
    Fitted,
    at,
    check_metrics,
    check_shapes,
    fit_to_network,
    fit_to_outputs,
    leaves_logits,
)
from lossfw.config.schema.check_sections import network_section
from lossfw.config.schema.checked import Parts
from lossfw.config.schema.sections import NetworkForm, NetworkSection, Skeleton
from lossfw.config.text.tree import Node, Problems
from lossfw.data import Dataset, Source
from lossfw.errors import DataError
from lossfw.losses.loss import Loss
from lossfw.metrics import LossMetric, Metric
from lossfw.nn.activation import Activation
from lossfw.nn.dense import LayerSpec, Network
from lossfw.numerics.arrays import NDArray


@dataclass(frozen=True)
class Sound:
    """The parts that are right for themselves; None where one is not.

    Attributes
    ----------
    root : Node
        The configuration.
    network : NetworkSection or None
        What it says of the network.
    loss, source : component or None
        The loss and the source of the data.
    activations, metrics : tuple of component or None
        In order.
    registry : Registry or None
        Knows the components.
    """

    root: Node
    network: NetworkSection | None
    loss: Loss | None
    source: Source | None
    activations: tuple[Activation | None, ...]
    metrics: tuple[Metric | None, ...]
    registry: Registry | None

    @property
    def form(self) -> NetworkForm | None:
        """Which of its forms the network has."""
        return None if self.network is None else self.network.form

    @property
    def layers(self) -> list[LayerSpec] | None:
        """The layers of the network; None where one is wrong or there is none."""
        known = [activation for activation in self.activations if activation is not None]
        if self.network is None or self.network.layers is None:
            return None
        if len(known) < len(self.network.layers):
            return None
        layers = zip(self.network.layers, known, strict=True)
        return [LayerSpec(layer.units, activation) for layer, activation in layers]


@dataclass(frozen=True)
class Config:
    """A configuration in which each part for itself is right."""

    sound: Sound
    skeleton: Skeleton
    source: Source
    loss: Loss
    activations: tuple[Activation, ...]
    metrics: tuple[Metric, ...]
    entries: tuple[Entry, ...]

    @property
    def root(self) -> Node:
        """The configuration."""
        return self.sound.root

    @property
    def layers(self) -> list[LayerSpec]:
        """The layers of the network; empty where there is none."""
        return self.sound.layers or []


def sound(parts: Parts) -> Sound:
    """Return the parts that are right; the registry keeps to the kinds."""
    return Sound(
        parts.root,
        network_section(parts.root) if parts.skeleton is None else parts.skeleton.network,
        cast("Loss | None", parts.loss),
        cast("Source | None", parts.source),
        cast("tuple[Activation | None, ...]", parts.activations),
        tuple(_metric(component) for component in parts.metrics),
        parts.registry,
    )


def assemble(parts: Parts) -> Config:
    """Return the parts, none of which is missing."""
    right = sound(parts)
    assert parts.skeleton is not None
    return Config(
        right,
        parts.skeleton,
        cast(Source, right.source),
        cast(Loss, right.loss),
        cast("tuple[Activation, ...]", right.activations),
        cast("tuple[Metric, ...]", right.metrics),
        parts.entries,
    )


def _metric(component: Component | None) -> Metric | None:
    """Return a metric; a loss becomes one that is reported under its name."""
    if isinstance(component, Loss):
        return LossMetric(of=component)
    return cast("Metric | None", component)


def load(
    source: Source, path: Sequence[str | int], root: Node, problems: Problems
) -> Dataset | None:
    """Return the rows of a source, which stands at `path`; None if they cannot be read."""
    with at(root, path, problems):
        return source.load()
    return None


def fit(
    right: Sound,
    network: Network | None,
    outputs: tuple[int, ...] | None,
    data: Dataset | None,
    problems: Problems,
) -> Fitted | None:
    """Check the parts against each other as far as they are known, and choose the loss's form.

    Parameters
    ----------
    right : Sound
        The parts.
    network : Network or None
        What makes predictions; None where they are saved, or it is wrong.
    outputs : tuple of int or None
        The shape of saved outputs.
    data : Dataset or None
        The rows.
    problems : Problems
        Receives what does not fit.

    Returns
    -------
    Fitted or None
        None where the loss or the network is not known.
    """
    root, loss, form = right.root, right.loss, right.form
    if network is not None and data is not None:
        with at(root, ["data"], problems):
            network.check_inputs(inputs_of(data).shape)
    if loss is None or form is None:
        return None
    last = right.activations[-1] if right.activations and form == "layers" else None
    if form != "layers":
        fitted = fit_to_outputs(loss, form, root, problems)
        refused = check_metrics(right.metrics, fitted.form, root, problems)
    elif last is not None:
        fitted = fit_to_network(loss, last, root, problems)
        refused = frozenset()
        # Nothing is said of metrics where it is not known what they would see.
        if loss.input_form == "prediction" or leaves_logits(last):
            # They see what it gives, also where the loss was fused with it.
            refused = check_metrics(right.metrics, loss.input_form, root, problems)
            refused |= _check_spaces(right, fitted, last, problems)
    else:
        return None
    if data is not None:
        shape = outputs if form != "layers" else _shape(right, data)
        if shape is not None:
            _check_rows(right, fitted, shape, data, refused, problems)
    return fitted


def _shape(right: Sound, data: Dataset) -> tuple[int, ...] | None:
    """Return the shape of what the layers give for the data."""
    layers = right.network and right.network.layers
    return (len(data), layers[-1].units) if layers else None


def _check_spaces(
    right: Sound, fitted: Fitted, last: Activation, problems: Problems
) -> frozenset[int]:
    """Check what the last activation gives; return the indices of metrics that were refused."""
    place: list[str | int] = ["network", "layers", len(right.activations) - 1, "activation"]
    if fitted.form == "prediction":
        check_predictions(fitted.loss, last, right.registry, right.root, place, problems)
    refused = set()
    for index, metric in enumerate(right.metrics):
        if metric is not None and metric.accepts == "prediction":
            path: list[str | int] = ["evaluate", "metrics", index]
            if not check_predictions(metric, last, right.registry, right.root, path, problems):
                refused.add(index)
    return frozenset(refused)


def _check_rows(
    right: Sound,
    fitted: Fitted,
    shape: tuple[int, ...],
    data: Dataset,
    refused: frozenset[int],
    problems: Problems,
) -> None:
    """Check shapes and targets, for the loss and for the metrics."""
    root, registry = right.root, right.registry
    units: list[str | int] | None = None
    place: list[str | int] = ["network", right.form or ""]
    if right.form == "layers":
        place = units = ["network", "layers", len(right.activations) - 1, "units"]
    if not refuse_classes(fitted.loss, data, registry, root, ["loss"], problems):
        hint = _columns(shape, data.targets, units) or class_advice(fitted.loss, data, registry)
        with at(root, place, problems, hint):
            check_shapes(fitted.loss, shape, data.targets)
            check_targets(fitted.loss, shape, data, root, units, problems)
    for index, metric in enumerate(right.metrics):
        path: list[str | int] = ["evaluate", "metrics", index]
        if index in refused:
            continue
        if isinstance(metric, LossMetric):
            if not refuse_classes(metric.of, data, registry, root, path, problems):
                with at(root, path, problems, class_advice(metric.of, data, registry)):
                    check_shapes(metric.of, shape, data.targets)
        elif metric is not None:
            with at(root, path, problems):
                metric.check_shapes(shape, data.targets)


def _columns(shape: tuple[int, ...], targets: NDArray, units: object) -> str:
    """Return what to do where rows of targets have another width than the last layer."""
    if units is None or targets.ndim != len(shape) or targets.shape[-1] == shape[-1]:
        return ""
    return f"write units: {targets.shape[-1]}, as wide as the targets"


def inputs_of(data: Dataset) -> NDArray:
    """Return the inputs, which a network needs.

    Raises
    ------
    DataError
        If there are none.
    """
    if data.inputs is None:
        raise DataError(
            f"the data {data.name!r} have no inputs, and a network needs them: give them, or "
            "give predictions in place of the network"
        )
    return data.inputs

"""The parts of a configuration as objects whose types are known, fitted to each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np

from lossfw.activation import Activation
from lossfw.component import Component
from lossfw.config.check import Parts
from lossfw.config.fit import (
    Fitted,
    at,
    check_metrics,
    check_shapes,
    fit_to_network,
    fit_to_outputs,
)
from lossfw.config.schema import Skeleton
from lossfw.config.tree import Node, Problems
from lossfw.data import Dataset, Source
from lossfw.errors import DataError
from lossfw.loss import Loss
from lossfw.metrics import LossMetric, Metric
from lossfw.network import LayerSpec, Network
from lossfw.registry import Entry

NDArray = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Config:
    """A configuration in which each part for itself is right."""

    root: Node
    skeleton: Skeleton
    source: Source
    loss: Loss
    activations: tuple[Activation, ...]
    metrics: tuple[Metric, ...]
    entries: tuple[Entry, ...]

    @property
    def layers(self) -> list[LayerSpec]:
        """The layers of the network; empty where there is none."""
        layers = zip(self.skeleton.network.layers or (), self.activations, strict=True)
        return [LayerSpec(layer.units, activation) for layer, activation in layers]

    @property
    def form(self) -> Literal["layers", "predictions", "logits"]:
        """Which of its three forms the network has."""
        if self.skeleton.network.layers is not None:
            return "layers"
        return "predictions" if self.skeleton.network.predictions is not None else "logits"


def assemble(parts: Parts) -> Config:
    """Return the parts, none of which is missing; the registry keeps to the kinds."""
    assert parts.skeleton is not None
    return Config(
        parts.root,
        parts.skeleton,
        cast(Source, parts.source),
        cast(Loss, parts.loss),
        cast("tuple[Activation, ...]", parts.activations),
        tuple(_metric(component) for component in parts.metrics),
        parts.entries,
    )


def _metric(component: Component) -> Metric:
    """Return a metric; a loss becomes one that is reported under its name."""
    return LossMetric(of=component) if isinstance(component, Loss) else cast(Metric, component)


def load(source: Source, path: Sequence[str | int], root: Node, problems: Problems) -> Dataset:
    """Return the rows of a source, which stands at `path`."""
    with at(root, path, problems):
        return source.load()
    raise problems.error()


def fit(
    config: Config,
    network: Network | None,
    shape: tuple[int, ...],
    data: Dataset,
    problems: Problems,
) -> Fitted:
    """Check the parts against each other, and choose the form of the loss.

    Parameters
    ----------
    config : Config
        The parts.
    network : Network or None
        What makes predictions; None where they are saved.
    shape : tuple of int
        Of the predictions.
    data : Dataset
        The rows.
    problems : Problems
        Receives what does not fit.
    """
    root, form, loss = config.root, config.form, config.loss
    place: list[str | int] = ["network", form]
    if network is not None:
        fitted = fit_to_network(loss, config.activations[-1], root, problems)
        place = ["network", "layers", len(config.activations) - 1, "units"]
        with at(root, ["data"], problems):
            network.check_inputs(inputs_of(data).shape)
    else:
        fitted = fit_to_outputs(loss, form, root, problems)
    # Metrics see what the last activation gives, also where the loss was fused with it.
    shown = fitted.form if network is None else loss.input_form
    check_metrics(config.metrics, shown, root, problems)
    with at(root, place, problems):
        check_shapes(fitted.loss, shape, data.targets)
    for index, metric in enumerate(config.metrics):
        if isinstance(metric, LossMetric):
            with at(root, ["evaluate", "metrics", index], problems):
                check_shapes(metric.of, shape, data.targets)
    return fitted


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

"""Count the parameters of each layer whose derivative is exactly 0."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossfw.data import Dataset
from lossfw.losses.base import Form
from lossfw.losses.loss import Loss
from lossfw.metrics import Metric, RowMetric
from lossfw.nn.backprop import loss_and_gradients
from lossfw.nn.dense import Network
from lossfw.nn.sensitivity.directions import Parameter, along_parameter
from lossfw.nn.sensitivity.path import ParameterLine, start_at
from lossfw.numerics.arrays import NDArray

# The move of a parameter that tests whether a metric changes: much less than a step of a
# training, and a million times the rounding error of a logit.
NUDGE = 1e-9


@dataclass(frozen=True)
class ZeroDerivatives:
    """Numbers of derivatives that are exactly 0."""

    # Number of parameters of each layer.
    parameters: tuple[int, ...]
    # Number of them whose derivative of the loss is exactly 0.
    loss: tuple[int, ...]
    # Number of those whose input is 0 in every row: an input of the network that is
    # always 0, or a dead unit before it.
    unseen: tuple[int, ...]
    # Number of parameters of each layer that were moved, for the metrics.
    moved: tuple[int, ...]
    # Number of moved parameters for which no row changed: there the metric is constant,
    # and its derivative is 0.
    metrics: Mapping[str, tuple[int, ...]]
    # Whether the derivative is 0 for every parameter of the network: no row changes if
    # its logits change by `NUDGE` in the worst directions, and logits are continuous in
    # the parameters.
    steady: Mapping[str, bool]

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, texts and lists."""
        return {
            "parameters": list(self.parameters),
            "loss": list(self.loss),
            "unseen": list(self.unseen),
            "moved": list(self.moved),
            "metrics": {name: list(counts) for name, counts in self.metrics.items()},
            "steady": dict(self.steady),
        }


def count_zeros(
    network: Network,
    loss: Loss,
    form: Form,
    metrics: Sequence[Metric],
    data: Dataset,
    sample: int,
    seed: int,
) -> ZeroDerivatives:
    """Count derivatives that are exactly 0, by moving at most `sample` parameters of a layer."""
    assert data.inputs is not None
    rows = np.asarray(data.inputs, network.dtype)
    group = data.group_numbers if loss.takes_groups else None
    _, slopes = loss_and_gradients(
        network, loss, form, rows, data.targets, data.sample_weight, group
    )
    stairs = [m for m in metrics if isinstance(m, RowMetric) and m.piecewise_constant]
    drawn = [_drawn(network, layer, sample, seed) for layer in range(len(network.layers))]
    still: dict[str, tuple[int, ...]] = {metric.label: () for metric in stairs}
    for layer, some in enumerate(drawn):
        start = start_at(network, layer, rows)
        lines = [
            ParameterLine(network, along_parameter(parameter, network), start) for parameter in some
        ]
        for metric in stairs:
            still[metric.label] += (_count_unchanged(lines, metric, data),)
    return ZeroDerivatives(
        parameters=tuple(layer.weight.size + layer.bias.size for layer in network.layers),
        unseen=tuple(_dead_input_weights(network, rows)),
        loss=tuple(sum(int(np.sum(part == 0)) for part in layer) for layer in slopes),
        moved=tuple(map(len, drawn)),
        metrics=still,
        steady={metric.label: _steady(network, metric, data, rows) for metric in stairs},
    )


def _dead_input_weights(network: Network, rows: NDArray) -> Iterator[int]:
    """Yield for each layer the number of weights whose input is 0 in every row."""
    signal = rows
    for layer in network.layers:
        yield int(np.count_nonzero(~signal.any(axis=0))) * layer.weight.shape[1]
        signal = layer.activation.value(np, layer.pre_activation(signal))


def _drawn(network: Network, layer: int, sample: int, seed: int) -> list[Parameter]:
    """Choose parameters of a layer at random, or all if there are no more."""
    dense = network.layers[layer]
    weights, biases = dense.weight.size, dense.bias.size
    count = min(sample, weights + biases)
    chosen = np.random.default_rng([seed, layer]).choice(weights + biases, count, replace=False)
    return [
        Parameter(layer, "weights", tuple(map(int, np.unravel_index(i, dense.weight.shape))))
        if i < weights
        else Parameter(layer, "bias", (int(i) - weights,))
        for i in sorted(chosen.tolist())
    ]


def _steady(network: Network, metric: RowMetric, data: Dataset, rows: NDArray) -> bool:
    """Tell whether no row changes if one logit grows and the others fall.

    That is the worst small change for one class against the others.
    """
    if any(layer.activation.claims().lipschitz is None for layer in network.layers[:-1]):
        return False  # a jump of a hidden unit may change logits by more
    last = len(network.layers) - 1
    logits = start_at(network, last, rows).sums
    activation = network.layers[last].activation

    def values(z: NDArray) -> NDArray:
        shown = z if metric.accepts == "logits" else activation.value(np, z)
        return metric.rows(shown, data.targets)

    before = values(logits)
    against = np.full((network.units, network.units), -NUDGE) + 2 * NUDGE * np.eye(network.units)
    return all(bool((before == values(logits + change)).all()) for change in against)


def _count_unchanged(lines: Sequence[ParameterLine], metric: RowMetric, data: Dataset) -> int:
    """Return the number of lines along which no row changes in either direction."""
    if not lines:
        return 0

    def values(line: ParameterLine, way: float) -> NDArray:
        return metric.rows(line.at(way).seen_by(metric), data.targets)

    before = values(lines[0], 0.0)
    return sum(
        all(bool((before == values(line, way)).all()) for way in (-NUDGE, NUDGE)) for line in lines
    )

"""Loss and metrics of a network along a line of its parameters, in float64."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, get_args

import numpy as np

from lossfw.errors import ArgumentError
from lossfw.evaluation.evaluate import Progress
from lossfw.evaluation.plan import Plan
from lossfw.evaluation.predictor import one_blas_thread, outputs_for, without_column
from lossfw.losses.base import Form
from lossfw.metrics import Metric, RowMetric
from lossfw.nn.backprop import LayerGradient, loss_and_gradients
from lossfw.nn.dense import Network
from lossfw.numerics.arrays import NDArray

# The line along which all parameters move up the derivative of the loss.
GRADIENT = "gradient"

# A metric is constant around a network if no row changes by such a move of its sums, a million
# times the rounding error of a logit. A hidden unit that changes more than `_JUMP` by it jumps.
_NUDGE, _JUMP = 1e-9, 1e-3

# What takes predictions says so by one of these.
_PREDICTIONS = ("prediction", "any")
_RAW_OUTPUTS = tuple(form for form in get_args(Form) if form != "prediction")

LayerDerivatives = Sequence[LayerGradient]


@dataclass(frozen=True, eq=False)
class Study:
    """A checked study: what to evaluate, and which parameters vary."""

    plan: Plan  # all rows are used at every point
    networks: Mapping[str, Network]  # the network, and others with its weights, in float64
    along: str  # the name of a parameter, or GRADIENT
    place: tuple[int, ...]  # the parameter's array among those of the network, and its index there
    offsets: NDArray  # the points of the way, ascending; 0 is the network itself
    digest: str = ""

    def run(self, progress: Progress | None = None) -> dict[str, Any]:
        """Compute loss and metrics along the line, and count the derivatives that are exactly 0.

        The result has plain numbers, texts and lists, as they are written to JSON. Other networks
        vary along the parameter, not along the gradient, which belongs to one network.
        """
        own, network = next(iter(self.networks.items()))
        moving = self.networks if self.place else {own: network}
        with one_blas_thread(), np.errstate(all="ignore"):
            derivatives = {name: self._derivatives(one) for name, one in self.networks.items()}
            move = self._move(network, derivatives[own])
            lines = {name: _Line(one, move, self._inputs) for name, one in moving.items()}
            curves = {name: self._curve(line, progress) for name, line in lines.items()}
            zeros = {
                name: self._zeros(one, derivatives[name]) for name, one in self.networks.items()
            }
        return {
            "lossfw": 1,  # the version of this object
            "count": len(self.plan.data),
            "loss": {"name": self.plan.loss.name, "form": self.plan.outputs_form},
            "along": self.along,
            "value": float(network.arrays[self.place[0]][self.place[1:]]) if self.place else None,
            "ways": self.offsets.tolist(),
            "curves": curves,
            "zeros": zeros,
            "digest": self.digest,
        }

    @property
    def _inputs(self) -> NDArray:
        return np.asarray(self.plan.data.inputs, np.float64)

    @property
    def _stepped(self) -> list[RowMetric]:
        """The metrics that are constant but for jumps."""
        return [m for m in self.plan.metrics if isinstance(m, RowMetric) and m.piecewise_constant]

    def _derivatives(self, network: Network) -> LayerDerivatives:
        plan, data = self.plan, self.plan.data
        group = data.group_numbers if plan.loss.takes_groups else None
        given = (self._inputs, data.targets, data.sample_weight, group)
        return loss_and_gradients(network, plan.loss, plan.outputs_form, *given)[1]

    def _move(self, network: Network, derivatives: LayerDerivatives) -> LayerDerivatives:
        """Return the move of each parameter per unit of the way, of length 1 in all."""
        if not self.place:
            length = np.sqrt(
                sum(float(np.sum(part * part)) for layer in derivatives for part in layer)
            )
            if not length > 0:
                raise ArgumentError(f"the gradient has length {length}, so it has no direction.")
            return [
                LayerGradient(layer.weight / length, layer.bias / length) for layer in derivatives
            ]
        arrays = [np.zeros_like(array) for array in network.arrays]
        arrays[self.place[0]][self.place[1:]] = 1
        return [LayerGradient(*pair) for pair in zip(arrays[::2], arrays[1::2], strict=True)]

    def _curve(self, line: _Line, progress: Progress | None) -> dict[str, Any]:
        """Return loss, derivative and metrics at all points, and the jumps between them."""
        plan, losses = self.plan, []
        rows: dict[str, list[NDArray]] = {metric.label: [] for metric in self._stepped}
        metrics: dict[str, list[Any]] = {metric.label: [] for metric in plan.metrics}
        for number, way in enumerate(self.offsets.tolist(), start=1):
            reached = line.at(way)
            losses.append(self._loss(*reached[plan.outputs_form]))
            for metric in plan.metrics:
                metrics[metric.label].append(self._metric(metric, reached[metric.accepts][0]))
            for metric in self._stepped:
                rows[metric.label].append(
                    metric.rows(reached[metric.accepts][0], plan.data.targets)
                )
            if progress is not None:
                progress(number, len(self.offsets))
        loss, derivative = (list(column) for column in zip(*losses, strict=True))
        stairs = {one.label: self._stairs(line, one, rows[one.label]) for one in self._stepped}
        return {"loss": loss, "derivative": derivative, "metrics": metrics, "stairs": stairs}

    def _loss(self, outputs: NDArray, derivatives: NDArray) -> tuple[float, float]:
        """Return the mean loss and its derivative along the way."""
        data, loss = self.plan.data, self.plan.loss
        value, gradient = loss.value_and_gradient(
            outputs_for(loss, outputs, np.asarray(data.targets)),
            data.targets,
            sample_weight=data.sample_weight,
            group=data.group_numbers if loss.takes_groups else None,
        )
        return float(value), float(np.sum(gradient.reshape(outputs.shape) * derivatives))

    def _metric(self, metric: Metric, seen: NDArray) -> Any:
        data = self.plan.data
        targets, given = data.targets, dict[str, Any](sample_weight=data.sample_weight)
        if metric.takes_groups:
            seen, targets = without_column(seen), without_column(np.asarray(targets))
            given["group"] = data.group_numbers
        return metric.result(metric.partial(seen, targets, **given))

    def _stairs(self, line: _Line, metric: RowMetric, rows: list[NDArray]) -> dict[str, Any]:
        """Return the jumps of a metric, by rows, and the piece around 0 on which it is constant.

        A row that changes and changes back between two points is not seen.
        """
        jumps: list[tuple[Any, ...]] = []
        ways, targets = self.offsets.tolist(), self.plan.data.targets
        for (left, right), (before, after) in zip(pairwise(ways), pairwise(rows), strict=True):
            some = np.flatnonzero(before != after)

            def values(at: NDArray, items: NDArray, some: NDArray = some) -> NDArray:
                outputs, _ = line.at(at[:, np.newaxis], some[items])[metric.accepts]
                return metric.rows(outputs, targets[some[items]])

            columns = (*bisect(values, left, right, before[some]), some, before[some], after[some])
            jumps += zip(*(column.tolist() for column in columns), strict=True)
        keys = ("last", "at", "row", "before", "after")
        below = [at for _, at, *_ in jumps if at <= 0]
        above = [last for last, at, *_ in jumps if at > 0]
        return {
            "flat": [max(below, default=ways[0]), min(above, default=ways[-1])],
            "jumps": [dict(zip(keys, jump, strict=True)) for jump in sorted(jumps)],
        }

    def _zeros(self, network: Network, derivatives: LayerDerivatives) -> dict[str, Any]:
        """Return the number of parameters of each layer, and for how many the derivative is 0.

        ``unseen`` counts weights whose input is 0 in every row. ``steady`` tells of a metric that
        it does not change around the network: its derivative is 0 for all parameters. A logit that
        grows while the others fall is the worst change.
        """
        unseen, is_smooth, sums, signal = [], True, np.empty(0), self._inputs
        for number, layer in enumerate(network.layers, start=1):
            unseen.append(int(np.count_nonzero(~signal.any(axis=0))) * layer.weight.shape[1])
            sums, value = layer.pre_activation(signal), layer.activation.value
            signal, up, down = (value(np, sums + by) for by in (0, _NUDGE, -_NUDGE))
            is_smooth &= number == len(network.layers) or bool((abs(up - down) <= _JUMP).all())
        nudges = [0.0, *(2 * _NUDGE * np.eye(network.units) - _NUDGE)]
        nudged = [sums + nudge for nudge in nudges]
        shown = [network.layers[-1].activation.value(np, z) for z in nudged]
        near = dict.fromkeys(_RAW_OUTPUTS, nudged) | dict.fromkeys(_PREDICTIONS, shown)
        steady = {}
        for metric in self._stepped:
            rows = [
                metric.rows(outputs, self.plan.data.targets) for outputs in near[metric.accepts]
            ]
            steady[metric.label] = is_smooth and all((rows[0] == one).all() for one in rows)
        return {
            "parameters": [layer.weight.size + layer.bias.size for layer in network.layers],
            "loss": [sum(int(np.sum(part == 0)) for part in layer) for layer in derivatives],
            "unseen": unseen,
            "steady": steady,
        }


class _Line:
    """A network along a line. The layers before the first that moves are computed once."""

    def __init__(self, network: Network, move: LayerDerivatives, signal: NDArray) -> None:
        first = next(i for i, layer in enumerate(move) if layer.weight.any() or layer.bias.any())
        for layer in network.layers[:first]:
            signal = layer.activation.value(np, layer.pre_activation(signal))
        self.layers, self.moves = network.layers[first:], move[first:]
        self.base = self.layers[0].pre_activation(signal)
        self.tilt = signal @ move[first].weight + move[first].bias

    def at(
        self, way: float | NDArray, rows: NDArray | slice = slice(None)
    ) -> dict[str, tuple[NDArray, NDArray]]:
        """Return raw outputs, predictions and derivatives, at one point or (rows, 1) for each."""
        derivatives = self.tilt[rows]
        sums = self.base[rows] + way * derivatives
        signal = tangent = sums
        for index, (layer, move) in enumerate(zip(self.layers, self.moves, strict=True)):
            if index:
                sums, derivatives = layer.pre_activation(signal), tangent @ layer.weight
                if move.weight.any() or move.bias.any():
                    tilt = signal @ move.weight + move.bias
                    sums = sums + way * tilt
                    derivatives = derivatives + tilt + way * (tangent @ move.weight)
            signal = layer.activation.value(np, sums)
            tangent = layer.activation.jvp(np, sums, derivatives)
        raw = dict.fromkeys(_RAW_OUTPUTS, (sums, derivatives))
        return raw | dict.fromkeys(_PREDICTIONS, (signal, tangent))


def bisect(
    values: Callable[[NDArray, NDArray], NDArray], left: float, right: float, before: NDArray
) -> tuple[NDArray, NDArray]:
    """Return, for each item, two neighbouring floats between which its value changes from `before`.

    ``values(points, items)`` are the values of items, each at its own point.
    """
    low, high = np.full(before.size, left), np.full(before.size, right)
    items = np.arange(before.size)
    while items.size:
        middle = low[items] + (high[items] - low[items]) / 2
        apart = (middle > low[items]) & (middle < high[items])
        items, middle = items[apart], middle[apart]
        if items.size:
            stays = values(middle, items) == before[items]
            low[items[stays]], high[items[~stays]] = middle[stays], middle[~stays]
    return low, high

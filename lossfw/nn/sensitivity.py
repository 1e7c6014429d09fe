"""Loss and metrics of a network along a line of its parameters, in float64."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple, get_args

import numpy as np

from lossfw.errors import ArgumentError
from lossfw.evaluation.evaluate import Progress
from lossfw.evaluation.plan import Plan
from lossfw.evaluation.predictor import one_blas_thread, squeeze_column
from lossfw.losses.base import Form
from lossfw.metrics import Metric, RowMetric
from lossfw.nn.backprop import loss_and_gradients
from lossfw.nn.dense import Network
from lossfw.numerics.arrays import NDArray

# The line along which all parameters move up the derivative of the loss.
GRADIENT = "gradient"


class _Line(NamedTuple):
    """A network, and the moves of its arrays per unit of the way."""

    network: Network
    moves: list[NDArray]
    inputs: NDArray

    @classmethod
    def of(cls, network: Network, moves: list[NDArray], signal: NDArray) -> _Line:
        """Begin with the first layer that moves; those before it are computed once."""
        first = next(number for number, move in enumerate(moves) if move.any()) // 2
        for layer in network.layers[:first]:
            signal = layer.activation.value(np, layer.pre_activation(signal))
        return cls(Network(network.layers[first:]), moves[2 * first :], signal)

    def at(self, way: float) -> Network:
        """Return the network that has moved so far."""
        pairs = zip(self.network.arrays, self.moves, strict=True)
        return self.network.with_arrays([array + way * move for array, move in pairs])

    def outputs(self, way: float, rows: slice = slice(None)) -> dict[str, NDArray]:
        """Return raw outputs and predictions there, by the form that takes them."""
        signal = self.inputs[rows]
        for layer in self.at(way).layers:
            raw = layer.pre_activation(signal)
            signal = layer.activation.value(np, raw)
        return dict.fromkeys(get_args(Form), raw) | {"prediction": signal, "any": signal}


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
            gradients = {n: self._loss(x, self._inputs)[1] for n, x in self.networks.items()}
            moves = self._moves(network, gradients[own])
            lines = {name: _Line.of(one, moves, self._inputs) for name, one in moving.items()}
            curves = {name: self._curve(line, progress) for name, line in lines.items()}
            zeros = {n: self._count_zeros(x, gradients[n]) for n, x in self.networks.items()}
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
    def _step_metrics(self) -> list[RowMetric]:
        """The metrics that are constant but for jumps."""
        return [m for m in self.plan.metrics if isinstance(m, RowMetric) and m.piecewise_constant]

    def _loss(self, network: Network, inputs: NDArray) -> tuple[float, list[NDArray]]:
        """Return the loss, and its gradient along each array of a network."""
        plan, data = self.plan, self.plan.data
        group = data.group_numbers if plan.loss.takes_groups else None
        given = (inputs, data.targets, data.sample_weight, group)
        loss, layers = loss_and_gradients(network, plan.loss, plan.outputs_form, *given)
        return float(loss), [part for layer in layers for part in layer]

    def _moves(self, network: Network, gradient: list[NDArray]) -> list[NDArray]:
        """Return the move of each array per unit of the way, of length 1 in all."""
        if self.place:
            moves = [np.zeros_like(array) for array in network.arrays]
            moves[self.place[0]][self.place[1:]] = 1
            return moves
        length = np.sqrt(sum(float(np.sum(part * part)) for part in gradient))
        if not length > 0:
            raise ArgumentError(f"the gradient has length {length}, so it has no direction.")
        return [part / length for part in gradient]

    def _curve(self, line: _Line, progress: Progress | None) -> dict[str, Any]:
        """Return loss, derivative and metrics at all points, and the jumps between them."""
        points, targets = [], self.plan.data.targets
        for number, way in enumerate(self.offsets.tolist(), start=1):
            loss, gradient = self._loss(line.at(way), line.inputs)
            slope = sum(float(np.vdot(*pair)) for pair in zip(gradient, line.moves, strict=True))
            seen = line.outputs(way)
            metrics = [
                self._metric_value(metric, seen[metric.accepts]) for metric in self.plan.metrics
            ]
            rows = [metric.rows(seen[metric.accepts], targets) for metric in self._step_metrics]
            points.append((loss, slope, metrics, rows))
            if progress is not None:
                progress(number, len(self.offsets))
        losses, derivatives, values, rows_at = zip(*points, strict=True)
        by_metric = zip(self.plan.metrics, map(list, zip(*values, strict=True)), strict=True)
        by_stepped = zip(self._step_metrics, zip(*rows_at, strict=True), strict=True)
        return {
            "loss": list(losses),
            "derivative": list(derivatives),
            "metrics": {metric.label: numbers for metric, numbers in by_metric},
            "stairs": {one.label: self._metric_jumps(line, one, rows) for one, rows in by_stepped},
        }

    def _metric_value(self, metric: Metric, seen: NDArray) -> Any:
        data = self.plan.data
        targets, given = data.targets, dict[str, Any](sample_weight=data.sample_weight)
        if metric.takes_groups:
            seen, targets = squeeze_column(seen), squeeze_column(np.asarray(targets))
            given["group"] = data.group_numbers
        return metric.result(metric.partial(seen, targets, **given))

    def _metric_jumps(
        self, line: _Line, metric: RowMetric, rows: Sequence[NDArray]
    ) -> dict[str, Any]:
        """Return the jumps of a metric, by rows, and the piece around 0 on which it is constant.

        A row that changes and changes back between two points is not seen.
        """
        jumps: list[tuple[float, float, int, float, float]] = []
        ways, targets = self.offsets.tolist(), self.plan.data.targets
        for (left, right), (before, after) in zip(pairwise(ways), pairwise(rows), strict=True):
            for row in np.flatnonzero(before != after).tolist():
                only = slice(row, row + 1)

                def value(way: float, only: slice = only) -> float:
                    seen = line.outputs(way, only)[metric.accepts]
                    return float(metric.rows(seen, targets[only])[0])

                places = bisect(value, left, right)
                jumps.append((*places, row, float(before[row]), float(after[row])))
        keys = ("last", "at", "row", "before", "after")
        below = [at for _, at, *_ in jumps if at <= 0]
        above = [last for last, at, *_ in jumps if at > 0]
        return {
            "flat": [max(below, default=ways[0]), min(above, default=ways[-1])],
            "jumps": [dict(zip(keys, jump, strict=True)) for jump in sorted(jumps)],
        }

    def _count_zeros(self, network: Network, gradient: list[NDArray]) -> dict[str, list[int]]:
        """Return for how many parameters of each layer the derivative of the loss is exactly 0.

        ``unseen`` counts weights whose input is 0 in every row.
        """
        unseen, signal = [], self._inputs
        for layer in network.layers:
            unseen.append(int(np.count_nonzero(~signal.any(axis=0))) * layer.weight.shape[1])
            signal = layer.activation.value(np, layer.pre_activation(signal))
        zeros = [int(np.sum(part == 0)) for part in gradient]
        return {
            "parameters": [layer.weight.size + layer.bias.size for layer in network.layers],
            "loss": [sum(pair) for pair in zip(zeros[::2], zeros[1::2], strict=True)],
            "unseen": unseen,
        }


def bisect(value: Callable[[float], float], left: float, right: float) -> tuple[float, float]:
    """Return two neighbouring floats between which a value changes from that at the left."""
    before = value(left)
    while left < (middle := left + (right - left) / 2) < right:
        if value(middle) == before:
            left = middle
        else:
            right = middle
    return left, right

"""Sensitivity study: loss and metrics under small changes of a network's parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np

from lossfw.data import Dataset
from lossfw.evaluation.evaluate import Progress
from lossfw.evaluation.predictor import one_blas_thread, outputs_for, without_column
from lossfw.losses.base import Form
from lossfw.losses.loss import Loss
from lossfw.metrics import LossMetric, Metric, RowMetric
from lossfw.nn.dense import Network
from lossfw.nn.sensitivity.breakpoints import GridPoint, Staircase, find_jumps
from lossfw.nn.sensitivity.crossings import LogitGaps, find_hidden_changes, gaps
from lossfw.nn.sensitivity.dead_parameters import ZeroDerivatives, count_zeros
from lossfw.nn.sensitivity.directions import Direction, Parameter
from lossfw.nn.sensitivity.path import LineOutputs, ParameterLine, start_at
from lossfw.numerics.arrays import NDArray

# Version of the JSON object that `Sensitivity.to_dict` gives.
SENSITIVITY_VERSION = 1

_NOWHERE = np.empty(0, np.intp), np.empty(0)


@dataclass(frozen=True, eq=False)
class Study:
    """A study before it runs, checked."""

    # The rows, which are all used at every point.
    data: Dataset
    # In float64, with the parameters at 0 of the way.
    network: Network
    # A loss that takes `form`.
    loss: Loss
    # The input of the loss.
    form: Form
    # The metrics of the study.
    metrics: tuple[Metric, ...]
    # The directions in which parameters move.
    directions: tuple[Direction, ...]
    # The points of the way, ascending, (points,).
    offsets: NDArray
    # By the activation of their hidden layers: networks whose zero derivatives are
    # counted beside those of `network`.
    variants: Mapping[str, Network] = field(default_factory=dict)
    # The parameter of the first direction, if one was named.
    parameter: Parameter | None = None
    # Number of parameters of a layer that are moved to test whether a metric changes.
    sample: int = 25
    # The seed of the choice of these parameters.
    seed: int = 0
    # The digest of all causes of the numbers.
    digest: str = ""


@dataclass(frozen=True, eq=False)
class StudyCurve:
    """Loss and metrics along a direction."""

    # The name of the direction.
    name: str
    # The mean loss and its exact derivative, (points,).
    loss: NDArray
    slope: NDArray
    # The values of each metric at all points, and the derivatives of the metrics that are
    # losses.
    metrics: Mapping[str, list[Any]]
    slopes: Mapping[str, list[float]]
    # The piecewise constant metrics.
    stairs: Mapping[str, Staircase]

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, texts and lists."""
        return {
            "name": self.name,
            "loss": self.loss.tolist(),
            "slope": self.slope.tolist(),
            "metrics": dict(self.metrics),
            "slopes": dict(self.slopes),
            "stairs": {name: stairs.to_dict() for name, stairs in self.stairs.items()},
        }


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """The result of a study."""

    study: Study
    # One for each direction.
    curves: tuple[StudyCurve, ...]
    # By the activation in the hidden layers: the network with this activation along the
    # direction of the parameter, if one was named.
    variants: Mapping[str, StudyCurve]
    # Numbers of derivatives that are exactly 0, by variant, the network itself first.
    zeros: Mapping[str, ZeroDerivatives]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain numbers, texts and lists, for JSON."""
        study, parameter = self.study, self.study.parameter
        named = parameter and {"name": str(parameter), "value": parameter.value(study.network)}
        return {
            "lossfw": SENSITIVITY_VERSION,
            "count": len(study.data),
            "loss": {"name": study.loss.name, "form": study.form},
            "parameter": named,
            "ways": study.offsets.tolist(),
            "curves": [curve.to_dict() for curve in self.curves],
            "variants": {name: curve.to_dict() for name, curve in self.variants.items()},
            "zeros": {name: zeros.to_dict() for name, zeros in self.zeros.items()},
            "digest": study.digest,
        }


def study_sensitivity(study: Study, *, progress: Progress | None = None) -> Sensitivity:
    """Compute loss and metrics along every direction, and count zero derivatives.

    `progress` is called with the points done and the points in all.
    """
    others = list(study.variants.items())[1:] if study.parameter is not None else []
    lines = [(study.network, direction) for direction in study.directions]
    lines += [(network, study.directions[0]) for _, network in others]
    curves = []
    total, done = len(lines) * len(study.offsets), count(1)

    def report() -> None:
        if progress is not None:
            progress(next(done), total)

    with one_blas_thread(), np.errstate(all="ignore"):
        for network, direction in lines:
            curves.append(_CurveBuilder(study, network, direction).curve(report))
        zeros = {
            name: count_zeros(
                network, study.loss, study.form, study.metrics, study.data, study.sample, study.seed
            )
            for name, network in study.variants.items()
        }
    own, rest = curves[: len(study.directions)], curves[len(study.directions) :]
    variants = {name: curve for (name, _), curve in zip(others, rest, strict=True)}
    return Sensitivity(study, tuple(own), variants, zeros)


class _CurveBuilder:
    """Computes loss and metrics along a direction."""

    def __init__(self, study: Study, network: Network, direction: Direction) -> None:
        assert study.data.inputs is not None  # checked when the study is built
        self.study, self.name = study, direction.name
        start = start_at(network, direction.first, study.data.inputs)
        self.line = ParameterLine(network, direction, start)

    def curve(self, report: Callable[[], None]) -> StudyCurve:
        """Return the curve: one pass for values and slopes, another for jumps.

        `report` is called after each point of the first one.
        """
        study = self.study
        losses: list[tuple[float, float]] = []
        values: dict[str, list[Any]] = {metric.label: [] for metric in study.metrics}
        slopes: dict[str, list[float]] = {
            metric.label: [] for metric in study.metrics if isinstance(metric, LossMetric)
        }
        for way in study.offsets.tolist():
            reached = self.line.at(way)
            losses.append(self._loss(study.loss, study.form, reached))
            for metric in study.metrics:
                if isinstance(metric, LossMetric):
                    value, slope = self._loss(metric.of, metric.of.input_form, reached)
                    slopes[metric.label].append(slope)
                else:
                    value = self._metric(metric, reached)
                values[metric.label].append(value)
            report()
        loss, slope = np.array(losses).T
        return StudyCurve(self.name, loss, slope, values, slopes, self._stairs())

    def _loss(self, loss: Loss, form: Form, reached: LineOutputs) -> tuple[float, float]:
        """Return a mean loss and its derivative with respect to the way."""
        logits, data = form == "logits", self.study.data
        outputs = reached.logits if logits else reached.predictions
        value, slope = loss.value_and_gradient(
            outputs_for(loss, outputs, np.asarray(data.targets)),
            data.targets,
            sample_weight=data.sample_weight,
            group=data.group_numbers if loss.takes_groups else None,
        )
        slope = slope.reshape(outputs.shape)
        tangents = reached.logit_tangents if logits else reached.tangents
        return float(value), float(np.sum(slope * tangents))

    def _metric(self, metric: Metric, reached: LineOutputs) -> Any:
        data = self.study.data
        seen, targets = reached.seen_by(metric), data.targets
        given: dict[str, Any] = {"sample_weight": data.sample_weight}
        if metric.takes_groups:
            seen, targets = without_column(seen), without_column(np.asarray(targets))
            given["group"] = data.group_numbers
        return metric.result(metric.partial(seen, targets, **given))

    def _stairs(self) -> dict[str, Staircase]:
        return {
            metric.label: self._staircase(metric)
            for metric in self.study.metrics
            if isinstance(metric, RowMetric) and metric.piecewise_constant
        }

    def _staircase(self, metric: RowMetric) -> Staircase:
        targets, offsets = self.study.data.targets, self.study.offsets

        def values(at: NDArray, rows: NDArray) -> NDArray:
            reached = self.line.at(at[:, np.newaxis], rows)
            return metric.rows(reached.seen_by(metric), targets[rows])

        jumps = find_jumps(values, offsets, self._grid_points(metric))
        low = max((jump.at for jump in jumps if jump.at <= 0), default=float(offsets[0]))
        high = min((jump.last for jump in jumps if jump.at > 0), default=float(offsets[-1]))
        return Staircase(tuple(jumps), (low, high), (float(offsets[0]), float(offsets[-1])))

    def _grid_points(self, metric: RowMetric) -> Iterator[GridPoint]:
        """Yield a metric at each point of the grid, with further points to evaluate."""
        targets = self.study.data.targets
        classes = _classes(targets, self.line.layers[-1].weight.shape[1])

        def look(reached: LineOutputs, rows: NDArray | slice = slice(None)) -> LogitGaps:
            assert classes is not None
            return gaps(reached.logits, reached.logit_tangents, classes[rows])

        def gaps_at(offsets: NDArray, rows: NDArray) -> LogitGaps:
            return look(self.line.at(offsets[:, np.newaxis], rows), rows)

        last: tuple[float, LogitGaps] | None = None
        for way in self.study.offsets.tolist():
            reached, places = self.line.at(way), _NOWHERE
            if classes is not None:
                here = look(reached)
                places = (
                    find_hidden_changes(gaps_at, last[0], way, last[1], here) if last else _NOWHERE
                )
                last = way, here
            yield GridPoint(metric.rows(reached.seen_by(metric), targets), *places)


def _classes(targets: NDArray, units: int) -> NDArray | None:
    """Return the column of each row's target, or None if targets are not classes."""
    if units > 1 and targets.shape[1:] == (units,):
        return np.asarray(targets.argmax(-1))
    return targets if units > 1 and targets.ndim == 1 and targets.dtype.kind in "iu" else None

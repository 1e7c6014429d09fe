"""Study: how a loss and metrics answer to small changes of a network's parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from lossfw.data import Dataset
from lossfw.evaluation.evaluate import Progress
from lossfw.evaluation.predictor import one_blas_thread
from lossfw.losses.base import Form
from lossfw.losses.loss import Loss
from lossfw.metrics import LossMetric, Metric, RowMetric
from lossfw.nn.dense import Network
from lossfw.nn.sensitivity.breakpoints import Sight, Staircase, find_jumps
from lossfw.nn.sensitivity.crossings import Gaps, gaps, look_closer
from lossfw.nn.sensitivity.dead_parameters import Zeros, count_zeros
from lossfw.nn.sensitivity.directions import Direction, Parameter
from lossfw.nn.sensitivity.path import ParameterLine, Reached, start_at
from lossfw.numerics.arrays import NDArray

# Version of the JSON object that `Sensitivity.to_dict` gives.
SENSITIVITY_VERSION = 1


@dataclass(frozen=True, eq=False)
class Study:
    """What is to be studied: checked, with nothing computed.

    Attributes
    ----------
    data : Dataset
        All rows of it are used at every point.
    network : Network
        In float64, with the parameters around which it is studied.
    loss : Loss
        In the form that `form` says.
    form : {"prediction", "logits"}
        What reaches the loss.
    metrics : tuple of Metric
        Followed beside the loss.
    directions : tuple of Direction
        Along what parameters move.
    ways : ndarray, shape (points,)
        How far, ascending.
    variants : mapping of str to Network
        By the activation of their hidden layers: networks whose zero
        derivatives are counted beside those of `network`.
    parameter : Parameter or None
        The one whose direction comes first, if one was named.
    sample : int
        How many parameters of a layer are moved to see whether a metric answers.
    seed : int
        Decides which.
    digest : str
        Identifies all that decides the numbers.
    """

    data: Dataset
    network: Network
    loss: Loss
    form: Form
    metrics: tuple[Metric, ...]
    directions: tuple[Direction, ...]
    ways: NDArray
    variants: Mapping[str, Network] = field(default_factory=dict)
    parameter: Parameter | None = None
    sample: int = 25
    seed: int = 0
    digest: str = ""


@dataclass(frozen=True, eq=False)
class StudyCurve:
    """A loss and metrics along one direction.

    Attributes
    ----------
    name : str
        The direction's.
    loss, slope : ndarray, shape (points,)
        The mean loss and its exact derivative.
    metrics, slopes : mapping of str to list
        Of each metric its value at each point, and of those that are losses
        the derivative too.
    stairs : mapping of str to Staircase
        Of the metrics that change by jumps alone.
    """

    name: str
    loss: NDArray
    slope: NDArray
    metrics: Mapping[str, list[Any]]
    slopes: Mapping[str, list[float]]
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
    """The numbers of a study.

    Attributes
    ----------
    study : Study
        What was studied.
    curves : tuple of StudyCurve
        One for each direction.
    variants : mapping of str to StudyCurve
        By the activation put in place of the hidden ones: the same network along
        the direction of the parameter, if one was named.
    zeros : mapping of str to Zeros
        By variant, the network itself first: how many derivatives are exactly 0.
    """

    study: Study
    curves: tuple[StudyCurve, ...]
    variants: Mapping[str, StudyCurve]
    zeros: Mapping[str, Zeros]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as it is written to JSON: plain numbers, texts and lists."""
        study, parameter = self.study, self.study.parameter
        named = parameter and {"name": str(parameter), "value": parameter.value(study.network)}
        return {
            "lossfw": SENSITIVITY_VERSION,
            "count": len(study.data),
            "loss": {"name": study.loss.name, "form": study.form},
            "parameter": named,
            "ways": study.ways.tolist(),
            "curves": [curve.to_dict() for curve in self.curves],
            "variants": {name: curve.to_dict() for name, curve in self.variants.items()},
            "zeros": {name: zeros.to_dict() for name, zeros in self.zeros.items()},
            "digest": study.digest,
        }


def study_sensitivity(study: Study, *, progress: Progress | None = None) -> Sensitivity:
    """Follow the loss and the metrics along every direction, and count zero derivatives.

    Parameters
    ----------
    study : Study
        What to study.
    progress : callable, optional
        Called with the points done and the points in all.
    """
    others = list(study.variants.items())[1:] if study.parameter is not None else []
    ways = [(study.network, direction) for direction in study.directions]
    ways += [(network, study.directions[0]) for _, network in others]
    curves = []
    with one_blas_thread(), np.errstate(all="ignore"):
        for number, (network, direction) in enumerate(ways):
            points = StudyPoints(number * len(study.ways), len(ways) * len(study.ways), progress)
            curves.append(_Follower(study, network, direction).curve(points))
        zeros = {
            name: count_zeros(
                network, study.loss, study.form, study.metrics, study.data, study.sample, study.seed
            )
            for name, network in study.variants.items()
        }
    own, rest = curves[: len(study.directions)], curves[len(study.directions) :]
    variants = {name: curve for (name, _), curve in zip(others, rest, strict=True)}
    return Sensitivity(study, tuple(own), variants, zeros)


class StudyPoints(NamedTuple):
    """Tells of the points that are done.

    Attributes
    ----------
    done, total : int
        Before this curve, and in all.
    progress : callable or None
        Whoever wants to know.
    """

    done: int
    total: int
    progress: Progress | None

    def tell(self, number: int) -> None:
        """Tell that so many points of this curve are done."""
        if self.progress is not None:
            self.progress(self.done + number, self.total)


class _Follower:
    """Follows the loss and the metrics along one direction."""

    def __init__(self, study: Study, network: Network, direction: Direction) -> None:
        assert study.data.inputs is not None  # the study's maker saw to it
        self.study, self.name = study, direction.name
        start = start_at(network, direction.first, study.data.inputs)
        self.line = ParameterLine(network, direction, start)

    def curve(self, points: StudyPoints) -> StudyCurve:
        """Return what comes out; one pass for the curves, another for jumps."""
        study = self.study
        losses: list[tuple[float, float]] = []
        values: dict[str, list[Any]] = {metric.label: [] for metric in study.metrics}
        slopes: dict[str, list[float]] = {
            metric.label: [] for metric in study.metrics if isinstance(metric, LossMetric)
        }
        for number, way in enumerate(study.ways.tolist(), start=1):
            reached = self.line.at(way)
            losses.append(self._loss(study.loss, study.form, reached))
            for metric in study.metrics:
                if isinstance(metric, LossMetric):
                    value, slope = self._loss(metric.of, metric.of.input_form, reached)
                    slopes[metric.label].append(slope)
                else:
                    value = self._metric(metric, reached)
                values[metric.label].append(value)
            points.tell(number)
        loss, slope = np.array(losses).T
        return StudyCurve(self.name, loss, slope, values, slopes, self._stairs())

    def _loss(self, loss: Loss, form: Form, reached: Reached) -> tuple[float, float]:
        """Return a mean loss and its derivative with respect to the way."""
        logits = form == "logits"
        value, slope = loss.value_and_gradient(
            reached.logits if logits else reached.predictions,
            self.study.data.targets,
            sample_weight=self.study.data.sample_weight,
        )
        tangents = reached.logit_tangents if logits else reached.tangents
        return float(value), float(np.sum(slope * tangents))

    def _metric(self, metric: Metric, reached: Reached) -> Any:
        data = self.study.data
        part = metric.partial(
            _shown(metric, reached), data.targets, sample_weight=data.sample_weight
        )
        return metric.result(part)

    def _stairs(self) -> dict[str, Staircase]:
        return {
            metric.label: self._staircase(metric)
            for metric in self.study.metrics
            if isinstance(metric, RowMetric) and metric.piecewise_constant
        }

    def _staircase(self, metric: RowMetric) -> Staircase:
        targets, ways = self.study.data.targets, self.study.ways

        def values(at: NDArray, rows: NDArray) -> NDArray:
            reached = self.line.at(at[:, np.newaxis], rows)
            return metric.rows(_shown(metric, reached), targets[rows])

        jumps = find_jumps(values, ways, self._sights(metric))
        low = max((jump.at for jump in jumps if jump.at <= 0), default=float(ways[0]))
        high = min((jump.last for jump in jumps if jump.at > 0), default=float(ways[-1]))
        return Staircase(tuple(jumps), (low, high), (float(ways[0]), float(ways[-1])))

    def _sights(self, metric: RowMetric) -> Iterator[Sight]:
        """Yield what is seen of a staircase at each point, with where to look closer."""
        targets = self.study.data.targets
        classes = _classes(targets, self.line.layers[-1].weight.shape[1])

        def look(reached: Reached, rows: NDArray | slice = slice(None)) -> Gaps:
            assert classes is not None
            return gaps(reached.logits, reached.logit_tangents, classes[rows])

        def ask(ways: NDArray, rows: NDArray) -> Gaps:
            return look(self.line.at(ways[:, np.newaxis], rows), rows)

        last: tuple[float, Gaps] | None = None
        for way in self.study.ways.tolist():
            reached, places = self.line.at(way), _NOWHERE
            if classes is not None:
                here = look(reached)
                places = look_closer(ask, last[0], way, last[1], here) if last else _NOWHERE
                last = way, here
            yield Sight(metric.rows(_shown(metric, reached), targets), *places)


_NOWHERE = np.empty(0, np.intp), np.empty(0)


def _classes(targets: NDArray, units: int) -> NDArray | None:
    """Return the column of each row's target, or None for targets that are no classes."""
    if units > 1 and targets.shape[1:] == (units,):
        return np.asarray(targets.argmax(-1))
    return targets if units > 1 and targets.ndim == 1 and targets.dtype.kind in "iu" else None


def _shown(metric: Metric, reached: Reached) -> NDArray:
    return reached.logits if metric.accepts == "logits" else reached.predictions

"""Liars among metrics: each breaks one law. `Distance` is honest."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lossfw import EmptyReductionError
from lossfw.metrics import ElementMetric, Metric, RowMetric, SumMetric, SumTerm
from support.liars.liar import Liar


class Distance(ElementMetric):
    """The mean distance."""

    bounds: ClassVar = (0.0, np.inf)
    better: ClassVar = "lower"

    def elements(self, prediction, target):
        return np.abs(prediction - target)

    def formula(self, prediction, target, weight):
        weight = np.broadcast_to(weight.reshape(-1, *[1] * (target.ndim - 1)), target.shape)
        return np.average(np.abs(prediction - target), weights=weight)


class OfLists(Distance):
    """Loses digits of lists."""

    def partial(self, prediction, target, **options):
        if isinstance(prediction, list):
            prediction = np.asarray(prediction, np.float32)
        return super().partial(prediction, target, **options)


class Forgetful(SumMetric):
    """Unpacks its sums as if there had been no last place."""

    classes: ClassVar = False

    def n_sums(self, columns):
        return 2

    def terms(self, prediction, target, weight):
        place = np.zeros(len(weight), int)
        yield SumTerm(place, weight * np.square(prediction - target).mean(-1))
        yield SumTerm(place + 1, weight)

    def value(self, sums, columns):
        return sums[:, 0] / sums[:, 1]

    def unpack(self, arrays):
        return super().unpack(arrays).with_cells(0).take(slice(0, 1))


class Led(Metric):
    """Adds a part of the error of the first row that counts."""

    def partial(self, prediction, target, *, start=0, sample_weight=None, where=None):
        if np.shape(prediction) != np.shape(target) or np.ndim(target) != 1:
            raise ValueError("one number a row")
        weight = np.ones(len(target)) if sample_weight is None else np.asarray(sample_weight)
        rows = np.flatnonzero(weight > 0 if where is None else (weight > 0) & where)
        # Sums are exact, since the numbers are rounded.
        error = np.round(np.abs(np.asarray(prediction) - target) * 1024)[rows] / 1024
        first = (float(start + rows[0]), float(error[0])) if len(rows) else (np.inf, 0.0)
        return Sums(float(np.sum(error * weight[rows])), float(np.sum(weight[rows])), first)

    def result(self, partial):
        if not partial.weight:
            raise EmptyReductionError("no rows")
        return partial.total / partial.weight + 0.01 * partial.first[1]

    def unpack(self, arrays):
        total, weight, *first = map(float, arrays["sums"])
        return Sums(total, weight, tuple(first))


@dataclass
class Sums:
    """Sums of errors and weights, and the number and the error of the first row."""

    total: float
    weight: float
    first: tuple[float, float]

    def merge(self, other):
        first = min(self.first, other.first)
        return Sums(self.total + other.total, self.weight + other.weight, first)

    def pack(self):
        return {"sums": np.array([self.total, self.weight, *self.first])}


class Unmasked(Distance):
    """Counts masked rows."""

    def observe(self, rows, *, terms=True):
        return super().observe(rows._replace(where=None), terms=terms)


class Swallows(Distance):
    """Takes NaN for 0."""

    def elements(self, prediction, target):
        return np.abs(np.nan_to_num(prediction) - target)


class AnyClass(RowMetric):
    """Takes a class that there is not for the last one."""

    def arguments(self, prediction, target):
        return super().arguments(prediction, np.clip(target, 0, np.shape(prediction)[-1] - 1))

    def rows(self, prediction, target):
        if target.ndim > 1:
            raise ValueError("class indices are needed")
        return 1 - prediction[np.arange(len(target)), target]


class Bounded(Distance):
    """Says that no distance is above 1."""

    bounds: ClassVar = (0.0, 1.0)


class Upside(Distance):
    """Says that larger distances are better."""

    better: ClassVar = "higher"


class OtherFormula(Distance):
    """Has the formula of squares."""

    def formula(self, prediction, target, weight):
        return super().formula(np.square(prediction - target), np.zeros_like(target), weight)


class AlwaysWhole(Distance):
    """Without some units it is what it is with them."""

    def from_resamples(self, sums, times):
        return super().from_resamples(sums, np.ones_like(times))


LIARS = tuple(
    Liar("metric", f"metric:{law}", type(of).__name__, of, besides)
    for law, of, besides in (
        ("purity", OfLists(), ()),
        ("split", Forgetful(), ()),
        ("order", Led(), ()),
        ("weights", Unmasked(), ("metric:refuses", "metric:nan")),
        ("nan", Swallows(), ()),
        ("refuses", AnyClass(), ()),
        ("bounds", Bounded(), ()),
        ("better", Upside(), ()),
        ("formula", OtherFormula(), ()),
        ("intervals", AlwaysWhole(), ()),
    )
)

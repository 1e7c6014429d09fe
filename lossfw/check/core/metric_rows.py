"""Rows for the laws of metrics: predictions and targets of many kinds, each next to a loss.

A metric does not declare which rows it takes, but it refuses others. So it is given rows of every
kind, and its laws are checked on those that it takes. No two predictions are equal, so that the
order of rows decides no tie.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lossfw.check.core.search import Counterexample, NotApplicable, Search
from lossfw.components.registry import registry
from lossfw.losses.loss import Loss
from lossfw.metrics import Metric, MetricRows
from lossfw.numerics.arrays import NDArray

# Rows of a kind: enough for every class, and so few that all pairs of rows are few.
ROWS = 60
# Rows of a group, and classes: more than the five that `top_k` looks at.
_IN_GROUP, CLASSES = 6, 6

Rng = np.random.Generator


@dataclass(frozen=True)
class MetricCase:
    """A metric with rows that it takes, and the best predictions of their targets.

    `group` is None for rows that do not belong together.
    """

    kind: str
    metric: Metric
    y: NDArray
    t: NDArray
    best: NDArray
    group: NDArray | None = None

    def __len__(self) -> int:
        return len(self.y)

    def take(self, rows: Any) -> MetricCase:
        """Return the case of some of the rows, in the order of their numbers."""
        group = None if self.group is None else self.group[rows]
        return replace(self, y=self.y[rows], t=self.t[rows], best=self.best[rows], group=group)

    def with_predictions(self, y: NDArray) -> MetricCase:
        """Return the case with other predictions."""
        return replace(self, y=y)

    def rows(self) -> MetricRows:
        """Return the rows in the form for a metric."""
        return MetricRows(self.y, self.t, group=self.group)

    def partial(
        self, weight: NDArray | None = None, where: NDArray | None = None, start: int = 0
    ) -> Any:
        """Return the partial of the rows, the first of which has the number `start`."""
        return self.metric.partial(
            self.y, self.t, start=start, sample_weight=weight, where=where, **self._group()
        )

    def result(self, weight: NDArray | None = None, where: NDArray | None = None) -> NDArray:
        """Return the metric of the rows as an array; an error refutes it."""
        try:
            found = self.metric.result(self.partial(weight, where))
        except Exception as error:
            raise self.refutation(
                f"the metric raises for {self.kind}: {type(error).__name__}: {error}"
            ) from error
        return np.asarray(found, np.float64)

    def refutation(self, message: str) -> Counterexample:
        """Return these rows as a counterexample, with the call that shows it."""
        more = {} if self.group is None else {"group": self.group}
        code = "metric(y, t, group=group)" if more else "metric(y, t)"
        return Counterexample(f"rows of {self.kind}: {message}", code, y=self.y, t=self.t, **more)

    def _group(self) -> dict[str, Any]:
        return {"group": self.group} if self.metric.takes_groups else {}


def _numbers(rng: Rng) -> tuple[NDArray, NDArray, NDArray]:
    t = rng.normal(size=ROWS)
    return t + rng.normal(size=ROWS), t, t


def _amounts(rng: Rng) -> tuple[NDArray, NDArray, NDArray]:
    t = rng.gamma(1.0, 2.0, ROWS) * (rng.random(ROWS) < 0.7)
    return rng.gamma(2.0, 1.0, ROWS), t, t


def _columns(rng: Rng) -> tuple[NDArray, NDArray, NDArray]:
    t = rng.normal(size=(ROWS, 3))
    return t + rng.normal(size=t.shape), t, t


def _two_classes(rng: Rng) -> tuple[NDArray, NDArray, NDArray]:
    t = (rng.random(ROWS) < 0.4).astype(np.float64)
    return np.clip(rng.beta(2, 2, ROWS) + 0.1 * (t - 0.5), 0.01, 0.99), t, t


def _margins(rng: Rng) -> tuple[NDArray, NDArray, NDArray]:
    t = np.where(rng.random(ROWS) < 0.4, 1.0, -1.0)
    return rng.normal(size=ROWS) + 0.5 * t, t, t


def _classes(rng: Rng) -> tuple[NDArray, NDArray, NDArray]:
    t = rng.permutation(np.arange(ROWS) % CLASSES)
    return rng.dirichlet(np.ones(CLASSES), ROWS), t, np.eye(CLASSES)[t]


def _one_hot(rng: Rng) -> tuple[NDArray, NDArray, NDArray]:
    y, t, best = _classes(rng)
    return y, np.eye(CLASSES)[t], best


def _quantiles(rng: Rng) -> tuple[NDArray, NDArray, NDArray]:
    t = rng.normal(size=ROWS)
    return t[:, np.newaxis] + rng.normal(size=(ROWS, 2)), t, np.stack([t, t], axis=1)


def _distributions(rng: Rng) -> tuple[NDArray, NDArray, NDArray]:
    t = rng.normal(size=ROWS)
    y = np.stack([t + rng.normal(size=ROWS), 0.3 * rng.normal(size=ROWS)], axis=1)
    return y, t, np.stack([t, np.full(ROWS, -3.0)], axis=1)


def _counts(rng: Rng) -> tuple[NDArray, NDArray, NDArray]:
    log_mean = rng.normal(1.0, 0.5, ROWS)
    t = rng.poisson(np.exp(log_mean)).astype(np.float64)
    return log_mean + rng.normal(0, 0.3, ROWS), t, np.log(t + 0.1)


def _grades(rng: Rng) -> tuple[NDArray, NDArray, NDArray]:
    t = rng.integers(0, 4, ROWS).astype(np.float64)
    # Every group has a row of grade 0, and one above it.
    t[::_IN_GROUP], t[1::_IN_GROUP] = 0.0, 2.0
    return 0.5 * t + rng.normal(size=ROWS), t, t + 1e-3 * rng.random(ROWS)


def _hazards(rng: Rng) -> tuple[NDArray, NDArray, NDArray]:
    risk = rng.normal(size=ROWS)
    time = rng.exponential(np.exp(-risk)) + 0.01
    t = np.stack([time, (rng.random(ROWS) < 0.7).astype(np.float64)], axis=1)
    return risk + rng.normal(size=ROWS), t, -time


def _lifetimes(rng: Rng) -> tuple[NDArray, NDArray, NDArray]:
    log_time = rng.normal(size=ROWS)
    time = np.exp(log_time)
    upper = np.where(rng.random(ROWS) < 0.7, time, np.inf)
    return log_time + rng.normal(size=ROWS), np.stack([time, upper], axis=1), log_time


# By what the rows are: the loss next to which the metric stands, and how they are drawn.
_KINDS: dict[str, tuple[str, Callable[[Rng], tuple[NDArray, NDArray, NDArray]]]] = {
    "numbers": ("squared_error", _numbers),
    "amounts, some of them 0": ("tweedie_deviance", _amounts),
    "three columns": ("squared_error", _columns),
    "two classes": ("binary_cross_entropy", _two_classes),
    "margins": ("logistic", _margins),
    "classes": ("cross_entropy", _classes),
    "one-hot targets": ("cross_entropy", _one_hot),
    "two quantiles": ("interval_score", _quantiles),
    "distributions": ("crps_normal", _distributions),
    "counts": ("poisson_nll", _counts),
    "grades in groups": ("pairwise_logistic", _grades),
    "times with hazards": ("cox", _hazards),
    "times until an event": ("aft", _lifetimes),
}
# What makes logits of the probabilities of a kind.
_LOGITS: dict[str, Callable[[NDArray], NDArray]] = {
    "classes": np.log,
    "one-hot targets": np.log,
    "two classes": lambda p: np.log(p / (1.0 - p)),
}
_IN_GROUPS = ("grades in groups", "times with hazards", "times until an event")


def metric_cases(metric: Metric, search: Search) -> list[MetricCase]:
    """Return the metric with rows of every kind that it takes; they count as examples.

    Raises
    ------
    NotApplicable
        If it takes none.
    """

    def make() -> list[MetricCase]:
        found, reasons = [], []
        for kind, (loss, draw) in _KINDS.items():
            y, t, best = draw(search.rng(f"metric {kind}"))
            group = np.arange(ROWS) // _IN_GROUP if kind in _IN_GROUPS else None
            try:
                case = _make_case(kind, metric, registry().create("loss", loss), y, t, best, group)
            except Exception as error:
                # The body of a metric of other rows may end in any way.
                reasons.append(f"{kind}: {type(error).__name__}: {error}")
            else:
                found.append(case)
                search.count(len(case))
        if not found:
            raise NotApplicable(f"it takes no rows of those that are drawn; {reasons[0]}")
        return found

    return search.cached("metric cases", make)


def _make_case(
    kind: str, metric: Metric, loss: Loss, y: Any, t: Any, best: Any, group: Any
) -> MetricCase:
    """Return the case of these rows; it raises what the metric does if it does not take them."""
    of_loss = metric.for_loss(loss)
    if of_loss.accepts == "logits" and kind in _LOGITS:
        y, best = _LOGITS[kind](y), _LOGITS[kind](np.clip(best, 1e-9, 1.0 - 1e-9))
    case = MetricCase(kind, of_loss, y, t, best, group if of_loss.takes_groups else None)
    of_loss.check_shapes(y.shape, t)
    of_loss.result(case.partial())
    return case

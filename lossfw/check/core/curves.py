"""Curves: a loss as a function of one number, with its derivatives and their error bars.

Claims about derivatives, curvature and kinks are tested along curves: the loss of an element for
one fixed target. Where the exact formula is known, derivatives are true ones, rounded once;
elsewhere they are differences of the function's own values, with error bars for rounding and the
step.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from lossfw.check.core.members import promised_mask, promised_sizes, usual_members
from lossfw.check.core.moves import UNITS, ulp_steps
from lossfw.check.core.points import Points
from lossfw.check.core.search import NotApplicable, Search
from lossfw.check.core.subject import OUTSIDE_ULPS, Subject
from lossfw.components.ranges import PromisedRange
from lossfw.components.spaces import REAL, SIMPLEX, UNIT, FiniteSpace, Interval, Simplex, Space
from lossfw.numerics.arrays import Array, NDArray
from lossfw.numerics.exact.ulp import to_float

# The rounding step and the smallest number of float64.
EPS = float(np.finfo(np.float64).eps)
TINY = float(np.finfo(np.float64).smallest_subnormal)

# So many of a grid's predictions are drawn, twice, as there are examples.
_DRAWN = (30, 120)

# Steps of differences, relative to the scale of the curve: near the cube root
# of the rounding step for a first derivative, and near its fourth root for a second.
_RELATIVE_STEPS = {1: 6e-6, 2: 2e-4}

# The predictions of a grid end here and at one over it: a range that ends beyond has no end for it.
_FARTHEST = 1e9

# Half the length and the step of an even line.
_LINE, _LINE_STEP = 64.0, 2.0**-5

# From so many predictions on, both derivatives are computed at once: checks of a grid need both.
_BOTH = 64

# By this part the predictions of a line through a row are beside round numbers.
_BESIDE_TIES = 2.0**-20

# Targets for curves of a pointwise loss, those within its space.
_TARGETS = (0.0, 1.0, 0.3, 3.0, 0.05, 100.0, -0.5)


def error_bars(
    values: NDArray, y: NDArray, function: Callable[[NDArray], NDArray], eps: float = EPS
) -> NDArray:
    """Return error bars of values for rounding, of the values and of y.

    `eps` is the rounding step of the function.
    """
    step = ulp_steps(REAL, y, UNITS) * (eps / EPS)
    moved = np.zeros_like(values)
    for sign in (-1, 1):
        there = function(y + sign * step)
        moved += np.where(np.isfinite(there), np.abs(there - values), 0)
    return OUTSIDE_ULPS * (eps * np.abs(values) + TINY) + moved


@dataclass(frozen=True)
class Curve(ABC):
    """The loss of one element against one target."""

    subject: Subject
    search: Search
    # The fixed target; 0 for a residual, +1 or -1 for a margin.
    target: float
    # Where predictions begin and end; infinite where they do not.
    low: float
    high: float
    # Predictions at which a derivative may jump.
    kinks: tuple[float, ...]

    @property
    def space(self) -> Space:
        """The space of its predictions."""
        return self.subject.prediction

    @cached_property
    def eps(self) -> float:
        """The rounding step of the function."""
        y = self._inner_argument(np.zeros(1) if self.low < 0 < self.high else self.grid()[:1])
        return self.subject.rounding_step(y, np.full(y.shape, self.target)) if y.size else EPS

    @property
    def scale(self) -> float:
        """The smallest known length scale: a kink's distance from 0, at most 1."""
        sizes = [abs(k) for k in self.kinks if abs(k) > 1e-6]
        return min([1.0, *sizes])

    def value(self, y: NDArray) -> NDArray:
        """Return the function's own values."""
        return self.subject.losses(y, np.full(y.shape, self.target))

    def evaluate_with_bars(self, y: NDArray, order: int) -> tuple[NDArray, NDArray]:
        """Return values (order 0) or derivatives, at a kink any subgradient, and error bars."""
        if order:
            return self.derivative(y, order)
        values = self.value(y)
        return values, self.error_bars(self.value, y, values)

    def error_bars(
        self, function: Callable[[NDArray], NDArray], y: NDArray, values: NDArray
    ) -> NDArray:
        """Return error bars of the values of a function for rounding."""
        clipped = lambda x: function(np.clip(x, self.low, self.high))  # noqa: E731
        return error_bars(values, y, clipped, self.eps)

    @abstractmethod
    def derivative(self, y: NDArray, order: int) -> tuple[NDArray, NDArray]:
        """Return first or second derivatives and error bars."""

    def grid(self) -> NDArray:
        """Return sorted, inner predictions: all magnitudes, and both sides of every kink."""
        rng = self.search.rng(f"curve {self.target}")
        count = int(np.clip(self.search.examples, *_DRAWN))
        if np.isfinite(self.low) and np.isfinite(self.high):
            width = self.high - self.low
            gaps = 10.0 ** -np.arange(1.0, 13)
            edges = np.concatenate([self.low + width * gaps, self.high - width * gaps])
            inner = self.low + width * np.concatenate([np.arange(1, 40) / 40, rng.random(count)])
        else:
            base = 0.0 if not np.isfinite(self.low) else self.low
            powers = np.arange(-np.log10(_FARTHEST), np.log10(_FARTHEST))
            sizes = np.concatenate([10.0**powers, [0.25, 0.5, 2.0, 3.0, 5.0, 30.0]])
            edges = np.concatenate([base + sizes, base - sizes, [base]])
            usual = rng.normal(size=count) * rng.choice([0.3, 1.0, 3.0, 10.0], count)
            inner = np.concatenate([base + usual, self.scale * usual])
        around = [k + s * d * self.scale for k in self.kinks for d in (1e-6, 1e-3, 0.1, 1.0)
                  for s in (-1, 1)]  # fmt: skip
        found = np.unique(np.concatenate([edges, inner, around]))
        return self._inner_argument(found)

    def even_line(self) -> NDArray:
        """Return an even line of inner predictions, for checks that only call the function."""
        return self._inner_argument(np.arange(-_LINE, _LINE + _LINE_STEP, _LINE_STEP))

    def _inner_argument(self, y: NDArray) -> NDArray:
        keep = (y > self.low) & (y < self.high)
        keep &= promised_mask(self.space, y, self.subject.prediction_range)
        return np.asarray(y[keep], np.float64)


@dataclass(frozen=True)
class ExactCurve(Curve):
    """A curve with a known formula: derivatives are exact up to a unit of rounding."""

    # The derivatives that were computed, by order and prediction.
    known: dict[int, dict[float, float]] = field(
        default_factory=lambda: {1: {}, 2: {}}, compare=False
    )

    def derivative(self, y: NDArray, order: int) -> tuple[NDArray, NDArray]:
        """Return first or second derivatives, rounded once, and error bars."""
        self.search.count(y.size)
        known = self.known[order]
        new = np.asarray([x for x in np.unique(y).tolist() if x not in known])
        if new.size:
            both = 2 if new.size >= _BOTH else order
            found = self._exact(both, new)
            for degree, derivative in enumerate(found, 1):
                values = to_float(derivative).tolist()
                self.known[degree].update(zip(new.tolist(), values, strict=True))
        results = np.asarray([known[x] for x in y.tolist()], np.float64)
        return results, 2 * EPS * np.abs(results)

    def _exact(self, order: int, y: NDArray) -> tuple[Array, ...]:
        return self.subject.exact.derivatives(order, y, np.full(y.shape, self.target))


@dataclass(frozen=True)
class ColumnCurve(ExactCurve):
    """The loss of a row along one of its columns, whose number is the curve's `target`."""

    row: Points = field(kw_only=True)

    @property
    def space(self) -> Space:
        """The space of the column; each row of a group has the same columns."""
        each = self.subject.prediction.space_of_each(self.subject.prediction.flat_size(1))
        return each[int(self.target) % len(each)]

    def grid(self) -> NDArray:
        """Return inner predictions without ties, where dual numbers would take one branch."""
        grid = super().grid()
        return np.asarray(grid[grid != 0] * (1 - _BESIDE_TIES))

    def points(self, y: NDArray) -> Points:
        """Return the row with other predictions in the column."""
        rows = self.row.take(np.zeros(y.size, int))
        rows.y[:, int(self.target)] = y
        return rows

    def _exact(self, order: int, y: NDArray) -> tuple[Array, ...]:
        rows = self.points(y)
        return self.subject.exact.partials(int(self.target), order, rows.y, rows.t)


class FloatCurve(Curve):
    """A curve with known values only: derivatives are differences of them."""

    def _steps(self, y: NDArray, relative: float) -> NDArray:
        step = relative * np.maximum(np.abs(y), self.scale)
        room = np.minimum(y - self.low, self.high - y) / 2
        step = np.minimum(step, np.where(np.isfinite(room), room, step))
        # A power of two, so that y + step and y - step are exact near y.
        return np.asarray(2.0 ** np.floor(np.log2(np.maximum(step, TINY))))

    def derivative(self, y: NDArray, order: int) -> tuple[NDArray, NDArray]:
        """Return central differences and error bars."""
        coarser = (self.eps / EPS) ** (1 / (order + 2))
        h = self._steps(y, coarser * _RELATIVE_STEPS[order])
        left, here, right = self.value(y - h), self.value(y), self.value(y + h)
        if order == 2:
            noise = (np.abs(left) + 2 * np.abs(here) + np.abs(right)) * 4 * self.eps + 8 * TINY
            results = (left - 2 * here + right) / h**2
            return results, noise / h**2 + 1e-3 * np.abs(results)
        noise = (
            self.error_bars(self.value, y - h, left) / 16
            + self.error_bars(self.value, y + h, right) / 16
        )
        results = (right - left) / (2 * h)
        # The change with half the step bounds the error of the step.
        halved = (self.value(y + h / 2) - self.value(y - h / 2)) / h
        second_derivative = np.abs(right - 2 * here + left) / h
        return results, noise / h + 1e-4 * second_derivative + 2 * np.abs(halved - results)


def curves(subject: Subject, search: Search) -> list[Curve]:
    """Return the cached curves of an elementwise loss, one for each of a few targets."""
    return search.cached("curves", lambda: _make_curves(subject, search))


def column_curves(subject: Subject, search: Search, row: Points) -> list[ColumnCurve]:
    """Return the curves of a row along each of its columns."""
    found = []
    for column in range(row.y.shape[-1]):
        curve = ColumnCurve(subject, search, float(column), -np.inf, np.inf, (), row=row)
        space = UNIT if curve.space == SIMPLEX else curve.space
        low, high = _prediction_limits(space, subject.prediction_range)
        found.append(replace(curve, low=low, high=high))
    return found


def _prediction_limits(space: Space, sizes: PromisedRange) -> tuple[float, float]:
    """Return where predictions begin and end, by their space and by what is promised."""
    low, high = (space.low, space.high) if isinstance(space, Interval) else (-np.inf, np.inf)
    _, most = promised_sizes(space, sizes).limits("float64")
    return (max(low, -most), min(high, most)) if most < _FARTHEST else (low, high)


def require_intervals(subject: Subject) -> None:
    """Raise `NotApplicable` if predictions are isolated numbers."""
    space = subject.prediction
    each = space.space_of_each(space.flat_size(1))
    if not all(isinstance(one, Interval | Simplex) for one in each):
        raise NotApplicable(f"there are no lines between predictions in {subject.prediction}")


def _make_curves(subject: Subject, search: Search) -> list[Curve]:
    require_intervals(subject)
    kind = ExactCurve if subject.truth is not None else FloatCurve
    space = subject.prediction
    low, high = _prediction_limits(space, subject.prediction_range)
    kinks = subject.kinks()
    if subject.kind in ("distance", "margin"):
        # One target is enough: a residual or a margin says it all.
        t = 0.0 if subject.kind == "distance" else 1.0
        if subject.target.outside_or_none(np.array([t])) is not None:
            t = curve_targets(subject)[0]
        drawn = [(t, tuple(t + k for k in kinks) if subject.kind == "distance" else kinks)]
    else:
        drawn = [(t, (t,)) for t in curve_targets(subject)]
    found = [(t, k) for t, k in drawn if subject.mean_weights(np.zeros(1), np.full(1, t)).any()]
    if not found:
        raise NotApplicable("a mask leaves out every target of its curves")
    every: list[Curve] = [kind(subject, search, t, low, high, k) for t, k in found]
    # Where a derivative or a convex piece can be: between two predictions.
    long_enough = [curve for curve in every if curve.grid().size > 1]
    if not long_enough:
        raise NotApplicable("results are promised for too few predictions of its curves")
    return long_enough


def curve_targets(subject: Subject) -> tuple[float, ...]:
    """Return a few targets of a pointwise loss."""
    if isinstance(subject.target, FiniteSpace):
        return subject.target.members
    some = np.array(_TARGETS)
    some = some[promised_mask(subject.target, some, subject.target_range)]
    inside = [t for t in some.tolist() if subject.target.outside_or_none(np.array([t])) is None]
    if not inside:
        inside = usual_members(subject.target, np.random.default_rng(0), (4,)).tolist()
    return tuple(inside[:4])

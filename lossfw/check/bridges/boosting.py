"""The laws of bridges to boosting libraries."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lossfw.check.core.draw_columns import usual_rows
from lossfw.check.core.search import Counterexample, NotApplicable, Search, ordinary_points
from lossfw.check.core.subject import subject_of_component
from lossfw.components.spaces import BINARY, SIGN, UNIT
from lossfw.errors import LossfwError
from lossfw.learning.bridge import BoostingBridge, BoostingSettings
from lossfw.learning.derivatives import derivatives, has_zero_gradients, labels_of
from lossfw.learning.raw_form import Rows, raw_loss_of, targets_for
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

# Groups of so many rows, 47 together, and so many numbers of a vector without a size.
_SIZES = np.array([7, 1, 12, 5, 22])
_WIDTH = 3
# So many rows: two leaves of an odd and an even number, and more than a block of SIMD.
_COUNT = 47
# Libraries keep labels and derivatives in float32, and add up some hundred of them.
_FLOAT32 = 2e-6
# Rounding of a leaf: sums of derivatives in float32, added to a start in float32.
_LEAF = 2e-5
# Libraries make no split for a gain that is mere rounding.
_LEAST_GAIN = 1e-6
# Away from a minimum by so much, the sum of gradients has a sign; relative to the start.
_ASIDE = 1e-4
_ROUNDS, _RATE, _L2 = 30, 0.3, 1.0
# A loss may end above its least value by the rounding of the last steps.
_FALLEN = 1e-6


@dataclass(frozen=True)
class BridgeRows:
    """A loss of raw predictions, and ordinary rows in numbers that are exact in float32."""

    bridge: BoostingBridge
    loss: Loss
    search: Search
    form: Loss  # of raw predictions
    y: NDArray  # raw predictions, (N,) or (N, K)
    t: NDArray  # targets or labels, (N,), in growing order
    w: NDArray  # whole weights from 1 to 3, of the rows or of the groups
    sizes: NDArray | None = None  # of groups

    @property
    def feature(self) -> NDArray:
        """A feature that separates the larger half of the targets from the others, (N, 1)."""
        upper = np.arange(len(self.t)) >= len(self.t) // 2
        if self.sizes is not None:
            first = self.t if self.t.ndim == 1 else self.t[:, 0]
            upper = np.greater(first, np.median(first))
        return np.asarray(upper[:, None].astype(np.float32))

    def rows(self, y: NDArray, weight: NDArray | None = None) -> Rows:
        """Return raw predictions with the targets, as the loss takes them."""
        known = targets_for(self.form, self.t, weight, self.sizes)
        return Rows(y, known.t, known.w, None, known.group)

    def gradients(self, y: NDArray, weight: NDArray | None = None) -> NDArray:
        """Return the published gradients."""
        return np.asarray(self.rows(y, weight).compute(self.form, "gradient"))

    def mean(self, y: NDArray, weight: NDArray | None = None) -> float:
        """Return the weighted mean loss."""
        return self.rows(y, weight).mean(self.form)

    @property
    def row_weights(self) -> NDArray:
        """The weight of each row."""
        return self.w if self.sizes is None else np.repeat(self.w, self.sizes)

    @property
    def groups(self) -> tuple[NDArray, ...]:
        """The sizes of groups, as a further argument for bridges that know groups."""
        return () if self.sizes is None else (self.sizes,)

    def start(self) -> NDArray:
        """Return the library's start."""
        classes = self.y.shape[1] if self.y.ndim == 2 else None
        own = self.bridge.best_constant(self.loss, self.t, self.w, classes=classes)
        start = np.asarray(own, np.float64)
        if has_zero_gradients(derivatives(self.loss, wide=self.bridge.is_wide), start, self.t):
            raise NotApplicable(
                f"from the start, {start}, the gradient of every row is 0: the start is at a kink "
                "or on a plateau"
            )
        return start

    def tile_start(self, start: NDArray) -> NDArray:
        """Return one raw prediction for all rows."""
        return np.full(self.y.shape, start)

    def derivatives(
        self, y: NDArray, weight: NDArray | None, curvature: str = "auto"
    ) -> list[NDArray]:
        """Return the gradients and curvatures that the library gets."""
        labels, table = labels_of(self.t, self.form)
        more = {} if table is None else {"target": table}
        objective = self.bridge.objective(self.loss, curvature=curvature, **more)
        return list(self.bridge.derivatives(objective, y, labels, weight, *self.groups))

    def refutation(self, what: str) -> Counterexample:
        """Return the refutation that the library gets something."""
        text = f"{self.bridge.name} gets {what}."
        return Counterexample(text, "(y, t, w)", y=self.y, t=self.t, w=self.w)

    def require_equal(self, actual: NDArray, expected: NDArray, what: str) -> None:
        """Refute other numbers than the expected ones."""
        if not is_close(actual, expected):
            raise self.refutation(
                f"{what} that are not those of the loss: {actual[:3]} ...; expected "
                f"{expected[:3]} ..."
            )


def is_close(
    actual: NDArray, expected: NDArray, tolerance: float = _FLOAT32, absolute_scale: float = 0.0
) -> bool:
    """Tell whether numbers are equal up to a relative tolerance."""
    size = absolute_scale + np.abs(expected[np.isfinite(expected)]).max(initial=0.0)
    return actual.shape == expected.shape and bool(
        np.allclose(actual, expected, tolerance, tolerance * size, equal_nan=True)
    )


def _make_rows(bridge: BoostingBridge, loss: Loss, search: Search, name: str) -> BridgeRows:
    form, rng = raw_loss_of(loss, wide=bridge.is_wide), search.rng(f"bridge {name}")
    sizes = None
    if form.has_columns or form.takes_groups:
        y, t = _make_wide_rows(form, search, name)
        sizes = _SIZES if form.takes_groups else None
    elif form.takes_rows:
        columns = form.fixed_classes or 3
        y = rng.normal(scale=2.0, size=(_COUNT, columns))
        # Every class is there.
        others = rng.integers(0, columns, _COUNT - columns)
        t = np.sort(np.concatenate([np.arange(columns), others]))
    else:
        y, t = _make_element_rows(form, search, name)
    w = rng.integers(1, 4, len(t) if sizes is None else len(sizes)).astype(np.float64)
    search.count(len(t))
    y = y.astype(np.float32).astype(np.float64)
    return BridgeRows(bridge, loss, search, form, y, t, w, sizes)


def _make_wide_rows(form: Loss, search: Search, name: str) -> tuple[NDArray, NDArray]:
    """Return raw predictions and targets of a loss of groups, or of rows with named columns."""
    rng = search.rng(f"bridge {name}")
    space, other = form.prediction_space, form.target_space
    width = _WIDTH if space.axes else 1
    y = usual_rows(space, space.flat_size(width), rng, _COUNT)
    t = usual_rows(other, other.flat_size(_WIDTH), rng, _COUNT)
    t = t.astype(np.float32).astype(np.float64)
    return y, t if form.takes_groups or other.axes else np.sort(t)


def _make_element_rows(form: Loss, search: Search, name: str) -> tuple[NDArray, NDArray]:
    rng = search.rng(f"bridge {name}")
    points = ordinary_points(subject_of_component(form), search, f"bridge {name}", _COUNT)
    rows = rng.integers(0, len(points.t), _COUNT)
    t = np.sort(np.asarray(points.t[rows], np.float32).astype(np.float64))
    if form.target_space in (SIGN, UNIT, BINARY):
        # Labels, which is what libraries take, and both of them.
        low = -1.0 if form.target_space is SIGN else 0.0
        t = np.where(t > 0.5, 1.0, low)
        t[0], t[-1] = low, 1.0
    return np.asarray(points.y[rng.permutation(rows)], np.float64), t


# The laws by name, in the order in which they are tried.
LAWS: dict[str, Callable[[BoostingBridge, Loss, Search], None]] = {}


def _register_law(function: Callable[[BridgeRows], None]) -> Callable[[BridgeRows], None]:
    """Enter a function of rows as the law of its name, less ``check_``."""
    name = function.__name__.removeprefix("check_")
    LAWS[name] = lambda bridge, loss, search: function(_make_rows(bridge, loss, search, name))
    return function


@_register_law
def check_gradients(rows: BridgeRows) -> None:
    """The library gets the published gradients, and curvatures above 0, of each row."""
    gradients, curvatures = rows.derivatives(rows.y, None)
    rows.require_equal(gradients, rows.gradients(rows.y), "gradients")
    if curvatures.shape != gradients.shape or not (
        np.isfinite(curvatures).all() and (curvatures > 0).all()
    ):
        raise rows.refutation(f"curvatures that are not above 0: {curvatures[:3]} ...")


@_register_law
def check_weights(rows: BridgeRows) -> None:
    """Gradients and curvatures are multiplied by the weight, once."""
    # The curvature 1 does not depend on the other rows.
    gradients, curvatures = rows.derivatives(rows.y, rows.w, "one")
    rows.require_equal(gradients, rows.gradients(rows.y, rows.w), "weighted gradients")
    w = rows.row_weights
    expected = np.ones_like(rows.y) * (w if rows.y.ndim == 1 else w[:, None])
    rows.require_equal(curvatures, expected, "weighted curvatures")


@_register_law
def check_start(rows: BridgeRows) -> None:
    """The loss falls below the start, and grows above it."""
    if rows.sizes is not None:
        raise NotApplicable("a loss of groups starts at 0")
    start = rows.start()
    below, above = (_gradients_after(rows, start, side * _ASIDE) for side in (-1.0, 1.0))
    limit = _LEAST_GAIN * np.abs(rows.gradients(rows.tile_start(start), rows.w)).sum()
    if not (np.all(below <= limit) and np.all(above >= -limit)):
        raise rows.refutation(
            f"the start {start}, below and above which the gradients sum to {below} and {above}: "
            "it is not a minimum"
        )


def _gradients_after(rows: BridgeRows, start: NDArray, step: float) -> NDArray:
    """Return the sums of gradients after a step of one raw prediction, for each of them."""
    if not np.ndim(start):
        moved = start + step * (1.0 + np.abs(start))
        return np.asarray(rows.gradients(rows.tile_start(moved), rows.w).sum())
    moves = np.eye(len(start)) * step
    sums = [rows.gradients(rows.tile_start(start + move), rows.w).sum(axis=0) for move in moves]
    return np.diag(np.array(sums))


@_register_law
def check_stump(rows: BridgeRows) -> None:
    """A tree of two leaves with l2 = 1 has the leaves that follow from gradients and curvatures."""
    bridge, start = rows.bridge, rows.start()
    constant = rows.tile_start(start)
    gradients, curvatures = rows.derivatives(constant, rows.w)
    upper = rows.feature[:, 0] > 0
    w = rows.row_weights
    leaves = [
        bridge.leaf_value(gradients[half], curvatures[half], w, _L2) for half in (~upper, upper)
    ]
    if any(leaf is None for leaf in leaves):
        raise NotApplicable(f"{bridge.name} finds the leaves of this loss in another way")
    expected = constant + np.stack(leaves)[upper.astype(int)]  # type: ignore[arg-type]  # none is None
    halves = (upper, ~upper, np.ones_like(upper))
    gains = [gradients[x].sum(axis=0) ** 2 / (curvatures[x].sum(axis=0) + _L2) for x in halves]
    both = gains[0] + gains[1]
    if np.any(both - gains[2] <= _LEAST_GAIN * both):
        raise NotApplicable("the two halves of the targets ask for the same leaf")
    training = BoostingSettings(rows.feature, rows.t, rows.w, start, l2=_L2, sizes=rows.sizes)
    actual = bridge.fit_predict(rows.loss, training)
    if not is_close(actual, expected, _LEAF):
        raise rows.refutation(
            f"a tree of two leaves that predicts {actual[0]} and {actual[-1]}, where gradients, "
            f"curvatures and the start {start} give {expected[0]} and {expected[-1]}"
        )


@_register_law
def check_falls(rows: BridgeRows) -> None:
    """Thirty rounds without regularisation end below the loss of the start, and do not explode."""
    start, count = rows.start(), len(rows.t)
    # A feature with an order that is nearly that of the targets, so that trees have to choose.
    rank = np.argsort(np.arange(count) + rows.search.rng("bridge order").normal(0, 4, count))
    x = np.column_stack([rows.feature[:, 0], np.argsort(rank)]).astype(np.float32)
    before = rows.mean(rows.tile_start(start), rows.w)
    training = BoostingSettings(x, rows.t, rows.w, start, _ROUNDS, _RATE, sizes=rows.sizes)
    ended = rows.bridge.fit_predict(rows.loss, training)
    after, allowed = rows.mean(ended, rows.w), before + _FALLEN * (1.0 + abs(before))
    if allowed < after < np.inf:
        # Rows at a kink, where a gradient does not get smaller, go to and fro by a last step.
        gradients, curvatures = rows.derivatives(ended, rows.w)
        allowed += float(np.sum(_RATE * gradients**2 / curvatures) / rows.w.sum())
    if not after <= allowed:
        raise rows.refutation(
            f"after {_ROUNDS} rounds a mean loss of {after:.6g}, which began at {before:.6g}"
        )


@_register_law
def check_twice(rows: BridgeRows) -> None:
    """A row of weight 2 counts as the row twice."""
    x, t, start = rows.feature, rows.t, rows.start()
    if rows.sizes is None:
        twice, sizes = np.repeat(np.arange(len(t)), rows.w.astype(int)), None
    else:
        numbers = np.repeat(np.arange(len(rows.sizes)), rows.w.astype(int))
        parts = np.split(np.arange(len(t)), np.cumsum(rows.sizes)[:-1])
        twice, sizes = np.concatenate([parts[i] for i in numbers]), rows.sizes[numbers]
    once = rows.bridge.fit_predict(
        rows.loss, BoostingSettings(x, t, rows.w, start, sizes=rows.sizes)
    )
    training = BoostingSettings(x[twice], t[twice], None, start, sizes=sizes)
    again = rows.bridge.fit_predict(rows.loss, training)
    if not is_close(again, once[twice], _LEAF):
        raise rows.refutation(
            f"the predictions {once[0]} and {once[-1]} with weights, and {again[0]} and "
            f"{again[-1]} with rows repeated as often"
        )


@_register_law
def check_finite(rows: BridgeRows) -> None:
    """A row whose derivatives are not finite is an error that names it."""
    y, at = rows.y.copy(), 5
    y[at] = np.nan
    try:
        rows.derivatives(y, None)
    except LossfwError as error:
        # CatBoost asks for several classes a row at a time, and then no one knows its number.
        if f"row {at}" in str(error) or (y.ndim == 2 and "nan" in str(error)):
            return
        raise rows.refutation(f"an error that names no row: {error}") from error
    raise rows.refutation("derivatives for a raw prediction that is NaN")


@_register_law
def check_metric(rows: BridgeRows) -> None:
    """The metric is the weighted mean loss, and less is better."""
    for weight in (None, rows.w):
        expected = rows.mean(rows.y, weight)
        labels, table = labels_of(rows.t, rows.form)
        metric = rows.bridge.metric(rows.loss, **({} if table is None else {"target": table}))
        actual, greater = rows.bridge.score(metric, rows.y, labels, weight, *rows.groups)
        if greater or not is_close(np.array([actual]), np.array([expected])):
            raise rows.refutation(
                f"the metric {actual:.9g}, of which {'more' if greater else 'less'} is better, "
                f"where the mean loss is {expected:.9g}"
            )


def check_copies(bridge: BoostingBridge, loss: Loss, search: Search) -> None:
    """An objective and its copies are equal: by pickle, by deepcopy, and made again."""
    search.count(1)
    one = bridge.objective(loss)
    copies: dict[str, Callable[[], object]] = {
        "a deep copy": lambda: copy.deepcopy(one),
        "another one": lambda: bridge.objective(loss),
        "a pickle": lambda: pickle.loads(_pickle_objective(one)),  # noqa: S301  # our own
    }
    for name, make in copies.items():
        other = make()
        if other != one or hash(other) != hash(one):
            raise Counterexample(
                f"{name} of the objective of {bridge.name} is not equal to it, so that it does not "
                "survive clone, GridSearchCV or joblib",
                f"bridge.objective({loss!r})",
            )


LAWS["copies"] = check_copies


def _pickle_objective(objective: object) -> bytes:
    """Return a pickle; a class that no module holds cannot be pickled by anyone."""
    try:
        return pickle.dumps(objective)
    except (pickle.PicklingError, AttributeError) as error:
        raise NotApplicable(f"the class of the loss cannot be pickled: {error}") from error

"""The laws of bridges to boosting libraries."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import numpy as np

from lossfw.bridges.boosting import derivatives, is_dead
from lossfw.bridges.bridge import Boosting, BoostingBridge
from lossfw.check.bridges.rows import LibraryRows, library_rows, same
from lossfw.check.core.search import Counterexample, NotApplicable, Search
from lossfw.errors import LossfwError
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

# Rounding of a leaf: sums of derivatives in float32, added to a start in float32.
_LEAF = 2e-5
# Libraries make no split for a gain that is mere rounding.
_LEAST_GAIN = 1e-6
# Away from a minimum by so much, the sum of slopes has a sign; relative to the start.
_ASIDE = 1e-4
_ROUNDS, _RATE = 30, 0.3
# A loss may end above its least value by the rounding of the last steps.
_FALLEN = 1e-6
_L2 = 1.0


def check_slopes(bridge: BoostingBridge, loss: Loss, search: Search) -> None:
    """The library is handed the published slopes, and curvatures above 0, of each row."""
    rows = library_rows(loss, search, "slopes")
    search.count(len(rows.t))
    slopes, bends = bridge.sees(bridge.objective(loss), rows.y, rows.t, None)
    _refuse_other(bridge, rows, slopes, rows.slopes(rows.y), "slopes")
    if bends.shape != slopes.shape or not (np.isfinite(bends).all() and (bends > 0).all()):
        raise _refuted(bridge, rows, f"curvatures that are not above 0: {bends[:3]} ...")


def check_weights(bridge: BoostingBridge, loss: Loss, search: Search) -> None:
    """Slopes and curvatures are multiplied by the weight, once."""
    rows = library_rows(loss, search, "weights")
    search.count(len(rows.t))
    # The curvature 1 does not depend on the other rows.
    objective = bridge.objective(loss, curvature="one")
    slopes, bends = bridge.sees(objective, rows.y, rows.t, rows.w)
    _refuse_other(bridge, rows, slopes, rows.slopes(rows.y, rows.w), "weighted slopes")
    wanted = np.ones_like(rows.y) * (rows.w if rows.y.ndim == 1 else rows.w[:, None])
    _refuse_other(bridge, rows, bends, wanted, "weighted curvatures")


def check_start(bridge: BoostingBridge, loss: Loss, search: Search) -> None:
    """Below the start the loss falls, and above it the loss grows."""
    rows = library_rows(loss, search, "start")
    search.count(len(rows.t))
    begin = _start(bridge, loss, rows)
    below, above = (_slopes_beside(rows, begin, side * _ASIDE) for side in (-1.0, 1.0))
    limit = _LEAST_GAIN * np.abs(rows.slopes(_tiled(rows, begin), rows.w)).sum()
    if not (np.all(below <= limit) and np.all(above >= -limit)):
        raise _refuted(
            bridge, rows, f"the start {begin}, below and above which the slopes sum to {below} and "
            f"{above}: it is no minimum",
        )  # fmt: skip


def _slopes_beside(rows: LibraryRows, begin: NDArray, step: float) -> NDArray:
    """Return the sums of slopes after a step of one raw prediction, for each of them."""
    if not np.ndim(begin):
        moved = begin + step * (1.0 + np.abs(begin))
        return np.asarray(rows.slopes(_tiled(rows, moved), rows.w).sum())
    moves = np.eye(len(begin)) * step
    sums = [rows.slopes(_tiled(rows, begin + move), rows.w).sum(axis=0) for move in moves]
    return np.diag(np.array(sums))


def check_stump(bridge: BoostingBridge, loss: Loss, search: Search) -> None:
    """A tree of two leaves with l2 = 1 has the leaves that follow from slopes and curvatures."""
    rows = library_rows(loss, search, "stump")
    search.count(len(rows.t))
    begin = _start(bridge, loss, rows)
    constant = _tiled(rows, begin)
    slopes, bends = bridge.sees(bridge.objective(loss), constant, rows.t, rows.w)
    upper = rows.feature[:, 0] > 0
    low = bridge.leaf(slopes[~upper], bends[~upper], rows.w, _L2)
    high = bridge.leaf(slopes[upper], bends[upper], rows.w, _L2)
    if low is None or high is None:
        raise NotApplicable(f"{bridge.name} finds the leaves of this loss in another way")
    wanted = constant + np.stack([low, high])[upper.astype(int)]
    _refuse_little_gain(slopes, bends, upper)
    found = bridge.boosted(loss, Boosting(rows.feature, rows.t, rows.w, begin, l2=_L2))
    if not same(found, wanted, _LEAF):
        raise _refuted(
            bridge, rows, f"a tree of two leaves that predicts {found[0]} and {found[-1]}, where "
            f"slopes, curvatures and the start {begin} give {wanted[0]} and {wanted[-1]}",
        )  # fmt: skip


def _refuse_little_gain(slopes: NDArray, bends: NDArray, upper: NDArray) -> None:
    """Raise `NotApplicable` where no split improves the loss."""

    def score(some: NDArray) -> NDArray:
        found: NDArray = slopes[some].sum(axis=0) ** 2 / (bends[some].sum(axis=0) + _L2)
        return found

    both = score(upper) + score(~upper)
    if np.any(both - score(np.ones_like(upper)) <= _LEAST_GAIN * both):
        raise NotApplicable("the two halves of the targets ask for the same leaf")


def check_falls(bridge: BoostingBridge, loss: Loss, search: Search) -> None:
    """Thirty rounds without regularisation end below the loss of the start, and do not explode."""
    rows = library_rows(loss, search, "falls")
    search.count(len(rows.t))
    begin = _start(bridge, loss, rows)
    # A feature with an order that is nearly that of the targets, so that trees have to choose.
    rank = np.argsort(np.arange(len(rows.t)) + search.rng("bridge order").normal(0, 4, len(rows.t)))
    x = np.column_stack([rows.feature[:, 0], np.argsort(rank)]).astype(np.float32)
    training = Boosting(x, rows.t, rows.w, begin, _ROUNDS, _RATE)
    before = _mean(rows, _tiled(rows, begin))
    found = bridge.boosted(loss, training)
    after = _mean(rows, found)
    if not after <= before + _FALLEN * (1.0 + abs(before)):
        raise _refuted(
            bridge, rows, f"after {_ROUNDS} rounds a mean loss of {after:.6g}, which began at "
            f"{before:.6g}",
        )  # fmt: skip


def check_twice(bridge: BoostingBridge, loss: Loss, search: Search) -> None:
    """A row of weight 2 counts as the row twice."""
    rows = library_rows(loss, search, "twice")
    search.count(len(rows.t))
    begin = _start(bridge, loss, rows)
    doubled = np.repeat(np.arange(len(rows.t)), rows.w.astype(int))
    once = bridge.boosted(loss, Boosting(rows.feature, rows.t, rows.w, begin))
    again = bridge.boosted(loss, Boosting(rows.feature[doubled], rows.t[doubled], None, begin))
    if not same(again, once[doubled], _LEAF):
        raise _refuted(
            bridge, rows, f"the predictions {once[0]} and {once[-1]} with weights, and {again[0]} "
            f"and {again[-1]} with rows repeated as often",
        )  # fmt: skip


def check_finite(bridge: BoostingBridge, loss: Loss, search: Search) -> None:
    """A row whose derivatives are not finite is an error that names it."""
    rows = library_rows(loss, search, "finite")
    search.count(len(rows.t))
    y, at = rows.y.copy(), 5
    y[at] = np.nan
    try:
        bridge.sees(bridge.objective(loss), y, rows.t, None)
    except LossfwError as error:
        # CatBoost asks for several classes a row at a time, and then no one knows its number.
        if f"row {at}" in str(error) or (y.ndim == 2 and "nan" in str(error)):
            return
        raise _refuted(bridge, rows, f"an error that names no row: {error}") from error
    raise _refuted(bridge, rows, "derivatives for a raw prediction that is NaN")


def check_metric(bridge: BoostingBridge, loss: Loss, search: Search) -> None:
    """The metric is the weighted mean loss, and less is better."""
    rows = library_rows(loss, search, "metric")
    search.count(len(rows.t))
    for weight in (None, rows.w):
        wanted = float(rows.form(rows.y, rows.t, sample_weight=weight))
        found, greater = bridge.score(bridge.metric(loss), rows.y, rows.t, weight)
        if greater or not same(np.array([found]), np.array([wanted])):
            raise _refuted(
                bridge, rows, f"the metric {found:.9g}, of which {'more' if greater else 'less'} "
                f"is better, where the mean loss is {wanted:.9g}",
            )  # fmt: skip


def check_copies(bridge: BoostingBridge, loss: Loss, search: Search) -> None:
    """An objective and its copies are equal: by pickle, by deepcopy, and made again."""
    search.count(1)
    one = bridge.objective(loss)
    copies: dict[str, Callable[[], object]] = {
        "a deep copy": lambda: copy.deepcopy(one),
        "another one": lambda: bridge.objective(loss),
        "a pickle": lambda: pickle.loads(_pickled(one)),  # noqa: S301  # our own
    }
    for name, make in copies.items():
        other = make()
        if other != one or hash(other) != hash(one):
            raise Counterexample(
                f"{name} of the objective of {bridge.name} is not equal to it, so that it does not "
                "survive clone, GridSearchCV or joblib",
                f"bridge.objective({loss!r})",
            )


def _pickled(objective: object) -> bytes:
    """Return a pickle; a class that no module holds cannot be pickled by anyone."""
    try:
        return pickle.dumps(objective)
    except (pickle.PicklingError, AttributeError) as error:
        raise NotApplicable(f"the class of the loss cannot be pickled: {error}") from error


LAWS: dict[str, Callable[[BoostingBridge, Loss, Search], None]] = {
    "slopes": check_slopes,
    "weights": check_weights,
    "start": check_start,
    "stump": check_stump,
    "falls": check_falls,
    "twice": check_twice,
    "finite": check_finite,
    "metric": check_metric,
    "copies": check_copies,
}


def _start(bridge: BoostingBridge, loss: Loss, rows: LibraryRows) -> NDArray:
    found = bridge.start(loss, rows.t, rows.w, classes=rows.classes)
    begin: NDArray = np.asarray(found, np.float64)
    if is_dead(derivatives(loss), begin, rows.t):
        raise NotApplicable(f"from the start, {begin}, no row moves: it is on a kink or a plateau")
    return begin


def _tiled(rows: LibraryRows, begin: NDArray) -> NDArray:
    return np.broadcast_to(begin, rows.y.shape).copy()


def _mean(rows: LibraryRows, y: NDArray) -> float:
    return float(rows.form(y, rows.t, sample_weight=rows.w))


def _refuse_other(
    bridge: BoostingBridge, rows: LibraryRows, found: NDArray, wanted: NDArray, what: str
) -> None:
    if not same(found, wanted):
        shown = f"{found[:3]} ..., and {wanted[:3]} ... were wanted"
        raise _refuted(bridge, rows, f"{what} that are not those of the loss: {shown}")


def _refuted(bridge: BoostingBridge, rows: LibraryRows, what: str) -> Counterexample:
    return Counterexample(f"{bridge.name} gets {what}.", "(y, t, w)", y=rows.y, t=rows.t, w=rows.w)

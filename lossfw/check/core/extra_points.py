"""Points chosen among many more than can be judged exactly.

An exact judgement costs as much as a thousand calls. So floats choose the points, but never decide.
For a component they are points on sides of a branch (``xp.where``) that the shared points rarely
take, and points near where a branch begins, because a form is used there at the end of its range.
For a function with a known formula they are suspects: points where the function differs from our
own floats by more than cancellation can explain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from lossfw.check.core.draw import draw
from lossfw.check.core.gravity import has_author_function
from lossfw.check.core.points import Points, any_in_row, cancellation_scale
from lossfw.check.core.search import Search
from lossfw.check.core.subject import Subject, call, subject_of_component
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

# So many points of a component are looked at for each example, elements or rows.
_LOOKED_AT = {False: 80, True: 12}

# So many points are to be on each side of a branch, and so many are added in all.
_WANTED = 4
_MOST = {False: 64, True: 12}

# So many places are looked at where a branch begins or ends: of an even function both.
_THRESHOLDS = 2

_FUNCTIONS = ("_unreduced", "_unreduced_gradient", "_unreduced_hessian")


class _BranchRecorder:
    """NumPy's functions; those that choose remember which side each element took, in `sides`."""

    def __init__(self) -> None:
        self.sides: list[NDArray] = []

    def where(self, condition: Any, a: Any, b: Any) -> Any:
        self.sides.append(np.asarray(condition))
        return np.where(condition, a, b)

    def maximum(self, a: Any, b: Any) -> Any:
        self.sides.append(np.asarray(a >= b))
        return np.maximum(a, b)

    def minimum(self, a: Any, b: Any) -> Any:
        self.sides.append(np.asarray(a <= b))
        return np.minimum(a, b)

    def clip(self, x: Any, *bounds: Any, **named: Any) -> Any:
        clipped = np.clip(x, *bounds, **named)
        self.sides += [np.asarray(x < clipped), np.asarray(x > clipped)]
        return clipped

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


def branch_points(subject: Subject, search: Search, dtype: str) -> list[Points]:
    """Return points of a component on sides of branches that the shared points seldom take."""
    loss = None if subject.component is None else subject.truth
    if loss is None or search.only is not None:
        return []
    if search.wider is not None:
        found = branch_points(subject, search.wider, dtype)
        return search.select_points(subject, found, f"branches {dtype}")

    def find() -> list[Points]:
        rng = search.rng(f"branches {dtype}")
        # Rows of few numbers cost no more than elements.
        count = _LOOKED_AT[subject.rows and not subject.has_columns] * search.examples
        shared = search.points(subject, dtype)
        drawn = draw(subject, dtype, rng, count, dense=True)
        pools = [(some, [more for more in drawn if _row_shapes(more) == _row_shapes(some)])
                 for some in shared]  # fmt: skip
        found = [
            _points_on_branches(subject, loss, some, pool, rng)
            for some, pool in pools
            if len(some) and pool
        ]
        return [points for points in found if len(points)]

    return search.cached(("branches", dtype), find)


def _row_shapes(points: Points) -> tuple[tuple[int, ...], ...]:
    return points.y.shape[1:], points.t.shape[1:]


def _points_on_branches(
    subject: Subject, loss: Loss, shared: Points, pool: list[Points], rng: np.random.Generator
) -> Points:
    """Return points of a pool on sides that the shared points do not show."""
    y, t = (np.concatenate([getattr(some, x) for some in (shared, *pool)]) for x in "yt")
    candidates, selected = Points(y, t), set[int]()
    known = set[bytes]()
    for order, name in enumerate(_FUNCTIONS):
        if subject.kind == "group" and not has_author_function(subject, order):
            # A pass for each member of a group, which goes where the value goes.
            continue
        branch_masks, is_visible = _branch_masks(getattr(loss, name), subject, candidates)
        for mask in _target_masks(branch_masks, is_visible):
            n_shown = int(mask[: len(shared)].sum()) + int(mask[list(selected)].sum())
            unused = len(shared) + np.flatnonzero(mask[len(shared) :])
            missing = _WANTED - n_shown
            if missing > 0 and unused.size and len(selected) < _MOST[subject.rows]:
                picked = rng.choice(unused, min(missing, unused.size), replace=False)
                selected.update(picked.tolist())
        # Functions of a loss often have the same branches.
        for mask in [] if subject.rows else branch_masks:
            if mask.tobytes() not in known and len(selected) < _MOST[False]:
                seen = np.flatnonzero(is_visible)
                beside = _points_beside_thresholds(subject, candidates.take(seen), mask[seen], rng)
                selected.update(seen[beside].tolist())
            known.add(mask.tobytes())
    return candidates.take(np.array(sorted(selected), int))


def _points_beside_thresholds(
    subject: Subject, points: Points, mask: NDArray, rng: np.random.Generator
) -> NDArray:
    """Return some points, neighbours in the loss's own argument on two sides of a branch."""
    with np.errstate(all="ignore"):
        argument = {"distance": points.y - points.t, "margin": points.y * points.t}
    order = np.argsort(argument.get(subject.kind, points.y), kind="stable")
    ends = np.flatnonzero(mask[order][1:] != mask[order][:-1])
    some = rng.choice(ends, min(_THRESHOLDS, ends.size), replace=False)
    return np.asarray(order[np.concatenate([some, some + 1])])


def _target_masks(branch_masks: list[NDArray], is_visible: NDArray) -> Iterator[NDArray]:
    """Yield masks of points to have: on each side, those that show it first."""
    masks = [mask for branch in branch_masks for mask in (branch, ~branch)]
    for mask in masks:
        # Where a result is 0 or infinite on either side, a wrong side may not show.
        yield mask & is_visible
        yield mask


def _branch_masks(
    function: Callable[..., Any], subject: Subject, points: Points
) -> tuple[list[NDArray], NDArray]:
    """Return for each choice which points take it with any element, and which results show it."""
    recorder: Any = _BranchRecorder()
    try:
        with np.errstate(all="ignore"):
            result = function(recorder, points.y, subject.exact.class_rows(points.y, points.t))
            is_visible = np.isfinite(result) & (result != 0)
    except Exception:
        # An error on legal arguments is a matter of the checks of the call.
        return [], np.zeros(len(points), bool)
    every = [side for side in recorder.sides if side.shape[:1] == (len(points),)]
    return [any_in_row(side) for side in every], any_in_row(is_visible)


# So many points of an outside function are looked at for each example, elements or rows.
_LOOKED_AT_BY_FLOATS = {False: 30, True: 20}

# Results that differ by more rounding steps of the largest number in play are suspects;
# those this close to the largest float may overflow on the way.
_STEPS, _ALMOST = 512.0, 2.0**14

# So many suspects of each function are handed on.
_SUSPECTS = {False: 16, True: 6}

_NAMES = ("value", "gradient", "hessian")


def suspect_points(subject: Subject, search: Search, dtype: str, order: int) -> list[Points]:
    """Return points at which a value (order 0) or a derivative may differ from the formula."""
    if subject.truth is None or subject.component is not None or search.only is not None:
        return []
    own = subject_of_component(subject.truth)
    pair = getattr(subject, _NAMES[order]), getattr(own, _NAMES[order])
    found = []
    wider, count = search.in_all_regions, _LOOKED_AT_BY_FLOATS[subject.rows] * search.examples
    drawn = wider.cached(
        ("pool", dtype), lambda: draw(subject, dtype, wider.rng(f"pool {dtype}"), count)
    )
    pool = search.select_points(subject, drawn, f"pool {dtype}")
    for number, points in enumerate(pool):
        rng = search.rng(f"suspects {dtype} {order} {number}")
        index = _most_different(*pair, points, _SUSPECTS[subject.rows], rng)
        if index.size:
            found.append(points.take(index))
    return found


def _most_different(
    theirs: Callable[..., Any],
    ours: Callable[..., Any],
    points: Points,
    count: int,
    rng: np.random.Generator,
) -> NDArray:
    """Return the numbers of the points at which two functions differ the most, and of others."""
    try:
        actual, expected = (np.asarray(call(f, points.y, points.t)) for f in (theirs, ours))
    except Exception:
        # Legal arguments that are refused are a matter of the checks of the call.
        return np.zeros(0, int)
    if actual.shape != expected.shape or actual.dtype.kind != "f":
        return np.zeros(0, int)
    info = np.finfo(points.y.dtype)
    size = cancellation_scale(points).reshape(-1, *[1] * (actual.ndim - 1))
    actual, expected = actual.astype(np.float64), expected.astype(np.float64)
    with np.errstate(all="ignore"):
        error = np.abs(actual - expected) / np.fmax(size, np.abs(expected))
    beyond = np.abs(expected) > float(info.max) / _ALMOST
    same = (actual == expected) | np.isnan(expected) | beyond | (error <= _STEPS * float(info.eps))
    error = np.where(same, 0.0, np.where(np.isnan(error), np.inf, error))
    worst = error.reshape(len(points), -1).max(-1)
    index = np.flatnonzero(worst > 0)
    if index.size <= count:
        return index
    largest = index[np.argsort(-worst[index], kind="stable")[: count // 2]]
    return np.union1d(largest, rng.choice(index, count - count // 2, replace=False))

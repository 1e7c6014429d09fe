"""Points that are found by looking at many more than can be judged exactly.

An exact judgement costs a thousand calls. So plain floats choose the points for it, and never
decide. For a component they are points on those sides of a branch (``xp.where``) that the
points shared by all checks take seldom or never. For a function with a formula of ours they are
suspects: points where the function differs from our own floats by more than cancellation can do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from lossfw.check.core.dense_points import dense_pairs
from lossfw.check.core.draw import draw, elements, rows
from lossfw.check.core.search import Search
from lossfw.check.core.subject import (
    Points,
    Subject,
    call,
    cancellation_scale,
    drop_outside,
    of_component,
)
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

# So many points are looked at for each example, elements or rows.
_LOOKED_AT = {False: 40, True: 6}

# So many points are wanted on each side of a branch, and so many are added in all.
_WANTED = 4
_MOST = {False: 64, True: 12}

# A factor that bodies scale by, to stay clear of the ends of a format.
_FACTOR = 2.0**32

_FUNCTIONS = ("unreduced", "unreduced_gradient", "unreduced_hessian")


class _Recorder:
    """NumPy's functions; those that choose remember which side each element took, in `sides`."""

    def __init__(self) -> None:
        self.sides: list[NDArray] = []

    def where(self, condition: Any, a: Any, b: Any) -> Any:
        """Choose as NumPy does."""
        self.sides.append(np.asarray(condition))
        return np.where(condition, a, b)

    def maximum(self, a: Any, b: Any) -> Any:
        """Return the larger one, which is a choice too."""
        self.sides.append(np.asarray(a >= b))
        return np.maximum(a, b)

    def minimum(self, a: Any, b: Any) -> Any:
        """Return the smaller one."""
        self.sides.append(np.asarray(a <= b))
        return np.minimum(a, b)

    def clip(self, x: Any, *bounds: Any, **named: Any) -> Any:
        """Keep numbers within bounds, which is a choice of three."""
        kept = np.clip(x, *bounds, **named)
        self.sides += [np.asarray(x < kept), np.asarray(x > kept)]
        return kept

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


def branch_points(subject: Subject, search: Search, dtype: str) -> list[Points]:
    """Return points of a component on sides of branches that the shared points seldom take."""
    loss = subject.component
    if loss is None:
        return []

    def found() -> list[Points]:
        rng = search.rng(f"branches {dtype}")
        known = search.points(subject, dtype)
        added = (_added(subject, loss, some, pool, rng) for some, pool in _pools(
            subject, search, dtype, known, rng))  # fmt: skip
        return [points for points in added if len(points)]

    return search.once(("branches", dtype), found)


def _pools(
    subject: Subject, search: Search, dtype: str, known: list[Points], rng: np.random.Generator
) -> Iterator[tuple[Points, Points]]:
    """Yield shared points with many more of the same number of columns."""
    # Rows of few numbers cost no more than elements.
    count = _LOOKED_AT[subject.rows and not subject.target_per_row] * search.examples
    drawn = [*draw(subject, dtype, rng, count), *_dense(subject, dtype, rng, count)]
    for some in known:
        same = [more for more in drawn if more.y.shape[1:] == some.y.shape[1:]
                and more.t.shape[1:] == some.t.shape[1:]]  # fmt: skip
        if len(some) and same:
            y, t = (np.concatenate([getattr(more, x) for more in same]) for x in "yt")
            yield some, Points(y, t)


def _dense(subject: Subject, dtype: str, rng: np.random.Generator, count: int) -> list[Points]:
    masked = subject.component is not None and subject.component.has_own_weight
    if subject.target_per_row or masked:
        return []
    return [drop_outside(subject, points) for points in dense_pairs(subject, dtype, rng, count)]


def _added(
    subject: Subject, loss: Loss, known: Points, pool: Points, rng: np.random.Generator
) -> Points:
    both = Points(np.concatenate([known.y, pool.y]), np.concatenate([known.t, pool.t]))
    chosen: set[int] = set()
    # Logits at the ends of a format take thousands of exact digits and show little.
    ends = () if subject.rows else _ends(both)
    for name in _FUNCTIONS:
        for taken in _wanted(*_sides(getattr(loss, name), subject, both), ends):
            more = _WANTED - int(taken[: len(known)].sum()) - int(taken[list(chosen)].sum())
            free = len(known) + np.flatnonzero(taken[len(known) :])
            if more > 0 and free.size and len(chosen) < _MOST[subject.rows]:
                drawn = rng.choice(free, min(more, free.size), replace=False)
                chosen.update(drawn.tolist())
    return both.take(np.array(sorted(chosen), int))


def _wanted(sides: list[NDArray], shows: NDArray, ends: tuple[NDArray, ...]) -> Iterator[NDArray]:
    """Yield which points are wanted: on each side, those that show it, those at either end."""
    every = [taken for side in sides for taken in (side, ~side)]
    for taken in every:
        # Where a result is 0 or infinite on either side, a wrong side may not show.
        yield taken & shows
        yield taken
    for end in ends:
        yield from (taken & shows & end for taken in every)


def _ends(points: Points) -> tuple[NDArray, ...]:
    """Tell which points have an argument that a factor makes infinite, or subnormal.

    What a branch is there for may be such a factor.
    """
    info, huge, tiny = np.finfo(points.y.dtype), [], []
    for x in (points.y, points.t):
        size = np.abs(x.astype(points.y.dtype))
        huge.append(_any(np.isfinite(size) & (size > info.max / _FACTOR), len(points)))
        tiny.append(_any((size > 0) & (size < info.tiny * _FACTOR), len(points)))
    return huge[0] | huge[1], tiny[0] | tiny[1]


def _sides(
    function: Callable[..., Any], subject: Subject, points: Points
) -> tuple[list[NDArray], NDArray]:
    """Return for each choice which points take it with any element, and which results show it."""
    recorder: Any = _Recorder()
    try:
        with np.errstate(all="ignore"):
            result = function(recorder, points.y, subject.exact.full(points.y, points.t))
            shows = np.isfinite(result) & (result != 0)
    except Exception:
        # An error on legal arguments is a matter of the checks of the call.
        return [], np.zeros(len(points), bool)
    every = [side for side in recorder.sides if side.shape[:1] == (len(points),)]
    return [_any(side, len(points)) for side in every], _any(shows, len(points))


def _any(x: NDArray, count: int) -> NDArray:
    return np.asarray(np.reshape(x, (count, -1)).any(-1))


# So many elements are looked at for each example, and so many rows.
_ELEMENTS, _ROWS = 30, 4

# Results that differ by more rounding steps of the largest number in play are suspects;
# those this close to the largest float may overflow on the way.
_STEPS, _ALMOST = 512.0, 2.0**14

# So many suspects of each function are handed on.
_SUSPECTS = {False: 16, True: 6}

_NAMES = ("value", "gradient", "hessian")


def suspects(subject: Subject, search: Search, dtype: str, order: int) -> list[Points]:
    """Return points at which a value (order 0) or a derivative may differ from the formula's."""
    if subject.truth is None or subject.component is not None:
        return []
    own = of_component(subject.truth)
    pair = getattr(subject, _NAMES[order]), getattr(own, _NAMES[order])
    found = []
    for number, points in enumerate(_pool(subject, search, dtype)):
        rng = search.rng(f"suspects {dtype} {order} {number}")
        index = _differing(*pair, points, _SUSPECTS[subject.rows], rng)
        if index.size:
            found.append(points.take(index))
    return found


def _pool(subject: Subject, search: Search, dtype: str) -> list[Points]:
    """Return the many points, drawn once."""

    def drawn() -> list[Points]:
        rng = search.rng(f"pool {dtype}")
        if subject.rows:
            count = _ROWS * search.examples
            sets = [rows(subject, k, dtype, rng, count) for k in subject.columns]
        else:
            sets = [elements(subject, dtype, rng, _ELEMENTS * search.examples)]
        return [some for some in (drop_outside(subject, x) for x in sets) if len(some)]

    return search.once(("pool", dtype), drawn)


def _differing(
    theirs: Callable[..., Any],
    ours: Callable[..., Any],
    points: Points,
    most: int,
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
    if index.size <= most:
        return index
    largest = index[np.argsort(-worst[index], kind="stable")[: most // 2]]
    return np.union1d(largest, rng.choice(index, most - most // 2, replace=False))

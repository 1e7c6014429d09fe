"""Prescreen many more points than can be judged exactly, with plain floats.

An exact judgement costs a thousand calls. So a function with a
formula of ours is first compared with our own floats at thousands of points. Where the
two differ by more than cancellation can do, the point is a suspect, and a few suspects
are handed on to be judged exactly. The floats never decide.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lossfw.check.core.draw import elements, rows
from lossfw.check.core.points import Points, in_play, inside
from lossfw.check.core.session import Search
from lossfw.check.core.subject import Subject, call, of_component
from lossfw.numerics.arrays import NDArray

# So many elements are looked at for each example, and so many rows.
_ELEMENTS, _ROWS = 30, 4

# Results that differ by more rounding steps of the largest number in play are suspects;
# those this close to the largest float may overflow on the way.
_STEPS, _ALMOST = 512.0, 2.0**14

# So many suspects of each function are handed on.
_SUSPECTS = {False: 16, True: 6}

_NAMES = ("value", "gradient", "hessian")


def suspects(subject: Subject, search: Search, dtype: str, order: int) -> list[Points]:
    """Return points at which a function may differ from the formula.

    Parameters
    ----------
    subject : Subject
    search : Search
    dtype : str
    order : int
        0 for the value, 1 for the gradient, 2 for the Hessian.

    Returns
    -------
    list of Points
        Not empty ones; for rows one for each number of columns at most.
    """
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
        return [some for some in (inside(subject, x) for x in sets) if len(some)]

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
        got, wanted = (np.asarray(call(f, points.y, points.t)) for f in (theirs, ours))
    except Exception:
        # Legal arguments that are refused are a matter of the checks of the call.
        return np.zeros(0, int)
    if got.shape != wanted.shape or got.dtype.kind != "f":
        return np.zeros(0, int)
    info = np.finfo(points.y.dtype)
    size = in_play(points).reshape(-1, *[1] * (got.ndim - 1))
    got, wanted = got.astype(np.float64), wanted.astype(np.float64)
    with np.errstate(all="ignore"):
        error = np.abs(got - wanted) / np.fmax(size, np.abs(wanted))
    beyond = np.abs(wanted) > float(info.max) / _ALMOST
    same = (got == wanted) | np.isnan(wanted) | beyond | (error <= _STEPS * float(info.eps))
    error = np.where(same, 0.0, np.where(np.isnan(error), np.inf, error))
    worst = error.reshape(len(points), -1).max(-1)
    index = np.flatnonzero(worst > 0)
    if index.size <= most:
        return index
    largest = index[np.argsort(-worst[index], kind="stable")[: most // 2]]
    return np.union1d(largest, rng.choice(index, most - most // 2, replace=False))

"""Screening: find points in every region, by floats, that must be judged exactly.

An exact judgement costs as much as a thousand calls. So the formula in floats, which costs about
one call, is compared with the results at many points. If they differ by more than the formula's own
error, or it is infinite or NaN, the exact formula decides; floats never do.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lossfw.check.core.draw_regions import RegionPoints, draw_regions
from lossfw.check.core.points import Points
from lossfw.check.core.region import Region
from lossfw.check.core.search import Search, author_functions
from lossfw.check.core.subject import Subject, call
from lossfw.numerics.arrays import NDArray
from lossfw.numerics.dual.derivatives import derivatives, row_derivatives

# Results that differ by more than this part of the formula's are judged exactly: much less than
# what a mistake changes, and more than most formulas lose in floats.
_DIFFERS = 1e-3

# In a row, a derivative below this part of the largest may be what cancellation leaves.
_OF_ROW = 1e-12

# So many points of a set are judged, of those in as many regions as possible; so many of these
# where floats know nothing.
_JUDGED = {False: 16, True: 4}
_UNKNOWN = {False: 8, True: 1}

_NAMES = ("value", "gradient", "hessian")


def screen_points(subject: Subject, search: Search, order: int) -> list[Points]:
    """Return points in any region at which a value (order 0) or a derivative may be wrong."""
    is_looked_at = not search.regions or Region.FAR in search.regions
    if subject.truth is None or search.only is not None or not is_looked_at:
        return []
    if order and _NAMES[order] not in [function.name for function in author_functions(subject)]:
        # It follows the value, where a mistake shows.
        return []
    sets = search.cached("regions", lambda: _results_and_formula(subject, search))
    rng = search.rng(f"screened {order}")
    found = []
    for drawn, expected in sets:
        actual = _result(getattr(subject, _NAMES[order]), drawn.points)
        if actual.shape == expected[order].shape:
            index = _choose_suspects(actual, expected[order], drawn.regions, subject.rows, rng)
            found.append(drawn.points.take(index))
    return [points for points in found if len(points)]


def _result(function: Any, points: Points) -> NDArray:
    """Return results, none after an error: on legal arguments it is a matter of other checks."""
    try:
        return np.asarray(call(function, points.y, points.t))
    except Exception:
        return np.zeros(0)


def _results_and_formula(
    subject: Subject, search: Search
) -> list[tuple[RegionPoints, tuple[NDArray, ...]]]:
    """Return points in every region with the results of the formula in floats."""
    drawn = draw_regions(subject, search.rng("regions"), search.share)
    return [(some, _formula_in_floats(subject, some.points)) for some in drawn]


def _formula_in_floats(subject: Subject, points: Points) -> tuple[NDArray, ...]:
    """Return value and derivatives of the formula in floats, NaN where it has none there."""
    body: Any = subject.truth._unreduced_formula  # type: ignore[union-attr]  # asked before
    rule = row_derivatives if subject.rows else derivatives
    t = subject.exact.class_rows(points.y, points.t)
    try:
        return tuple(np.asarray(x) for x in call(rule, body, np, points.y, t))
    except Exception:
        # A function without a rule for dual numbers.
        nothing = np.full(points.y.shape, np.nan)
        return np.full(points.y.shape[:1], np.nan), nothing, nothing


def _choose_suspects(
    actual: NDArray, expected: NDArray, regions: NDArray, is_row: bool, rng: np.random.Generator
) -> NDArray:
    """Return the numbers of the points to judge, of as many regions as possible."""
    count = len(actual)
    with np.errstate(all="ignore"):
        size = np.abs(expected)
        if size.ndim > 1:
            size = np.maximum(size, _OF_ROW * size.max(-1, keepdims=True))
        error = np.abs(actual - expected) / size
    # A result of 0 is what it is; an infinite one, or NaN, tells nothing.
    error = np.where(actual == expected, 0.0, np.where(np.isnan(error), np.inf, error))
    is_known = np.asarray(np.isfinite(expected).reshape(count, -1).all(-1))
    worst = error.reshape(count, -1).max(-1, initial=0.0)
    suspects = _choose_from_each_region(
        is_known & (worst > _DIFFERS), regions, _JUDGED[is_row], rng
    )
    most = min(_UNKNOWN[is_row], _JUDGED[is_row])
    return np.union1d(suspects, _choose_from_each_region(~is_known, regions, most, rng))


def _choose_from_each_region(
    mask: NDArray, regions: NDArray, count: int, rng: np.random.Generator
) -> NDArray:
    """Return the numbers of so many points, one of each region before a second one of any."""
    index = rng.permutation(np.flatnonzero(mask))
    # How many of its region come before each.
    order = np.argsort(regions[index], kind="stable")
    sorted_regions = regions[index][order]
    rank = np.empty(index.size, int)
    rank[order] = np.arange(index.size) - np.searchsorted(sorted_regions, sorted_regions)
    return index[np.argsort(rank, kind="stable")[:count]]

"""Judge: how far results are from the truth, in units in the last place.

Nothing is taken out for the conditioning of a function: an argument is the
number that it is, and a result is as far off as it is. There are three rules:

- a loss that says which terms of it cancel (`Loss.terms`) is measured against
  the largest of them;
- a derivative at a kink is right if it lies between the one-sided derivatives,
  and at a kink of the value the second derivative is not judged;
- an infinite result is right where the truth is beyond the largest float.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossfw.check.accuracy_case import Case
from lossfw.numbers.arrays import Array
from lossfw.numbers.exact import exact_array
from lossfw.numbers.truth import namespace
from lossfw.numbers.ulp import to_float, ulp_error

NDArray = np.ndarray[Any, np.dtype[Any]]

# Derivatives by dual numbers and by differences agree to this part, or one is wrong.
_AGREEMENT = 1e-20

# The derivatives of so many elements or rows, drawn by chance, are checked by
# differences (first, second), which take much longer.
_DRAWN = {1: 24, 2: 8}

# The worst results are looked at again, in groups that double, up to so many.
_FIRST_GROUP, _MOST_LOOKED_AT = 8, 4096


@dataclass(frozen=True)
class Worst:
    """The worst result of one order, over all points.

    Attributes
    ----------
    order : int
        0 for the value, 1 and 2 for its derivatives.
    points : int
        How many results were judged.
    unjudged : int
        How many were not: the formula has no value there, or jumps.
    ulps : float
        The error, in units in the last place.
    at : dict of str to list or float
        The arguments, empty where nothing was judged.
    computed : float
        The result.
    truth : str
        What it should have been.
    of_terms : bool
        Whether the unit is that of the largest term.
    """

    order: int
    points: int = 0
    unjudged: int = 0
    ulps: float = 0.0
    at: dict[str, Any] | None = None
    computed: float = 0.0
    truth: str = ""
    of_terms: bool = False

    def merge(self, other: Worst) -> Worst:
        """Return the worse of two, with the points of both."""
        worse = (
            other if other.at is not None and (self.at is None or other.ulps > self.ulps) else self
        )
        return Worst(
            self.order,
            self.points + other.points,
            self.unjudged + other.unjudged,
            worse.ulps,
            worse.at,
            worse.computed,
            worse.truth,
            self.of_terms or other.of_terms,
        )


def judge(case: Case, order: int, truth: Array, computed: NDArray) -> Worst:
    """Return the worst of the results of one order.

    Parameters
    ----------
    case : Case
    order : int
    truth : array of exact numbers
        As `Case.truths` gives it.
    computed : ndarray
        Results in the shape of the truth, of whoever computed them.
    """
    truth = truth.ravel()
    flat = np.ascontiguousarray(computed).ravel()
    unit = _unit_of_terms(case, order, flat.dtype)
    errors = ulp_error(flat, truth)
    if unit is not None:
        errors = errors * _ratio(truth, unit, flat.dtype)
    errors[np.isnan(to_float(truth))] = np.nan
    if order:
        errors, truth = _settled(case, order, truth, flat, errors, unit)
    judged = ~np.isnan(errors)
    none = Worst(order, int(judged.sum()), int((~judged).sum()), of_terms=unit is not None)
    if not judged.any():
        return none
    worst = int(np.nanargmax(errors))
    return Worst(
        order,
        none.points,
        none.unjudged,
        float(errors[worst]),
        _at(case, order, worst),
        float(flat[worst]),
        repr(truth[worst]),
        unit is not None,
    )


def _at(case: Case, order: int, flat: int) -> dict[str, Any]:
    """Return the arguments of one result, as numbers and lists."""
    row, *rest = np.unravel_index(flat, case.computed_shape(order))
    arrays = [x[row].tolist() for x in case.at(order)]
    names = ("y", "t") if len(arrays) == 2 else ("x",)
    found = dict(zip(names, arrays, strict=True))
    if rest:
        found["entry"] = [int(i) for i in rest] if len(rest) > 1 else int(rest[0])
    return found


def _unit_of_terms(case: Case, order: int, dtype: np.dtype[Any]) -> NDArray | None:
    """Return the size of the largest term at each result; None where none was named."""
    with np.errstate(all="ignore"):
        terms = case.terms(order)
        if not terms:
            return None
        shape = case.computed_shape(order)
        sizes = [np.broadcast_to(np.abs(term), shape).ravel() for term in terms]
    return np.asarray(np.fmax.reduce(sizes))


def _ratio(truth: Array, unit: NDArray, dtype: np.dtype[Any]) -> NDArray:
    """Return by how much a unit in the last place of the truth is shorter than the terms'."""
    own = np.abs(to_float(truth, dtype))
    with np.errstate(all="ignore"):
        larger = np.fmax(own, unit.astype(dtype))
        ratio = np.spacing(own).astype(np.float64) / np.spacing(larger).astype(np.float64)
    return np.where(np.isfinite(ratio), ratio, 1.0)


def _settled(
    case: Case,
    order: int,
    truth: Array,
    computed: NDArray,
    errors: NDArray,
    unit: NDArray | None,
) -> tuple[NDArray, Array]:
    """Return errors whose largest have been looked at by differences, and the truth."""
    truth, errors = truth.copy(), errors.copy()
    if _wrong_by_chance(case, order, truth):
        truth = case.difference(order).ravel()
        errors = ulp_error(computed, truth)
        errors[np.isnan(to_float(truth))] = np.nan
    todo = np.isnan(errors) | (errors > 0)
    seen, group = 0, _FIRST_GROUP
    best = -1.0
    while seen < _MOST_LOOKED_AT and todo.any():
        rank = np.where(todo, np.where(np.isnan(errors), np.inf, errors), -1.0)
        which = np.argsort(-rank, kind="stable")[:group]
        which = which[rank[which] > best]
        if not which.size:
            break
        errors[which], truth[which] = _look(case, order, which, truth, computed, errors, unit)
        todo[which] = False
        looked = errors[which]
        best = max(best, float(np.nanmax(looked))) if not np.isnan(looked).all() else best
        seen, group = seen + which.size, 2 * group
    return errors, truth


def _wrong_by_chance(case: Case, order: int, truth: Array) -> bool:
    """Tell whether dual numbers and differences disagree at points drawn by chance."""
    rows = len(case.some)
    drawn = np.random.default_rng(rows).choice(rows, min(_DRAWN[order], rows), replace=False)
    which = np.arange(truth.size).reshape(rows, -1)[drawn].ravel()
    left, right = case.sides(order, which)
    same = _near(left, right)
    return bool((same & ~_near(truth[which], left)).any())


def _near(a: Array, b: Array) -> NDArray:
    """Tell where exact numbers agree; False for NaN."""
    tolerance = exact_array(np.asarray(_AGREEMENT))[()]
    xp = namespace(60)
    with np.errstate(all="ignore"):
        return np.asarray(abs(a - b) <= tolerance * xp.maximum(abs(a), abs(b)), bool)


def _look(
    case: Case,
    order: int,
    which: NDArray,
    truth: Array,
    computed: NDArray,
    errors: NDArray,
    unit: NDArray | None,
) -> tuple[NDArray, Array]:
    """Return errors and truth at some results, by the one-sided derivatives.

    The error is NaN where nothing can be judged.
    """
    left, right = case.sides(order, which)
    known_left, known_right = (~np.isnan(to_float(x)) for x in (left, right))
    low = np.where(known_left, left, right)
    high = np.where(known_right, right, left)
    unknown = ~known_left & ~known_right
    ends = [ulp_error(computed[which], end) for end in (low, high)]
    if unit is not None:
        ends = [
            e * _ratio(x, unit[which], computed.dtype)
            for e, x in zip(ends, (low, high), strict=True)
        ]
    value = exact_array(computed[which].astype(np.float64))
    smaller, larger = (np.where(low <= high, a, b) for a, b in ((low, high), (high, low)))
    inside = np.asarray((smaller <= value) & (value <= larger), bool)
    found = np.where(inside, 0.0, np.minimum(*ends))
    if order == 2:
        kinked = ~_near(low, high)
        if kinked.any():
            found[np.flatnonzero(kinked)[_kinks(case, which[kinked])]] = np.nan
    found = np.where(unknown, errors[which], found)
    return found, np.where(unknown, truth[which], np.where(ends[0] <= ends[1], low, high))


def _kinks(case: Case, which: NDArray) -> NDArray:
    """Tell where the value has a kink or jumps."""
    left, right = case.sides(1, which)
    known = ~np.isnan(to_float(left)) & ~np.isnan(to_float(right))
    return np.asarray(known & ~_near(left, right))

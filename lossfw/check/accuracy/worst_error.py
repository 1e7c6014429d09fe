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

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lossfw.check.accuracy.case import Case
from lossfw.numerics.arrays import Array, NDArray
from lossfw.numerics.exact.namespace import DIGITS, exact_array
from lossfw.numerics.exact.truth import namespace
from lossfw.numerics.exact.ulp import to_float, ulp_error

# Derivatives by dual numbers and by differences agree to this part, or one is wrong.
_AGREEMENT = 1e-20

# So many derivatives, drawn by chance, are checked by differences (first, second),
# which take much longer; of rows as many rows as have so many.
_DRAWN = {1: 24, 2: 8}

# What is left of h**0.3 at the shortest step h of a difference.
_REST_OF_ROOT = 1e-100

# The worst results are looked at again, in groups that double, up to so many.
_MOST_LOOKED_AT = 4096


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
        How many were not: the formula has no value there, or a kink.
    ulps : float
        The error, in units in the last place.
    at : dict of str to list or float, or None
        The arguments; None where nothing was judged.
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
        better = other.at is None or (self.at is not None and self.ulps >= other.ulps)
        return replace(
            self if better else other,
            points=self.points + other.points,
            unjudged=self.unjudged + other.unjudged,
            of_terms=self.of_terms or other.of_terms,
        )


class Truth:
    """What is true of one case and order; judges any results for it.

    Parameters
    ----------
    case : Case
    order : int
        0 for the value, 1 and 2 for its derivatives.
    exact : array of exact numbers
        As `Case.truths` gives it. Where differences disagree with derivatives,
        even if only at one of some points drawn by chance, they take the place of all.
    """

    def __init__(self, case: Case, order: int, exact: Array) -> None:
        self.case, self.order = case, order
        self.exact = exact.ravel()
        # One-sided derivatives of the results that were looked at, and whether
        # the value has a kink there.
        self._sides: dict[int, tuple[Any, Any, bool]] = {}
        if order and self._wrong_by_chance():
            self.exact = case.difference(order).ravel()
        self._unit = self._largest_term()

    def worst(
        self, computed: NDArray, *, subnormal: bool = True, which: NDArray | None = None
    ) -> Worst:
        """Return the worst of some results.

        Parameters
        ----------
        computed : ndarray
            Results in the shape of the truth, of whoever computed them.
        subnormal : bool
            False leaves out subnormal numbers, among arguments and results:
            some libraries take them for 0.
        which : ndarray of bool, optional
            Elements or rows to judge; all unless given.
        """
        flat = np.ascontiguousarray(computed).ravel()
        considered = np.ones(flat.shape, bool) if subnormal else ~self._subnormal(flat.dtype)
        if which is not None:
            considered &= np.repeat(which, flat.size // max(1, which.size))
        some = np.flatnonzero(considered)
        errors = np.full(flat.shape, np.nan)
        errors[some] = self._errors(flat[some], some, self.exact[some])
        if self.order:
            self._look_at_worst(flat, errors, considered)
        judged = considered & ~np.isnan(errors)
        none = Worst(
            self.order,
            points=int(judged.sum()),
            unjudged=int((considered & ~judged).sum()),
            of_terms=self._unit is not None,
        )
        if not none.points:
            return none
        at = int(np.argmax(np.where(judged, errors, -1.0)))
        return replace(
            none,
            ulps=float(errors[at]),
            at=self._arguments(at),
            computed=float(flat[at]),
            truth=repr(self._nearest_truth(at)),
        )

    def _errors(self, computed: NDArray, which: NDArray, exact: Array) -> NDArray:
        """Return how far results are from exact numbers; NaN where these are NaN."""
        errors = ulp_error(computed, exact)
        if self._unit is not None:
            errors = _of_terms(computed, exact, self._unit[which], errors)
        return np.where(np.isnan(to_float(exact)), np.nan, errors)

    def _largest_term(self) -> NDArray | None:
        """Return the size of the largest term at each result; None where none was named."""
        with np.errstate(all="ignore"):
            terms = self.case.terms(self.order)
            shape = self.case.computed_shape(self.order)
            sizes = [np.broadcast_to(np.abs(term), shape).ravel() for term in terms]
        return np.asarray(np.fmax.reduce(sizes)) if sizes else None

    def _subnormal(self, dtype: np.dtype[Any]) -> NDArray:
        """Tell which results, or the arguments they come from, are subnormal."""
        arrays = self.case.at(self.order)
        least = np.finfo(dtype).tiny
        rows = np.zeros(len(arrays[0]), bool)
        for x in arrays:
            if x.dtype.kind == "f":
                rows |= ((np.abs(x) < least) & (x != 0)).reshape(len(x), -1).any(-1)
        own = (np.abs(to_float(self.exact)) < least) & np.asarray(self.exact != 0, bool)
        return np.asarray(own | np.repeat(rows, own.size // rows.size))

    def _arguments(self, flat: int) -> dict[str, Any]:
        """Return the arguments of one result, as numbers and lists."""
        row, *rest = np.unravel_index(flat, self.case.computed_shape(self.order))
        arrays = [x[row].tolist() for x in self.case.at(self.order)]
        names = ("y", "t") if len(arrays) == 2 else ("x",)
        found: dict[str, Any] = dict(zip(names, arrays, strict=True))
        if rest:
            found["entry"] = [int(i) for i in rest] if len(rest) > 1 else int(rest[0])
        return found

    # Differences --------------------------------------------------------------

    def _wrong_by_chance(self) -> bool:
        """Tell whether dual numbers and differences disagree at points drawn by chance."""
        rows = len(self.case.some)
        width = self.exact.size // max(1, rows)
        count = min(max(1, _DRAWN[self.order] // max(1, width)), rows)
        drawn = np.random.default_rng(rows).choice(rows, count, replace=False)
        which = np.arange(self.exact.size).reshape(rows, -1)[drawn].ravel()
        central = self.case.difference(self.order, drawn).ravel()
        apart = which[~_near(self.exact[which], central) & ~np.isnan(to_float(central))]
        if not apart.size:
            return False
        # At a kink they may differ: there dual numbers have rules of their own.
        left, right = self.case.sides(self.order, apart)
        return bool((_near(left, right) & ~_near(self.exact[apart], left)).any())

    def _look_at_worst(self, computed: NDArray, errors: NDArray, considered: NDArray) -> None:
        """Judge the worst by one-sided derivatives, until no other can be worse."""
        todo = considered & (np.isnan(errors) | (errors > 0))
        seen, group, best = 0, 1, -1.0
        while seen < _MOST_LOOKED_AT:
            rank = np.where(todo, np.where(np.isnan(errors), np.inf, errors), -1.0)
            which = np.argsort(-rank, kind="stable")[:group]
            which = which[rank[which] > best]
            if not which.size:
                return
            errors[which] = self._between_sides(computed[which], which, errors[which])
            todo[which] = False
            best = max(best, *np.nan_to_num(errors[which], nan=-1.0).tolist())
            seen, group = seen + which.size, 2 * group

    def _between_sides(self, computed: NDArray, which: NDArray, known: NDArray) -> NDArray:
        """Return the distance from the interval of the one-sided derivatives."""
        self._learn_sides([i for i in which.tolist() if i not in self._sides])
        sides = [self._sides[i] for i in which.tolist()]
        left, right = (
            self._without_rest(which, np.array([side[i] for side in sides], object)) for i in (0, 1)
        )
        errors = [self._errors(computed, which, side) for side in (left, right)]
        value = exact_array(computed.astype(np.float64))
        rising = np.asarray((left <= value) & (value <= right), bool)
        falling = np.asarray((right <= value) & (value <= left), bool)
        found = np.where(rising | falling, 0.0, np.fmin(*errors))
        # Neither side has a derivative: what dual numbers say has to do.
        found = np.where(np.isnan(errors[0]) & np.isnan(errors[1]), known, found)
        # An infinite derivative, where dual numbers have none: differences cannot tell.
        lost = np.isnan(to_float(self.exact[which])) & np.isinf(computed)
        found = np.where(lost, np.nan, found)
        return np.where([kink for _, _, kink in sides], np.nan, found)

    def _without_rest(self, which: NDArray, side: Array) -> Array:
        """Return 0 for what is left of a derivative that vanishes like a root of the step.

        There dual numbers have no derivative: it is infinity times 0.
        """
        lost = np.isnan(to_float(self.exact[which])) & (np.abs(to_float(side)) < _REST_OF_ROOT)
        return np.where(lost, exact_array(np.zeros(side.shape)), side)

    def _learn_sides(self, which: list[int]) -> None:
        if not which:
            return
        left, right = self.case.sides(self.order, np.asarray(which))
        kink = np.zeros(len(which), bool)
        if self.order == 2:
            slopes = self.case.sides(1, np.asarray(which))
            both = ~np.isnan(to_float(slopes[0])) & ~np.isnan(to_float(slopes[1]))
            kink = both & ~_near(*slopes)
        self._sides.update(zip(which, zip(left, right, kink.tolist(), strict=True), strict=True))

    def _nearest_truth(self, flat: int) -> Any:
        sides = self._sides.get(flat)
        if sides is None or bool(np.isnan(float(sides[0]))):
            return self.exact[flat]
        return sides[0]


def _near(a: Array, b: Array) -> NDArray:
    """Tell where exact numbers agree; False for NaN.

    What every float rounds to 0 is 0: a derivative that vanishes is only nearly
    reached by differences.
    """
    size = namespace(DIGITS).maximum(abs(a), abs(b))
    tolerance = exact_array(np.asarray(_AGREEMENT))[()]
    close = np.asarray(abs(a - b) <= tolerance * size, bool)
    return np.asarray(close | (to_float(size) == 0))


def _of_terms(computed: NDArray, exact: Array, terms: NDArray, errors: NDArray) -> NDArray:
    """Return errors in units of the larger of the truth and the terms.

    Where something is infinite, the errors stay as they are.
    """
    own = np.abs(to_float(exact, computed.dtype))
    with np.errstate(all="ignore"):
        unit = np.spacing(np.fmax(own, terms.astype(computed.dtype))).astype(np.float64)
        gap = np.abs(to_float(exact_array(computed) - exact))
        found = gap / unit
    return np.where(np.isfinite(found) & np.isfinite(computed), found, errors)

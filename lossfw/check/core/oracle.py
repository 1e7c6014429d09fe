"""Oracle: how far results are from the exact ones.

The conditioning of a function excuses nothing: an argument is the number that it is, and a result
is as far off as it is. There are three rules:

- a loss that says which terms of it cancel (`Loss.terms`) is measured against the largest of them;
- a derivative at a kink is right if it lies between the one-sided derivatives, and at a kink of
  the value the second derivative is not judged;
- an infinite result is right where the truth is beyond the largest float.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lossfw.check.core.exact import Formula
from lossfw.numerics.arrays import Array, NDArray
from lossfw.numerics.exact.namespace import DIGITS, exact_array, namespace
from lossfw.numerics.exact.ulp import to_float, ulp_error

# Derivatives by dual numbers and by differences agree to this part, or one is wrong.
_AGREEMENT = 1e-20

# So many derivatives, drawn by chance, are checked by differences (first, second),
# which take much longer; of rows as many rows as have so many.
_DRAWN = {1: 24, 2: 8}

# The value of h**0.3 at the shortest step h of a difference.
_REST_OF_ROOT = 1e-100

# A difference of exact numbers over 1e-20 that is larger than this is a jump.
JUMP = 1e18

# The worst results are looked at again, in groups that double, up to so many.
_MOST_LOOKED_AT = 4096


class Oracle:
    """The exact values (order 0) or derivatives at some points; judges any results for them.

    The terms are those that cancel, as `Loss.terms` names them.
    """

    def __init__(
        self,
        formula: Formula,
        order: int,
        arrays: Sequence[NDArray],
        exact: Array,
        terms: Sequence[NDArray] = (),
    ) -> None:
        self.formula, self.order, self.arrays = formula, order, tuple(arrays)
        self.shape, self.exact = np.shape(exact), exact.ravel()
        with np.errstate(all="ignore"):
            sizes = [np.broadcast_to(np.abs(term), self.shape).ravel() for term in terms]
        self.unit = np.asarray(np.fmax.reduce(sizes)) if sizes else None
        # One-sided derivatives of the results that were looked at, and whether
        # the value has a kink or a jump there, at which they are not judged.
        self._sides: dict[int, tuple[Any, Any, bool]] = {}

    def errors(self, computed: NDArray, which: NDArray | None = None) -> NDArray:
        """Return errors of flattened results (those of `which`), NaN where the truth is."""
        numbers = np.arange(self.exact.size) if which is None else which
        return self._against(computed.ravel(), numbers, self.exact[numbers])

    def worst_errors(self, computed: NDArray, considered: NDArray) -> NDArray:
        """Return the errors of flattened results; the worst are judged by one-sided derivatives.

        Those that are not considered are NaN, and so are those that cannot be judged.
        """
        some = np.flatnonzero(considered)
        errors = np.full(computed.shape, np.nan)
        errors[some] = self.errors(computed[some], some)
        if self.order:
            self._refine_worst(computed, errors, considered)
        return errors

    def subnormal(self, dtype: np.dtype[Any]) -> NDArray:
        """Tell which results, or the arguments they come from, are subnormal in a dtype."""
        least = np.finfo(dtype).tiny
        rows = np.zeros(len(self.arrays[0]), bool)
        for x in self.arrays:
            if x.dtype.kind == "f":
                rows |= ((np.abs(x) < least) & (x != 0)).reshape(len(x), -1).any(-1)
        own = (np.abs(to_float(self.exact)) < least) & np.asarray(self.exact != 0, bool)
        return np.asarray(own | np.repeat(rows, own.size // max(rows.size, 1)))

    def nearest(self, number: int) -> Any:
        """Return the exact result of one number, at a kink the derivative from the left."""
        sides = self._sides.get(number)
        if sides is None or bool(np.isnan(float(sides[0]))):
            return self.exact[number]
        return sides[0]

    def verified(self) -> Oracle:
        """Take the truth from differences if dual numbers disagree with them at random points.

        Dual numbers give the derivatives of a component whose author wrote none; differences
        follow no rule.
        """
        if self.order and self._wrong_by_chance():
            self.exact = self.formula.difference(self.order, *self.arrays).ravel()
        return self

    def _against(self, computed: NDArray, which: NDArray, exact: Array) -> NDArray:
        errors = ulp_error(computed, exact)
        if self.unit is not None:
            errors = _of_terms(computed, exact, self.unit[which], errors)
        return np.where(np.isnan(to_float(exact)), np.nan, errors)

    def _sides_at(self, order: int, flat: NDArray) -> tuple[Array, Array]:
        """Return the left and the right derivative for places in the flattened results."""
        row, *rest = np.unravel_index(flat, self.shape)
        unique, place = np.unique(row, return_inverse=True)
        arrays = [x[unique] for x in self.arrays]
        left, right = (
            self.formula.difference(order, *arrays, side=side)[(place, *rest)] for side in (-1, 1)
        )
        return left, right

    def _wrong_by_chance(self) -> bool:
        rows = len(self.arrays[0])
        width = self.exact.size // max(1, rows)
        count = min(max(1, _DRAWN[self.order] // max(1, width)), rows)
        drawn = np.random.default_rng(rows).choice(rows, count, replace=False)
        which = np.arange(self.exact.size).reshape(rows, -1)[drawn].ravel()
        central = self.formula.difference(self.order, *(x[drawn] for x in self.arrays)).ravel()
        is_apart = ~_near(self.exact[which], central) & ~np.isnan(to_float(central))
        apart, central = which[is_apart], central[is_apart]
        if not apart.size:
            return False
        # At a kink they may differ: there dual numbers have rules of their own.
        left, right = self._sides_at(self.order, apart)
        # Where a small derivative of a huge value is lost in its rounding, the three are apart.
        alike = _near(left, right) & _near(left, central)
        return bool((alike & ~_near(self.exact[apart], left)).any())

    def _refine_worst(self, computed: NDArray, errors: NDArray, considered: NDArray) -> None:
        """Judge the worst by one-sided derivatives, until no other can be worse."""
        todo = considered & (np.isnan(errors) | (errors > 0))
        seen, group, best = 0, 1, -1.0
        while seen < _MOST_LOOKED_AT:
            rank = np.where(todo, np.where(np.isnan(errors), np.inf, errors), -1.0)
            which = np.argsort(-rank, kind="stable")[:group]
            which = which[rank[which] > best]
            if not which.size:
                return
            errors[which] = self._errors_between_sides(computed[which], which, errors[which])
            todo[which] = False
            best = max(best, *np.nan_to_num(errors[which], nan=-1.0).tolist())
            seen, group = seen + which.size, 2 * group

    def _errors_between_sides(self, computed: NDArray, which: NDArray, known: NDArray) -> NDArray:
        """Return the distance from the interval of the one-sided derivatives."""
        self._cache_sides([i for i in which.tolist() if i not in self._sides])
        sides = [self._sides[i] for i in which.tolist()]
        left, right = (
            self._without_rest(which, np.array([side[i] for side in sides], object)) for i in (0, 1)
        )
        errors = [self._against(computed, which, side) for side in (left, right)]
        value = exact_array(computed.astype(np.float64))
        rising = np.asarray((left <= value) & (value <= right), bool)
        falling = np.asarray((right <= value) & (value <= left), bool)
        found = np.where(rising | falling, 0.0, np.fmin(*errors))
        # Neither side has a derivative: the one of dual numbers has to do.
        found = np.where(np.isnan(errors[0]) & np.isnan(errors[1]), known, found)
        # An infinite derivative, where dual numbers have none: differences cannot tell.
        lost = np.isnan(to_float(self.exact[which])) & np.isinf(computed)
        found = np.where(lost, np.nan, found)
        return np.where([kink for _, _, kink in sides], np.nan, found)

    def _without_rest(self, which: NDArray, side: Array) -> Array:
        """Return 0 for the rest of a derivative that vanishes like a root of the step.

        There dual numbers have no derivative: it is infinity times 0.
        """
        lost = np.isnan(to_float(self.exact[which])) & (np.abs(to_float(side)) < _REST_OF_ROOT)
        return np.where(lost, exact_array(np.zeros(side.shape)), side)

    def _cache_sides(self, which: list[int]) -> None:
        if not which:
            return
        left, right = self._sides_at(self.order, np.asarray(which))
        kink = np.zeros(len(which), bool)
        if self.order == 2:
            slopes = self._sides_at(1, np.asarray(which))
            both = ~np.isnan(to_float(slopes[0])) & ~np.isnan(to_float(slopes[1]))
            kink = both & ~_near(*slopes)
        else:
            # Where the value jumps it has no derivative.
            kink = ~_near(left, right) & (
                np.fmax(*(abs(to_float(x)) for x in (left, right))) > JUMP
            )
        self._sides.update(zip(which, zip(left, right, kink.tolist(), strict=True), strict=True))


def _near(a: Array, b: Array) -> NDArray:
    """Tell where exact numbers agree; False for NaN.

    Numbers that every float rounds to 0 are 0: a derivative that vanishes is only
    nearly reached by differences.
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

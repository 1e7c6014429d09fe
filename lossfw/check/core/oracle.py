"""Oracle: the distance of results from what their arguments determine, in ULPs.

A result is right if it is within some ULPs of an interval of exact results
(`lossfw.check.core.interval`). Most are that close to the exact result itself: only for others is
the interval computed. NaN is never right, and an infinity only where the truth is infinite, or
nearly the largest float.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lossfw.check.core.interval import MovableFormula
from lossfw.check.core.points import ArgumentArrays, any_in_row
from lossfw.numerics.arrays import Array, NDArray
from lossfw.numerics.exact.namespace import exact_array
from lossfw.numerics.exact.ulp import to_float, ulp_error

# Results below this are as good as 0.
FLOOR = 1e-30

# Infinity is not a wrong answer for a number this close to the largest: a factor of one
# over so much may come after the product that overflows.
_ALMOST = 2.0**14

# The worst results are looked at by their intervals, in groups that double, up to so many.
_FIRST_GROUP, _MOST_LOOKED_AT = 8, 4096


class Oracle:
    """The exact values (order 0) or derivatives at some points, which judge computed results.

    The unit of a result is that of its size, and at least that of `sizes`.
    """

    def __init__(
        self,
        movable: MovableFormula,
        order: int,
        arrays: ArgumentArrays,
        exact: Array,
        sizes: NDArray | float = 0.0,
    ) -> None:
        self.movable, self.order, self.arrays = movable, order, arrays
        # At a tie it may become another one.
        self.exact = np.array(exact)
        self.sizes = np.broadcast_to(sizes, self.exact.shape)

    def errors(self, computed: NDArray) -> NDArray:
        """Return errors against the exact results themselves, NaN where there is none."""
        rounded = to_float(self.exact, computed.dtype)
        with np.errstate(all="ignore"):
            gap = np.abs(to_float(exact_array(computed) - self.exact, np.float64))
            units = _ulp(np.fmax(np.abs(rounded), self.sizes), computed.dtype)
            found = np.where(np.isfinite(gap), gap / units, ulp_error(computed, self.exact))
        return _adjust_special_values(found, computed, rounded)

    def forward_errors(self, computed: NDArray) -> NDArray:
        """Return errors against the exact results, each in its own units."""
        with np.errstate(all="ignore"):
            return ulp_error(computed, self.exact)

    def errors_of_rows(self, computed: NDArray, rows: NDArray, *, is_moved: bool = True) -> NDArray:
        """Return how far the results of some elements or rows are outside of their intervals.

        Unless `is_moved`, an interval only has the derivatives between those next to the
        arguments.
        """
        arrays, computed = tuple(x[rows] for x in self.arrays), computed[rows]
        find = self.movable.interval if is_moved else self.movable.derivative_span
        exact, low, high, across = find(self.order, arrays, self.exact[rows])
        self.exact[rows] = exact
        rounded = to_float(exact, computed.dtype)
        with np.errstate(all="ignore"):
            ends = [np.abs(rounded.astype(np.float64) + end) for end in (low, high)]
            every = (*ends, np.abs(rounded), self.sizes[rows])
            size = np.fmax.reduce([np.where(np.isfinite(x), x, 0) for x in every])
            off = to_float(exact_array(computed) - exact, np.float64)
            outside = np.where(off == 0, 0.0, np.maximum(np.maximum(low - off, off - high), 0.0))
            found = outside / _ulp(size, computed.dtype)
            for there in across:
                beyond = to_float(exact_array(computed) - there, np.float64)
                found = np.fmin(found, np.abs(beyond) / _ulp(to_float(there), computed.dtype))
                # Between the derivatives on both sides of a kink, as on the kink itself.
                is_between = (self.order == 1) & (np.sign(beyond) == -np.sign(off))
                found = np.where(is_between, 0.0, found)
        return np.where(
            np.isinf(low) & np.isfinite(computed),
            0.0,
            _adjust_special_values(found, computed, rounded),
        )

    def worst_errors(self, computed: NDArray, considered: NDArray) -> NDArray:
        """Return errors of results; the worst are compared with their intervals.

        Errors of results that are not considered, or cannot be judged, are NaN.
        """
        errors = np.where(considered, self.errors(computed), np.nan)
        waiting = np.ones(len(errors), bool)
        seen, group, best = 0, _FIRST_GROUP, 0.0
        while seen < _MOST_LOOKED_AT:
            worst = np.nan_to_num(errors, nan=0.0, posinf=np.inf).reshape(len(errors), -1).max(1)
            rows = np.argsort(np.where(waiting, -worst, 0.0), kind="stable")[:group]
            rows = rows[waiting[rows] & (worst[rows] > best)]
            if not rows.size:
                break
            found = self.errors_of_rows(computed, rows)
            errors[rows] = np.where(np.isnan(errors[rows]), np.nan, np.fmin(errors[rows], found))
            waiting[rows] = False
            best = max(best, float(np.nanmax(errors[rows], initial=0.0)))
            seen, group = seen + rows.size, 2 * group
        return errors

    def subnormal_mask(self, dtype: np.dtype[Any]) -> NDArray:
        """Return a mask of results that are subnormal in a dtype, or whose arguments are."""
        least = np.finfo(dtype).tiny
        rows = np.zeros(len(self.arrays[0]), bool)
        for x in self.arrays:
            if x.dtype.kind == "f":
                rows |= any_in_row((np.abs(x) < least) & (x != 0))
        own = (np.abs(to_float(self.exact)) < least) & np.asarray(self.exact != 0, bool)
        return np.asarray(own | rows.reshape(-1, *[1] * (own.ndim - 1)))


def _adjust_special_values(errors: NDArray, computed: NDArray, truth: NDArray) -> NDArray:
    """Return errors by the rules for NaN, infinities and results below all others."""
    almost = float(np.finfo(computed.dtype).max) / _ALMOST
    with np.errstate(all="ignore"):
        is_near_end = (np.abs(computed) > almost) & (np.abs(truth) > almost)
        is_right = (np.abs(computed.astype(np.float64) - truth) <= FLOOR) | (
            is_near_end & (np.sign(computed) == np.sign(truth))
        )
    errors = np.where(~np.isfinite(computed) | np.isinf(truth), np.inf, errors)
    errors = np.where((computed == truth) | is_right, 0.0, errors)
    return np.asarray(np.where(np.isnan(truth), np.nan, errors))


def _ulp(size: NDArray, dtype: np.dtype[Any]) -> NDArray:
    """Return the units in the last place of results of some sizes, at least those of `FLOOR`."""
    most = float(np.finfo(dtype).max)
    units = np.spacing(np.clip(np.abs(size).astype(np.float64), FLOOR, most).astype(dtype))
    return np.asarray(units.astype(np.float64))

"""Checks of half precision: a result that fits into it is right, also if a wider one computed it.

An error in half precision alone is told as such and by its class: an
overflow, lost digits, a wrong derivative.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from lossfw.check.core.points import Points, is_inside, simplest
from lossfw.check.core.session import (
    Check,
    NotApplicable,
    Output,
    Refuted,
    Search,
    check,
    outputs,
    shown,
)
from lossfw.check.core.subject import Subject
from lossfw.numerics.arrays import NDArray

# A result is right to so many units of half precision: the value, a derivative.
_HALF_ULPS, _HALF_ULPS_SLOPE = 2.0, 8.0


@dataclass(frozen=True)
class Half:
    """Results in half precision beside those in double.

    Attributes
    ----------
    function : Output
    points : Points
        In half precision.
    got, exact : ndarray
        Results in half and in double precision.
    fits, bad : ndarray of bool
        Which results half precision holds, and which of these are wrong.
    """

    function: Output
    points: Points
    got: NDArray
    exact: NDArray
    fits: NDArray
    bad: NDArray

    def refuted(self, which: NDArray) -> Refuted:
        """Return the refutation of the result that is written most shortly."""
        rows = np.asarray(which.reshape(len(self.points), -1).any(-1))
        one = simplest(self.points, rows)
        text = (
            f"in float16 the {self.function} is {shown(self.got[one], 6)}, and in float64, for the "
            f"same numbers, {shown(self.exact[one], 6)}, which fits float16."
        )
        return Refuted.at(self.points, one, text, f"{self.function}(y, t)")


def compared(function: Output, points: Points, ulps: float) -> Half:
    """Compare results in half precision with those in double.

    Parameters
    ----------
    function : Output
    points : Points
        In half precision, in their spaces in double precision too.
    ulps : float
        How many units of half precision a result may be off.
    """
    exact = _in(np.float64, function, points).astype(np.float64)
    rough = _in(np.float32, function, points).astype(np.float64)
    got = function(points.y, points.t).astype(np.float64)
    limit = float(np.finfo(np.float16).max)
    with np.errstate(all="ignore"):
        fits = np.isfinite(exact) & (np.abs(exact) <= limit) & np.isfinite(rough)
        step = np.maximum(np.abs(exact) * 2.0**-10, 2.0**-24)
        # The error of float32 itself is no fault of half precision.
        allowed = ulps * step + 2 * np.abs(rough - exact)
        bad = fits & ~(np.abs(got - exact) <= allowed)
    return Half(function, points, got, exact, fits, bad)


def _in(dtype: Any, function: Output, points: Points) -> NDArray:
    t = points.t.astype(dtype) if points.t.dtype.kind == "f" else points.t
    return function(points.y.astype(dtype), t)


def halves(subject: Subject, search: Search) -> list[Half]:
    """Return all results in half precision beside those in double; computed once."""

    def computed() -> list[Half]:
        found = []
        for points in search.points(subject, "float16"):
            some = _finite(subject, points)
            if len(some):
                for function in outputs(subject):
                    ulps = _HALF_ULPS if function.name == "value" else _HALF_ULPS_SLOPE
                    found.append(compared(function, some, ulps))
        return found

    return search.once("halves", computed)


def _finite(subject: Subject, points: Points) -> Points:
    some = points.keep(np.isfinite(points.y))
    some = some.keep(np.isfinite(some.t))
    # Half precision's rows sum to 1 less exactly than wider ones may.
    t = some.t.astype(np.float64) if some.t.dtype.kind == "f" else some.t
    return some.take(is_inside(subject, Points(some.y.astype(np.float64), t)))


@check("dtype:half")
def check_half_precision(subject: Subject, search: Search) -> None:
    """In float16 a result that fits is right to float16."""
    for half in halves(subject, search):
        if half.bad.any():
            raise half.refuted(half.bad)


@check("overflow:half")
def check_half_overflow(subject: Subject, search: Search) -> None:
    """In float16 a result that fits is finite."""
    for half in halves(subject, search):
        beyond = half.bad & ~np.isfinite(half.got)
        if beyond.any():
            raise half.refuted(beyond)


def _check_function(subject: Subject, search: Search, name: str) -> None:
    """Judge one function; an infinite value is another check's."""
    found = [half for half in halves(subject, search) if half.function.name == name]
    if not found:
        raise NotApplicable(f"there is no {name} in half precision")
    for half in found:
        bad = half.bad & np.isfinite(half.got) if name == "value" else half.bad
        if bad.any():
            raise half.refuted(bad)


check_half_digits = Check("precision:half", partial(_check_function, name="value"))
check_half_gradient = Check("gradient:half", partial(_check_function, name="gradient"))
check_half_hessian = Check("hessian:half", partial(_check_function, name="hessian"))

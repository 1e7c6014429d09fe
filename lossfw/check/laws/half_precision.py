"""Checks of half precision: a result that fits is right, whatever is used on the way to it.

What is wrong in half precision alone is told as that and as what it is: an
overflow, lost digits, a wrong derivative.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossfw.check.core.points import Points, is_inside, simplest
from lossfw.check.core.session import Check, NotApplicable, Refuted, Search, outputs, result_of
from lossfw.check.core.subject import Function, Subject
from lossfw.numerics.arrays import NDArray

# A result is right to so many units of half precision: the value, a derivative.
_HALF_ULPS, _HALF_ULPS_SLOPE = 2.0, 8.0


@dataclass(frozen=True)
class Half:
    """Results in half precision beside those in double.

    Attributes
    ----------
    name : str
        The function.
    points : Points
        In half precision.
    got, exact : ndarray
        Results in half and in double precision.
    fits, bad : ndarray of bool
        Which results half precision holds, and which of these are wrong.
    """

    name: str
    points: Points
    got: NDArray
    exact: NDArray
    fits: NDArray
    bad: NDArray

    def refuted(self, which: NDArray) -> Refuted:
        """Return the refutation of the result that is written most shortly."""
        rows = np.asarray(which.reshape(len(self.points), -1).any(-1))
        one = simplest(self.points, rows)
        return Refuted(
            f"in float16 the {self.name} is {_number(self.got[one])}, and in float64, for the "
            f"same numbers, {_number(self.exact[one])}, which fits float16.",
            f"{self.name}(y, t)",
            y=self.points.y[one : one + 1],
            t=self.points.t[one : one + 1],
        )


def compared(name: str, function: Function, points: Points, ulps: float) -> Half:
    """Compare results in half precision with those in double.

    Parameters
    ----------
    name : str
    function : callable
    points : Points
        In half precision, in their spaces in double precision too.
    ulps : float
        How many units of half precision a result may be off.
    """
    exact = _in(np.float64, name, function, points).astype(np.float64)
    rough = _in(np.float32, name, function, points).astype(np.float64)
    got = np.asarray(result_of(function, name, points.y, points.t)).astype(np.float64)
    limit = float(np.finfo(np.float16).max)
    with np.errstate(all="ignore"):
        fits = np.isfinite(exact) & (np.abs(exact) <= limit) & np.isfinite(rough)
        step = np.maximum(np.abs(exact) * 2.0**-10, 2.0**-24)
        # What float32 itself loses is no fault of half precision.
        allowed = ulps * step + 2 * np.abs(rough - exact)
        bad = fits & ~(np.abs(got - exact) <= allowed)
    return Half(name, points, got, exact, fits, bad)


def _in(dtype: Any, name: str, function: Function, points: Points) -> NDArray:
    t = points.t.astype(dtype) if points.t.dtype.kind == "f" else points.t
    return np.asarray(result_of(function, name, points.y.astype(dtype), t))


def halves(subject: Subject, search: Search) -> list[Half]:
    """Return all results in half precision beside those in double; computed once."""
    if "halves" not in search.store:
        found = []
        for points in search.points(subject, "float16"):
            some = _finite(subject, points)
            if len(some):
                for name, function in outputs(subject):
                    ulps = _HALF_ULPS if name == "value" else _HALF_ULPS_SLOPE
                    found.append(compared(name, function, some, ulps))
        search.store["halves"] = found
    result: list[Half] = search.store["halves"]
    return result


def _finite(subject: Subject, points: Points) -> Points:
    some = points.keep(np.isfinite(points.y))
    some = some.keep(np.isfinite(some.t))
    # Half precision's rows sum to 1 less exactly than wider ones may.
    t = some.t.astype(np.float64) if some.t.dtype.kind == "f" else some.t
    return some.take(is_inside(subject, Points(some.y.astype(np.float64), t)))


def _number(x: Any) -> str:
    values = [f"{float(v):.6g}" for v in np.atleast_1d(x)]
    return values[0] if len(values) == 1 else f"[{', '.join(values)}]"


def check_half_precision(subject: Subject, search: Search) -> int:
    """In float16 a result that fits is right to float16."""
    for half in halves(subject, search):
        if half.bad.any():
            raise half.refuted(half.bad)
    return _tried(subject, search)


def check_half_overflow(subject: Subject, search: Search) -> int:
    """In float16 a result that fits is finite."""
    for half in halves(subject, search):
        beyond = half.bad & ~np.isfinite(half.got)
        if beyond.any():
            raise half.refuted(beyond)
    return _tried(subject, search)


def check_half_digits(subject: Subject, search: Search) -> int:
    """In float16 a value that is finite has its digits."""
    return _named(subject, search, "value")


def check_half_gradient(subject: Subject, search: Search) -> int:
    """In float16 a first derivative that fits is right to float16."""
    return _named(subject, search, "gradient")


def check_half_hessian(subject: Subject, search: Search) -> int:
    """In float16 a second derivative that fits is right to float16."""
    return _named(subject, search, "hessian")


def _named(subject: Subject, search: Search, name: str) -> int:
    """Judge one function; an infinite value is another check's."""
    found = [half for half in halves(subject, search) if half.name == name]
    if not found:
        raise NotApplicable(f"there is no {name} in half precision")
    for half in found:
        bad = half.bad & np.isfinite(half.got) if name == "value" else half.bad
        if bad.any():
            raise half.refuted(bad)
    return sum(int(half.fits.sum()) for half in found)


def _tried(subject: Subject, search: Search) -> int:
    return sum(int(half.fits.sum()) for half in halves(subject, search))


CHECKS: dict[str, Check] = {
    "dtype:half": check_half_precision,
    "overflow:half": check_half_overflow,
    "precision:half": check_half_digits,
    "gradient:half": check_half_gradient,
    "hessian:half": check_half_hessian,
}

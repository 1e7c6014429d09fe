"""Checks against double precision: results in half precision, and rows of many classes.

A result that fits half precision is right there, also if a wider one computed it; an error is
reported by its class: an overflow, lost digits, a wrong derivative. For many classes exact
numbers would be slow, and the formula in double precision is right to the digits compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from lossfw.check.core.exact_points import cast, many_classes
from lossfw.check.core.memory import most_columns
from lossfw.check.core.search import (
    Check,
    Counterexample,
    NotApplicable,
    Output,
    Search,
    check,
    format_number,
    outputs,
    written,
)
from lossfw.check.core.subject import (
    Function,
    Points,
    Subject,
    call,
    drop_masked,
    is_inside,
    simplest,
)
from lossfw.components.spaces import BINARY, CLASS_INDEX, LOGITS, SIMPLEX, UNIT, Space
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

    def refuted(self, which: NDArray) -> Counterexample:
        """Return the refutation of the result that is written most shortly."""
        rows = np.asarray(which.reshape(len(self.points), -1).any(-1))
        one = simplest(self.points, rows)
        text = (
            f"in float16 the {self.function} is {format_number(self.got[one], 6)}, and in float64, "
            f"for the same numbers, {format_number(self.exact[one], 6)}, which fits float16."
        )
        return Counterexample.at(self.points, one, text, f"{self.function}(y, t)")


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


# How far a result may be from the formula in double precision: of its own size, and
# of the largest in its row, and next to 0.
_RELATIVE, _OF_ROW, _TINY = 1e-7, 1e-10, 1e-13

# Half precision stagnates where so many equal terms are added up in it.
_MOST_CLASSES = 4096

# Where nothing else is known of a space; a sum of so many of them fits half precision.
_USUAL = 8.0

# The error of a sum of so many terms that is rounded to half precision at the end alone.
_SUM_ULPS = 16.0


def _check(subject: Subject, search: Search, name: str) -> None:
    function = next((one for one in outputs(subject) if one.name == name), None)
    if function is None:
        raise NotApplicable(f"there is no {name}")
    formula = _formula(subject, name)
    rows = many_classes(subject, search)
    for points in rows:
        got = np.asarray(function(points.y, points.t), np.float64)
        wanted = np.asarray(call(formula, points.y, points.t), np.float64)
        if got.shape != wanted.shape:
            continue
        size = np.abs(wanted).max(-1, keepdims=True) if wanted.ndim > 1 else np.abs(wanted)
        off = ~(np.abs(got - wanted) <= _RELATIVE * np.abs(wanted) + _OF_ROW * size + _TINY)
        off &= np.isfinite(wanted)
        if off.any():
            one = int(np.argmax(off.reshape(len(points), -1).any(-1)))
            place = (one, *(int(i) for i in np.unravel_index(np.argmax(off[one]), off[one].shape)))
            text = (
                f"of {points.y.shape[-1]} classes the {function}{list(place[1:]) or ''} is "
                f"{got[place]:.9g}, and the formula gives {wanted[place]:.9g}."
            )
            raise Counterexample.at(points, one, text, f"{function}(y, t)")


def _formula(subject: Subject, name: str) -> Function:
    """Return the formula's own result in double precision."""
    loss = subject.truth
    if loss is None or subject.component is not None:
        raise NotApplicable("no other function is known to compare with")
    functions = {"value": loss, "gradient": loss.gradient, "hessian": loss.hessian}
    chosen: Any = functions[name]
    return lambda y, t: chosen(y, t, reduction="none")


check_many_classes, check_gradient_of_many, check_hessian_of_many = (
    Check(f"{name}:classes", partial(_check, name=name))
    for name in ("value", "gradient", "hessian")
)


@check("precision:classes")
def check_half_of_many(subject: Subject, search: Search) -> None:
    """In float16 the sum over very many classes keeps its digits."""
    functions = written(subject)

    def in_double(columns: int) -> Points:
        return cast(subject, _equal_rows(subject, columns), "float64")

    columns = most_columns(search, functions, in_double, _MOST_CLASSES)
    points = _equal_rows(subject, columns)
    for function in functions:
        half = compared(function, points, _SUM_ULPS)
        if half.bad.any():
            where = np.unravel_index(int(np.argmax(half.bad)), half.bad.shape)
            raise Counterexample.by(
                points,
                f"in float16 the {function} of {columns} equal classes is "
                f"{half.got[where]:.6g}, and in float64, for the same numbers, "
                f"{half.exact[where]:.6g}.",
                f"{function}(y, t)",
            )


def _equal_rows(subject: Subject, columns: int) -> Points:
    """Return rows of many equal predictions but two, and targets in which all take part."""
    if not subject.rows or len(subject.columns) < 2 or subject.target_per_row:
        raise NotApplicable("there are no rows of many classes")
    shape = (2, columns)
    y = np.full(shape, _equal(subject.prediction, columns), np.float16)
    # The last ones differ: half precision holds no number of a class beyond 2,048.
    y[:, -2:] = y[0, 0] * np.array([0.5, 1.5], np.float16) if y[0, 0] else (-1.0, 1.0)
    if subject.target is CLASS_INDEX:
        t: NDArray = np.array([columns - 2, columns - 1])
    elif subject.target is BINARY:
        t = np.broadcast_to(np.arange(columns) % 2, shape).astype(np.float16)
    else:
        t = np.full(shape, _equal(subject.target, columns), np.float16)
    points = Points(y, t)
    found = drop_masked(subject, points.take(is_inside(subject, points)))
    if not len(found):
        raise NotApplicable("no such rows in this space")
    return found


def _equal(space: Space, columns: int) -> float:
    """Return the number that all columns of a row have."""
    return {SIMPLEX: 1 / columns, UNIT: 0.5, LOGITS: 0.0}.get(space, _USUAL)

"""NaN is no loss: legal, finite predictions and targets have a value and derivatives.

0 times infinity, as in ``t log y`` at a target and a prediction of 0, is NaN in floats and
on exact numbers alike, so a formula with it would forgive a value with it.
"""

from __future__ import annotations

import numpy as np

from lossfw.check.core.points import Points, counting, simplest
from lossfw.check.core.session import NotApplicable, Refuted, Search, check, outputs
from lossfw.check.core.subject import Subject, call
from lossfw.check.laws.derivatives import inner, is_inner
from lossfw.numerics.arrays import NDArray
from lossfw.numerics.exact.ulp import to_float

_DTYPES = ("float64", "float32")

# Beyond, and below one over it, powers overflow or vanish, which other checks tell.
_HUGE = {"float64": 1e100, "float32": 1e12}

_CURE = "`xlogy`, `times` or `guarded_log` of lossfw.numerics take 0 times infinity for 0."


@check("nan:legal")
def check_legal(subject: Subject, search: Search) -> None:
    """Value and derivatives are numbers at legal, finite arguments."""
    for points in search.points(subject, *_DTYPES):
        finite = _finite(subject, points)
        for function in outputs(subject):
            some = finite if function.name == "value" else _of_derivatives(subject, finite)
            if len(some):
                _refuse_nan(some, function(some.y, some.t), str(function))


def _of_derivatives(subject: Subject, points: Points) -> Points:
    """Return the points at which no other check looks at derivatives.

    Inside of a space they are compared with the formula's, where there is one. At a bound
    other libraries have none.
    """
    if subject.component is None:
        return inner(subject, points) if subject.truth is None else points.take(slice(0))
    return points.keep(~is_inner(subject, points))


@check("nan:formula")
def check_formula(subject: Subject, search: Search) -> None:
    """The formula is a number at legal, finite arguments: a NaN is nothing to compare with."""
    if subject.component is None:
        raise NotApplicable("the formula is not the function's own")
    for points in search.points(subject, "float64"):
        some = _finite(subject, points)
        # Where the value is NaN too, `nan:legal` tells it, and the two are one slip.
        some = some.keep(~np.isnan(call(subject.value, some.y, some.t)))
        if len(some):
            search.count(len(some))
            _refuse_nan(some, to_float(subject.exact.values(some.y, some.t)), "formula")


def _finite(subject: Subject, points: Points) -> Points:
    keep = _is_usual(points.y)
    if points.t.shape == points.y.shape:
        keep = keep & _is_usual(points.t)
    return counting(subject, points.keep(keep))


def _is_usual(x: NDArray) -> NDArray:
    """Tell which numbers are 0, or neither huge nor tiny."""
    huge = _HUGE.get(x.dtype.name, np.inf)
    return np.asarray((x == 0) | ((np.abs(x) < huge) & (np.abs(x) > 1 / huge)))


def _refuse_nan(points: Points, results: NDArray, name: str) -> None:
    if results.shape[:1] != (len(points),):
        raise NotApplicable("results have the wrong shape")
    bad = np.asarray(np.isnan(results.reshape(len(points), -1)).any(axis=-1))
    if bad.any():
        code = "value(y, t)" if name == "formula" else f"{name}(y, t)"
        text = f"the {name} is NaN at legal, finite arguments. {_CURE}"
        raise Refuted.at(points, simplest(points, bad), text, code)

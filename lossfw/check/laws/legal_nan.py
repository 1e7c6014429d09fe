"""NaN is no loss: legal, finite predictions and targets have a value and derivatives.

0 times infinity, as in ``t log y`` at a target and a prediction of 0, is NaN in floats and
on exact numbers alike, so a formula with it would forgive a value with it.
"""

from __future__ import annotations

import numpy as np

from lossfw.check.core.points import Points, counting, simplest
from lossfw.check.core.session import NotApplicable, Refuted, Search, check, outputs
from lossfw.check.core.subject import Subject
from lossfw.check.laws.derivatives import inner, is_inner
from lossfw.components.spaces import REAL
from lossfw.losses.kinds import PointwiseLoss
from lossfw.numerics.arrays import NDArray

_DTYPES = ("float64", "float32")

# Beyond, and below one over it, powers overflow or vanish, which other checks tell.
_HUGE = {"float64": 1e100, "float32": 1e12}

# With no space at all, most of the arguments are none that the author thought of.
_SPACES = (
    "Predictions and targets were drawn from all real numbers: a loss of others declares them, as "
    "in `prediction = POSITIVE` and `target = NONNEGATIVE`."
)
_CURE = "`xlogy`, `times` or `guarded_log` of lossfw.numerics take 0 times infinity for 0."


@check("nan:legal")
def check_legal(subject: Subject, search: Search) -> None:
    """Value and derivatives are numbers at legal, finite arguments."""
    for points in search.points(subject, *_DTYPES):
        finite = usual_points(subject, points)
        for function in outputs(subject):
            some = finite if function.name == "value" else _of_derivatives(subject, finite)
            if len(some):
                refuse_nan(some, function(some.y, some.t), str(function), subject)


def _of_derivatives(subject: Subject, points: Points) -> Points:
    """Return the points at which no other check looks at derivatives.

    Inside of a space they are compared with the formula's, where there is one. At a bound
    other libraries have none.
    """
    if subject.component is None:
        return inner(subject, points) if subject.truth is None else points.take(slice(0))
    return points.keep(~is_inner(subject, points))


def usual_points(subject: Subject, points: Points) -> Points:
    """Return the points that count, without those of huge and tiny numbers."""
    keep = _is_usual(points.y)
    if points.t.shape == points.y.shape:
        keep = keep & _is_usual(points.t)
    return counting(subject, points.keep(keep))


def _is_usual(x: NDArray) -> NDArray:
    """Tell which numbers are 0, or neither huge nor tiny."""
    huge = _HUGE.get(x.dtype.name, np.inf)
    return np.asarray((x == 0) | ((np.abs(x) < huge) & (np.abs(x) > 1 / huge)))


def refuse_nan(points: Points, results: NDArray, name: str, subject: Subject) -> None:
    """Refute a function whose results at points are NaN."""
    if results.shape[:1] != (len(points),):
        raise NotApplicable("results have the wrong shape")
    bad = np.asarray(np.isnan(results.reshape(len(points), -1)).any(axis=-1))
    if bad.any():
        code = "value(y, t)" if name == "formula" else f"{name}(y, t)"
        text = f"the {name} is NaN at legal, finite arguments. "
        found = Refuted.at(points, simplest(points, bad), text + _CURE, code)
        if _is_undeclared(subject):
            found.message = text + _SPACES
            found.blocking()
        raise found


def _is_undeclared(subject: Subject) -> bool:
    """Tell a pointwise loss whose author has declared no space."""
    loss = subject.component
    return isinstance(loss, PointwiseLoss) and loss.prediction is loss.target is REAL

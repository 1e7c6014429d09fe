"""Checks of many classes: rows wider than those of the shared points.

Exact numbers would be slow here, so results are compared with those of the
formula in double precision, which many classes make no worse than this.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from lossfw.check.core.memory import most_columns
from lossfw.check.core.plain_points import cast, many_classes
from lossfw.check.core.points import Points, counting, is_inside
from lossfw.check.core.session import (
    Check,
    NotApplicable,
    Refuted,
    Search,
    check,
    outputs,
    written,
)
from lossfw.check.core.subject import Function, Subject, call
from lossfw.check.laws.half_precision import compared
from lossfw.components.spaces import BINARY, CLASS_INDEX, LOGITS, SIMPLEX, UNIT, Space
from lossfw.numerics.arrays import NDArray

# How far a result may be from the formula in double precision: of its own size, and
# of the largest in its row, and next to 0.
_RELATIVE, _OF_ROW, _TINY = 1e-7, 1e-10, 1e-13

# Half precision stagnates where so many equal terms are added up in it.
_MOST_CLASSES = 4096

# Where nothing else is known of a space; a sum of so many of them fits half precision.
_USUAL = 8.0

# The error of a sum of so many terms that is rounded to half precision at the end alone.
_HALF_ULPS = 16.0


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
            raise Refuted.at(points, one, text, f"{function}(y, t)")


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
        half = compared(function, points, _HALF_ULPS)
        if half.bad.any():
            where = np.unravel_index(int(np.argmax(half.bad)), half.bad.shape)
            raise Refuted.by(
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
    found = counting(subject, points.take(is_inside(subject, points)))
    if not len(found):
        raise NotApplicable("no such rows in this space")
    return found


def _equal(space: Space, columns: int) -> float:
    """Return the number that all columns of a row have."""
    return {SIMPLEX: 1 / columns, UNIT: 0.5, LOGITS: 0.0}.get(space, _USUAL)

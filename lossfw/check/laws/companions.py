"""Checks of companions: functions that compute together, or faster, what others compute.

A companion that differs from the others by no more than rounding is right. Elsewhere each of the
two may have lost digits, so the formula decides.
"""

from __future__ import annotations

import numpy as np

from lossfw.check.core.leniency import judged
from lossfw.check.core.points import Points, counting, simplest
from lossfw.check.core.session import NotApplicable, Refuted, Search, check, close, shown
from lossfw.check.core.subject import Subject, call
from lossfw.check.laws.derivatives import inner
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

_DTYPES = ("float64", "float32")

# Of more that differ, so many are compared with the formula.
_MOST = 24

_NAMES = ("value", "derivative")
_APART = ("unreduced", "unreduced_gradient")
_CODE = "loss.value_and_gradient(y, t, reduction='sum'), value(y, t), gradient(y, t)"

# Their functions of both call those of each, or dual numbers.
_DEFAULTS = ("lossfw.losses.bodies", "lossfw.losses.base", "lossfw.losses.kinds")


@check("gradient:both")
def check_both(subject: Subject, search: Search) -> None:
    """Value and derivative that are computed together are those that are computed apart."""
    assert subject.component is not None
    if not _is_written(subject.component):
        raise NotApplicable("nobody wrote a function that computes both")
    compare_both(subject, search, _CODE)


def _is_written(loss: Loss) -> bool:
    """Tell whether value and derivative are computed together by more than a call of each."""
    functions = (
        getattr(type(owner), f"{name}{at}", None)
        for owner, name in ((loss, "unreduced_with_gradient"), (loss.body, "value_and_derivative"))
        for at in ("", "_at")
    )
    return any(getattr(f, "__module__", _DEFAULTS[0]) not in _DEFAULTS for f in functions)


def compare_both(subject: Subject, search: Search, code: str) -> None:
    """Refute a component whose value or derivative is another one if computed together.

    The expression `code` shows the difference.
    """
    loss = subject.component
    for points in search.points(subject, *_DTYPES):
        some = counting(subject, inner(subject, points))
        if not len(some):
            continue
        at = "_at" if subject.by_index and some.t.ndim < some.y.ndim else ""
        search.count(len(some))
        both = call(getattr(loss, f"unreduced_with_gradient{at}"), np, some.y, some.t)
        for order, (own, got) in enumerate(zip(_APART, both, strict=True)):
            wanted = call(getattr(loss, own + at), np, some.y, some.t)
            _compare(subject, some, order, code, np.asarray(got), np.asarray(wanted))


def _compare(
    subject: Subject, points: Points, order: int, code: str, got: NDArray, wanted: NDArray
) -> None:
    """Refute one of two results that differs from that of its own function."""
    name = _NAMES[order]
    if got.shape != wanted.shape or got.dtype != wanted.dtype:
        text = (
            f"computed together, the {name} has shape {got.shape} and dtype {got.dtype}; computed "
            f"alone, it has {wanted.shape} and {wanted.dtype}."
        )
        raise Refuted.by(points.take(slice(2)), text, code)
    differ = np.flatnonzero(~close(got, wanted).reshape(len(points), -1).all(-1))[:_MOST]
    if not differ.size:
        return
    bad = judged(subject, points.take(differ), got[differ], order).bad
    wrong = np.zeros(len(points), bool)
    wrong[differ] = bad.reshape(differ.size, -1).any(-1)
    if wrong.any():
        one = simplest(points, wrong)
        text = (
            f"computed together, the {name} is {shown(got[one], 17)}; computed alone, it is "
            f"{shown(wanted[one], 17)}."
        )
        raise Refuted.at(points, one, text, code)

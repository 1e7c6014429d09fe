"""Checks of the value against the exact formula.

A wrong value is told apart by what is wrong with it: ``value`` where the result
is another one altogether, ``precision`` where it is finite but has lost its
digits to cancellation, ``overflow`` where it is infinite or NaN though the
truth is an ordinary number.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lossfw.check.core.judge import Judgement, exact_values, judge
from lossfw.check.core.points import Points, counting, in_play, simplest
from lossfw.check.core.prescreen import suspects
from lossfw.check.core.session import Check, NotApplicable, Refuted, Search, ordinary, outputs
from lossfw.check.core.subject import Subject, call
from lossfw.components.spaces import SIMPLEX
from lossfw.numerics.arrays import NDArray

_DTYPES = ("float64", "float32")

# An error below so many rounding steps of the largest number in play (an input,
# the result, or 1) is what cancellation leaves; a larger one is another value.
_LOST_DIGITS = 2.0**7


def judgements(subject: Subject, search: Search) -> list[Judgement]:
    """Return the values at all points beside the truth; computed once."""
    if subject.truth is None:
        raise NotApplicable("no formula is known to compare with")
    if "values" not in search.store:
        found = []
        for dtype in _DTYPES:
            pool = [*search.points(subject, dtype), *suspects(subject, search, dtype, 0)]
            for points in pool:
                got = np.asarray(call(subject.value, points.y, points.t))
                if got.shape != points.y.shape[:1] or got.dtype.kind != "f":
                    raise NotApplicable("results have the wrong shape or dtype")
                found.append(
                    judge(
                        subject,
                        points,
                        got,
                        lambda y, t: exact_values(subject, y, t),
                        subject.ulps[0],
                    )
                )
        search.store["values"] = found
    result: list[Judgement] = search.store["values"]
    return result


def sort_of_error(judgement: Judgement) -> NDArray:
    """Return for each result what is wrong with it: "", "value", "precision" or "overflow"."""
    points, got, truth = judgement.points, judgement.got, judgement.truth
    size = in_play(points).reshape(-1, *[1] * (got.ndim - 1))
    eps = float(np.finfo(got.dtype).eps)
    with np.errstate(all="ignore"):
        error = np.abs(got.astype(np.float64) - truth)
        small = error <= _LOST_DIGITS * eps * np.maximum(size, np.abs(truth))
    # A target of 0 is as ordinary as any other.
    y, t = points.y, points.t
    edge = _at_edge(y, len(points)) | _at_edge(np.where(t == 0, 1.0, t), len(points))
    edge = edge.reshape(-1, *[1] * (got.ndim - 1))
    sort = np.where(small, "precision", "value")
    sort = np.where(~np.isfinite(got) & np.isfinite(truth) & ~edge, "overflow", sort)
    return np.where(judgement.bad, sort, "")


def _at_edge(x: NDArray, rows: int) -> NDArray:
    """Tell which rows hold an exact 0 or an infinite number: where a limit is asked for."""
    edge = (x == 0) | ~np.isfinite(x)
    return edge.reshape(rows, -1).any(-1) if edge.size else np.zeros(rows, bool)


def refute(judgement: Judgement, which: NDArray, name: str, explain: str, code: str) -> Refuted:
    """Return the refutation of the result whose numbers are written most shortly."""
    rows = np.asarray(which.reshape(len(judgement.points), -1).any(-1))
    one = simplest(judgement.points, rows)
    got, truth = judgement.got[one], judgement.truth[one]
    # As many digits as it takes to tell them apart.
    few, all_ = ([_number(x, digits) for x in (got, truth)] for digits in (9, 17))
    found, wanted = few if few[0] != few[1] else all_
    return Refuted(
        f"{explain}: {name} is {found}, and the formula gives {wanted}.",
        code,
        y=judgement.points.y[one : one + 1],
        t=judgement.points.t[one : one + 1],
    )


def _number(x: Any, digits: int) -> str:
    values = [f"{float(v):.{digits}g}" for v in np.atleast_1d(x)]
    return values[0] if len(values) == 1 else f"[{', '.join(values)}]"


def _check(subject: Subject, search: Search, sort: str, explain: str) -> int:
    tried = 0
    for judgement in judgements(subject, search):
        which = sort_of_error(judgement) == sort
        tried += len(judgement.points)
        if which.any():
            raise refute(judgement, which, "the value", explain, "value(y, t)")
    return tried


def check_value(subject: Subject, search: Search) -> int:
    """The value is that of the formula."""
    return _check(subject, search, "value", "wrong value")


def check_precision(subject: Subject, search: Search) -> int:
    """The value has the digits of the formula's, however small it is."""
    if any((sort_of_error(j) == "value").any() for j in judgements(subject, search)):
        raise NotApplicable("values are wrong altogether")
    return _check(subject, search, "precision", "digits are lost")


def check_overflow(subject: Subject, search: Search) -> int:
    """The value is finite where the formula's is."""
    return _check(subject, search, "overflow", "overflow")


def check_soft_and_hard(subject: Subject, search: Search) -> int:
    """Class indices and one-hot rows are one target."""
    if not (subject.by_index and (subject.target is SIMPLEX or subject.soft)):
        raise NotApplicable("a target has one form only")
    points = ordinary(subject, search, "value:index")
    columns = points.y.shape[-1]
    index = search.rng("value:index rows").integers(0, columns, len(points))
    points = counting(subject, Points(points.y, index))
    index = points.t
    hot = np.eye(columns)[index]
    for name, function in outputs(subject):
        try:
            by_index, by_row = call(function, points.y, index), call(function, points.y, hot)
        except Exception as error:
            raise Refuted(
                f"{name} raises for a target in one of its two forms: {error}",
                f"{name}(y, t), {name}(y, np.eye(y.shape[-1])[t])",
                y=points.y,
                t=index,
            ) from error
        with np.errstate(all="ignore"):
            same = np.isclose(by_index, by_row, rtol=1e-10, atol=1e-13, equal_nan=True)
        if not same.all():
            one = int(np.flatnonzero(~same.reshape(len(points), -1).all(-1))[0])
            raise Refuted(
                f"{name} for class {index[one]} and for its one-hot row differ.",
                f"{name}(y, t), {name}(y, np.eye(y.shape[-1])[t])",
                y=points.y[one : one + 1],
                t=index[one : one + 1],
            )
    return len(points)


CHECKS: dict[str, Check] = {
    "value": check_value,
    "value:index": check_soft_and_hard,
    "precision": check_precision,
    "overflow": check_overflow,
}

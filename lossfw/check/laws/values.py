"""Checks of the value against the exact formula.

A wrong value is classed by its error: ``value`` where the result
is another one altogether, ``precision`` where it is finite but has lost its
digits to cancellation, ``overflow`` where it is infinite or NaN though the
truth is an ordinary number.
"""

from __future__ import annotations

import numpy as np

from lossfw.check.core.branches import branch_points
from lossfw.check.core.leniency import Judgement, judged
from lossfw.check.core.points import Points, counting, first, in_play, simplest
from lossfw.check.core.prescreen import suspects
from lossfw.check.core.session import (
    NotApplicable,
    Refuted,
    Search,
    check,
    ordinary,
    outputs,
    shown,
)
from lossfw.check.core.subject import Subject, call
from lossfw.components.spaces import SIMPLEX
from lossfw.numerics.arrays import NDArray

_DTYPES = ("float64", "float32")

# An error below so many rounding steps of the largest number in play (an input,
# the result, or 1) is left by cancellation; a larger one is another value.
_LOST_DIGITS = 2.0**7

# The remedy for each sort of error; the page on stable formulas has them all.
REMEDIES = {
    "value": "",
    "precision": (
        "A difference of near numbers loses digits: write it with xp.log1p or xp.expm1, or take "
        "a function of lossfw.numerics."
    ),
    "overflow": (
        "An exponential, a square or a quotient overflows on the way: softplus, logsumexp, "
        "log_cosh and others of lossfw.numerics do not."
    ),
}


def judgements(subject: Subject, search: Search) -> list[Judgement]:
    """Return the values at all points beside the truth; computed once."""
    if subject.truth is None:
        raise NotApplicable("no formula is known to compare with")

    def every() -> list[Judgement]:
        found = []
        more = [points for dtype in _DTYPES for points in suspects(subject, search, dtype, 0)]
        more += [points for dtype in _DTYPES for points in branch_points(subject, search, dtype)]
        for points in [*search.points(subject, *_DTYPES), *more]:
            got = np.asarray(call(subject.value, points.y, points.t))
            if got.shape != points.y.shape[:1] or got.dtype.kind != "f":
                raise NotApplicable("results have the wrong shape or dtype")
            found.append(judged(subject, points, got, 0))
        return found

    return search.once("values", every)


def sort_of_error(judgement: Judgement) -> NDArray:
    """Return the class of each error: "", "value", "precision" or "overflow"."""
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


def refute(
    judgement: Judgement, which: NDArray, name: str, explain: str, code: str, remedy: str = ""
) -> Refuted:
    """Return the refutation of the result whose numbers are written most shortly."""
    rows = np.asarray(which.reshape(len(judgement.points), -1).any(-1))
    one = simplest(judgement.points, rows)
    got, truth = judgement.got[one], judgement.truth[one]
    # As many digits as it takes to tell them apart.
    few, all_ = ([shown(x, digits) for x in (got, truth)] for digits in (9, 17))
    found, wanted = few if few[0] != few[1] else all_
    text = f"{explain}: {name} is {found}, and the formula gives {wanted}."
    return Refuted.at(
        judgement.points, one, f"{text}{_off(judgement, one)} {remedy}".rstrip(), code
    )


def _off(judgement: Judgement, one: int) -> str:
    """Return how far off a result is, in units in the last place, and how far it may be."""
    truth = judgement.truth[one]
    with np.errstate(all="ignore"):
        error = np.abs(judgement.got[one].astype(np.float64) - truth) / np.spacing(np.abs(truth))
    worst = float(np.max(np.nan_to_num(error, posinf=0.0), initial=0.0))
    if not worst:
        return ""
    unit = f"{worst:.3g} units in the last place"
    return f" It is {unit} off, and {judgement.allowed:g} are allowed."


def _check(subject: Subject, search: Search, sort: str, explain: str) -> None:
    for judgement in judgements(subject, search):
        which = sort_of_error(judgement) == sort
        if which.any():
            raise refute(judgement, which, "the value", explain, "value(y, t)", REMEDIES[sort])


@check("value")
def check_value(subject: Subject, search: Search) -> None:
    """The value is that of the formula."""
    _check(subject, search, "value", "wrong value")


@check("precision")
def check_precision(subject: Subject, search: Search) -> None:
    """The value has the digits of the formula's, however small it is."""
    if any((sort_of_error(j) == "value").any() for j in judgements(subject, search)):
        raise NotApplicable("values are wrong altogether")
    _check(subject, search, "precision", "digits are lost")


@check("overflow")
def check_overflow(subject: Subject, search: Search) -> None:
    """The value is finite where the formula's is."""
    _check(subject, search, "overflow", "overflow")


@check("value:index")
def check_soft_and_hard(subject: Subject, search: Search) -> None:
    """Class indices and one-hot rows are one target."""
    if not (subject.by_index and (subject.target is SIMPLEX or subject.soft)):
        raise NotApplicable("a target has one form only")
    points = ordinary(subject, search, "value:index")
    columns = points.y.shape[-1]
    index = search.rng("value:index rows").integers(0, columns, len(points))
    points = counting(subject, Points(points.y, index))
    index = points.t
    hot = np.eye(columns)[index]
    for function in outputs(subject):
        both = f"{function}(y, t), {function}(y, np.eye(y.shape[-1])[t])"
        try:
            by_index, by_row = (call(function.raw, points.y, t) for t in (index, hot))
        except Exception as error:
            raise Refuted(
                f"{function} raises for a target in one of its two forms: {error}",
                both,
                y=points.y,
                t=index,
            ) from error
        with np.errstate(all="ignore"):
            same = np.isclose(by_index, by_row, rtol=1e-10, atol=1e-13, equal_nan=True)
        if not same.all():
            one = first(~same)
            text = f"{function} for class {index[one]} and for its one-hot row differ."
            raise Refuted.at(points, one, text, both)

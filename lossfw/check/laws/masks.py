"""Laws of masks: the elements that `where` leaves out are removed."""

from __future__ import annotations

from typing import Any

import numpy as np

from lossfw.check.core.points import Points
from lossfw.check.core.session import Refuted, Search, check
from lossfw.check.core.subject import Subject, call
from lossfw.check.laws.large_inputs import sizes
from lossfw.check.laws.means import code, in_axes, terms_of
from lossfw.check.laws.nan_and_labels import SWALLOWED
from lossfw.check.laws.weights import GROWING


@check("mask")
def check_mask(subject: Subject, search: Search) -> None:
    """Elements that `where` leaves out are removed, even a NaN, with and without weights."""
    rng, every = search.rng("mask draws"), terms_of(subject, search, "mask")
    for size in GROWING:
        terms = every.take(slice(size))
        keep = rng.random(size) < 0.6
        keep[:2] = [True, False]
        weight = rng.random(size) + 0.5
        spoilt = Points(terms.points.y.copy(), terms.points.t)
        spoilt.y[~keep] = np.nan
        left, both = terms.take(keep), {"sample_weight": weight, "where": keep}
        for some, text in ((terms.points, "a mask"), (spoilt, "a NaN under the mask")):
            terms.compare(left.mean(), text, some, where=keep)
            terms.compare(left.mean(weight[keep]), f"{text} and weights", some, **both)


@check("mask:nothing")
def check_nothing_left(subject: Subject, search: Search) -> None:
    """A mean of nothing is NaN or an exception, and not a number."""
    some = terms_of(subject, search, "mask:nothing", 3).points
    none, zero = np.zeros(len(some), bool), np.zeros(len(some))
    empty = some.take(slice(0))
    tried: tuple[tuple[Points, dict[str, Any]], ...] = (
        (some, {"where": none}),
        (some, {"sample_weight": zero}),
        (empty, {}),
        (empty, {"sample_weight": zero[:0], "where": none[:0]}),
    )
    for points, options in tried:
        try:
            result = float(np.asarray(call(subject.reduce, points.y, points.t, **options)))
        except Exception:  # noqa: S112  # an exception is one of the right answers
            continue
        if not np.isnan(result):
            text = f"the mean of nothing is {result!r}; it should be NaN or an exception."
            raise Refuted.by(points, text, code(options), **options)


@check("mask:axes")
def check_axes_of_masks(subject: Subject, search: Search) -> None:
    """A mask of two axes leaves out elements, and neither rows nor columns."""
    terms, points = in_axes(subject, search, "mask:axes")
    rng = search.rng("mask:axes draws")
    # Its first row is left out, the second in, the others in part.
    keep = np.repeat([False, True, True], 4)
    keep[8:] = rng.permutation([True, True, False, False])
    for some in (keep, keep[::-1].copy()):
        left, where = terms.take(some), some.reshape(points.y.shape)
        terms.compare(left.mean(), "a mask of two axes", points, where=where)
        weight = rng.integers(1, 8, 12).astype(float)
        options = {"where": where, "sample_weight": weight.reshape(where.shape)}
        text = "weights and a mask of two axes"
        terms.compare(left.mean(weight[some]), text, points, **options)


@check("mask:many")
def check_many_masked(subject: Subject, search: Search) -> None:
    """Of many elements a mask leaves out those that it says."""
    rng, few = search.rng("mean of many"), terms_of(subject, search, "mean of many", 24)
    for size in sizes(search):
        terms = few.take(rng.integers(0, 24, size))
        rng.integers(1, 8, size)
        keep = rng.random(size) < 0.7
        terms.compare(terms.take(keep).mean(), "a mask of many", where=keep)


def _check_nan(subject: Subject, search: Search, *every: dict[str, Any]) -> None:
    """A NaN that counts reaches the mean under any of the options."""
    terms = terms_of(subject, search, "nan:mean").take(slice(3))
    y, t = terms.points.y.copy(), terms.points.t
    # The first one counts; of a row one number is enough.
    y[(0, -1) if subject.rows else 0] = np.nan
    for options in every:
        result = float(np.asarray(call(subject.reduce, y, t, **options)))
        if not np.isnan(result):
            text = f"the mean over a NaN that counts is {result!r}."
            raise Refuted(text, code(options), y=y, t=t, **options).of_cause(SWALLOWED)


@check("nan:mean")
def check_nan_in_mean(subject: Subject, search: Search) -> None:
    """A NaN makes the plain mean NaN."""
    _check_nan(subject, search, {})


@check("weights:nan")
def check_nan_with_weights(subject: Subject, search: Search) -> None:
    """A NaN with a weight makes the mean NaN."""
    _check_nan(subject, search, {"sample_weight": np.array([1.0, 2.0, 1.0])})


@check("mask:nan")
def check_nan_in_mask(subject: Subject, search: Search) -> None:
    """A NaN that a mask leaves in makes the mean NaN."""
    keep = np.array([True, True, False])
    _check_nan(subject, search, {"where": keep}, {"where": keep | True})

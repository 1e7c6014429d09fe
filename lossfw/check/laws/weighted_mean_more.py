"""More laws of the weighted mean: its scale, its axes, its size, its precision, and NaN in it."""

from __future__ import annotations

from typing import Any

import numpy as np

from lossfw.check.core.exact_points import cast
from lossfw.check.core.points import Points
from lossfw.check.core.session import NotApplicable, Refuted, Search, check
from lossfw.check.core.subject import Subject, call
from lossfw.check.laws.large_inputs import sizes
from lossfw.check.laws.weighted_mean import Parts, compare, parts_of

# Weights say how elements compare: all of them times one of these change no mean.
_FACTORS = (1e-60, 1e-3, 1e5, 1e60)

# Whole weights may come in any width; so many threes do not fit a byte.
_WEIGHT_DTYPES = ("float32", "float16", "int64", "uint8")
_THREES = 100

# The mean of losses in half precision is right to this share, whatever it is rounded to.
_HALF = 2.0**-8

# Losses whose sum half precision does not hold: of this sum, and at most so many.
_HALF_SUM, _HALF_MOST = 200_000.0, 20_000


@check("weights:scale")
def check_scale_of_weights(subject: Subject, search: Search) -> None:
    """All weights times one number give the same mean, in whatever dtype they are."""
    rng = search.rng("weights:scale draws")
    for count in (2, 33):
        parts = parts_of(subject, search, "weights:scale").take(slice(count))
        weight = rng.integers(1, 8, count).astype(float)
        wanted = parts.mean(weight)
        for factor in _FACTORS:
            text = f"with weights, each times {factor:g}"
            options = {"sample_weight": weight * factor}
            compare(subject, parts.points, wanted, text, parts.scale, **options)
    parts = parts_of(subject, search, "weights:scale").take(slice(_THREES))
    for dtype in _WEIGHT_DTYPES:
        weight = np.full(parts.losses.size, 3.0).astype(dtype)
        text = f"with equal weights of dtype {dtype}"
        compare(subject, parts.points, parts.mean(), text, parts.scale, sample_weight=weight)


@check("weights:masked")
def check_weights_under_mask(subject: Subject, search: Search) -> None:
    """Weights count for what a mask leaves in."""
    rng = search.rng("weights:masked draws")
    for count in (3, 33):
        parts = parts_of(subject, search, "weights:masked").take(slice(count))
        keep = rng.random(count) < 0.7
        keep[:3] = [True, True, False]
        weight = rng.integers(1, 8, count).astype(float)
        left = parts.take(keep)
        try:
            compare(subject, parts.points, left.mean(), "", parts.scale, where=keep)
        except Refuted:
            raise NotApplicable("the mean under a mask is wrong without weights too") from None
        options = {"sample_weight": weight, "where": keep}
        wanted = left.mean(weight[keep])
        compare(subject, parts.points, wanted, "weights and a mask", parts.scale, **options)


def _in_axes(subject: Subject, search: Search, name: str) -> tuple[Parts, Points]:
    """Return twelve points, and the same in two axes."""
    if subject.rows:
        raise NotApplicable("rows have their losses in one axis")
    parts = parts_of(subject, search, name).take(slice(12))
    shape = (3, 4)
    return parts, Points(parts.points.y.reshape(shape), parts.points.t.reshape(shape))


@check("weights:axes")
def check_axes_of_weights(subject: Subject, search: Search) -> None:
    """Weights of two axes are those of their elements."""
    parts, points = _in_axes(subject, search, "weights:axes")
    weight = search.rng("weights:axes draws").integers(1, 8, 12).astype(float)
    compare(subject, points, parts.mean(), "of two axes", parts.scale)
    options = {"sample_weight": weight.reshape(points.y.shape)}
    compare(subject, points, parts.mean(weight), "with weights of two axes", parts.scale, **options)


@check("mask:axes")
def check_axes_of_masks(subject: Subject, search: Search) -> None:
    """A mask of two axes leaves out elements, and neither rows nor columns."""
    parts, points = _in_axes(subject, search, "mask:axes")
    rng = search.rng("mask:axes draws")
    # Its first row is left out, the second in, the others in part.
    keep = np.repeat([False, True, True], 4)
    keep[8:] = rng.permutation([True, True, False, False])
    for some in (keep, keep[::-1].copy()):
        left = parts.take(some)
        where = some.reshape(points.y.shape)
        compare(subject, points, left.mean(), "a mask of two axes", parts.scale, where=where)
        weight = rng.integers(1, 8, 12).astype(float)
        options = {"where": where, "sample_weight": weight.reshape(where.shape)}
        wanted = left.mean(weight[some])
        compare(subject, points, wanted, "weights and a mask of two axes", parts.scale, **options)


def _many(subject: Subject, search: Search, masked: bool) -> None:
    rng = search.rng("mean of many")
    few = parts_of(subject, search, "mean of many", 24)
    for size in sizes(search):
        parts = few.take(rng.integers(0, 24, size))
        weight = rng.integers(1, 8, size).astype(float)
        if not masked:
            text = f"of {size:,} elements"
            compare(subject, parts.points, parts.mean(), text, parts.scale)
            options = {"sample_weight": weight}
            compare(subject, parts.points, parts.mean(weight), text, parts.scale, **options)
            continue
        keep = rng.random(size) < 0.7
        left = parts.take(keep)
        compare(subject, parts.points, left.mean(), "a mask of many", parts.scale, where=keep)


@check("weights:many")
def check_many_weights(subject: Subject, search: Search) -> None:
    """Of many elements all count, each with its weight."""
    _many(subject, search, masked=False)


@check("mask:many")
def check_many_masked(subject: Subject, search: Search) -> None:
    """Of many elements a mask leaves out what it says."""
    _many(subject, search, masked=True)


@check("weights:half")
def check_half_mean(subject: Subject, search: Search) -> None:
    """Losses in half precision are added up in a wider one, and weighted in one."""
    parts = parts_of(subject, search, "weights:half", 24)
    points = cast(subject, parts.points, "float16")
    losses = np.asarray(call(subject.value, points.y, points.t), np.float64)
    counts = subject.counts(points.y, points.t)
    fits = np.flatnonzero(np.isfinite(losses) & (counts > 0))
    if not fits.size or not np.abs(losses[fits]).max():
        raise NotApplicable("no ordinary loss in half precision")
    one = fits[np.argmax(np.abs(losses[fits]))]
    size = int(min(_HALF_SUM // abs(losses[one]) + 2, _HALF_MOST))
    some = points.take(np.full(size, one))
    wanted = losses[one] / counts[one]
    for options in ({}, {"sample_weight": np.full(size, 1e5)}):
        result = float(np.asarray(call(subject.reduce, some.y, some.t, **options)))
        if not abs(result - wanted) <= _HALF * abs(wanted):
            raise Refuted(
                f"the mean of {size:,} equal float16 losses of {wanted:.6g} is {result:.6g}"
                f"{', with weights of 1e5' if options else ''}: it should be accumulated in "
                "float64.",
                f"reduce(np.repeat(y, {size}, 0), np.repeat(t, {size}, 0)"
                f"{f', sample_weight=np.full({size}, 1e5)' if options else ''})",
                y=some.y[:1],
                t=some.t[:1],
            )


def _nan_counts(subject: Subject, search: Search, name: str) -> None:
    """A NaN that counts reaches the mean: alone, with weights, under a mask that leaves it in."""
    parts = parts_of(subject, search, "nan:mean").take(slice(3))
    y = parts.points.y.copy()
    # The first one counts; of a row one number is enough.
    y[(0, -1) if subject.rows else 0] = np.nan
    ones, keep = np.array([1.0, 2.0, 1.0]), np.array([True, True, False])
    each: dict[str, list[dict[str, Any]]] = {
        "nan:mean": [{}],
        "weights:nan": [{"sample_weight": ones}],
        "mask:nan": [{"where": keep}, {"where": keep | True}],
    }
    for options in each[name]:
        result = float(np.asarray(call(subject.reduce, y, parts.points.t, **options)))
        if not np.isnan(result):
            more = "".join(f", {key}={key}" for key in options)
            raise Refuted(
                f"the mean over a NaN that counts is {result!r}.",
                f"reduce(y, t{more})",
                y=y,
                t=parts.points.t,
                **options,
            )


@check("nan:mean")
def check_nan_in_mean(subject: Subject, search: Search) -> None:
    """A NaN makes the plain mean NaN."""
    _nan_counts(subject, search, "nan:mean")


@check("weights:nan")
def check_nan_with_weights(subject: Subject, search: Search) -> None:
    """A NaN with a weight makes the mean NaN."""
    _nan_counts(subject, search, "weights:nan")


@check("mask:nan")
def check_nan_in_mask(subject: Subject, search: Search) -> None:
    """A NaN that a mask leaves in makes the mean NaN."""
    _nan_counts(subject, search, "mask:nan")

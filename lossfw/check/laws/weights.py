"""Laws of sample weights: sum(w l) / sum(w), in any scale, dtype, shape and number."""

from __future__ import annotations

import numpy as np

from lossfw.check.core.points import Points
from lossfw.check.core.session import NotApplicable, Refuted, Search, check
from lossfw.check.core.subject import Subject
from lossfw.check.laws.large_inputs import sizes
from lossfw.check.laws.means import in_axes, terms_of

# The same points in growing numbers, so that a small counterexample comes first.
GROWING = (2, 3, 5, 33, 100)

# Weights say how elements compare: all of them times one of these change no mean.
_FACTORS = (1e-60, 1e-3, 1e5, 1e60)

# Whole weights may come in any width; so many threes do not fit a byte.
_WEIGHT_DTYPES = ("float32", "float16", "int64", "uint8")
_THREES = 100


@check("weights:mean")
def check_weighted_mean(subject: Subject, search: Search) -> None:
    """The mean is sum(w l) / sum(w), without weights the plain mean."""
    rng, every = search.rng("weights:mean draws"), terms_of(subject, search, "weights:mean")
    for size in GROWING:
        terms = every.take(slice(size))
        terms.compare(terms.mean(), "without weights")
        weights = rng.integers(1, 4, size).astype(float), rng.random(size) + 0.1, np.full(size, 3.0)
        for weight in weights:
            terms.compare(terms.mean(weight), "with weights", sample_weight=weight)


@check("weights:zero")
def check_zero_weight(subject: Subject, search: Search) -> None:
    """Weight 0 equals removal, even of a NaN."""
    every = terms_of(subject, search, "weights:zero")
    for size in GROWING:
        terms = every.take(slice(size))
        weight = np.arange(size) % 2 + 0.0
        wanted = terms.mean(weight)
        terms.compare(wanted, "weight 0", sample_weight=weight)
        if subject.component is not None:
            spoilt = Points(terms.points.y.copy(), terms.points.t)
            spoilt.y[weight == 0] = np.nan
            terms.compare(wanted, "a NaN of weight 0", spoilt, sample_weight=weight)


@check("weights:scale")
def check_scale_of_weights(subject: Subject, search: Search) -> None:
    """All weights times one number give the same mean, in any dtype."""
    rng, every = search.rng("weights:scale draws"), terms_of(subject, search, "weights:scale")
    for count in (2, 33):
        terms = every.take(slice(count))
        weight = rng.integers(1, 8, count).astype(float)
        for factor in _FACTORS:
            text = f"with weights, each times {factor:g}"
            terms.compare(terms.mean(weight), text, sample_weight=weight * factor)
    terms = every.take(slice(_THREES))
    for dtype in _WEIGHT_DTYPES:
        weight = np.full(terms.losses.size, 3.0).astype(dtype)
        text = f"with equal weights of dtype {dtype}"
        terms.compare(terms.mean(), text, sample_weight=weight)


@check("weights:masked")
def check_weights_under_mask(subject: Subject, search: Search) -> None:
    """Weights count for the elements that a mask leaves in."""
    rng, every = search.rng("weights:masked draws"), terms_of(subject, search, "weights:masked")
    for count in (3, 33):
        terms = every.take(slice(count))
        keep = rng.random(count) < 0.7
        keep[:3] = [True, True, False]
        weight = rng.integers(1, 8, count).astype(float)
        left = terms.take(keep)
        try:
            terms.compare(left.mean(), where=keep)
        except Refuted:
            raise NotApplicable("the mean under a mask is wrong without weights too") from None
        wanted = left.mean(weight[keep])
        terms.compare(wanted, "weights and a mask", sample_weight=weight, where=keep)


@check("weights:axes")
def check_axes_of_weights(subject: Subject, search: Search) -> None:
    """Weights of two axes are those of their elements."""
    terms, points = in_axes(subject, search, "weights:axes")
    weight = search.rng("weights:axes draws").integers(1, 8, 12).astype(float)
    terms.compare(terms.mean(), "of two axes", points)
    shaped = weight.reshape(points.y.shape)
    terms.compare(terms.mean(weight), "with weights of two axes", points, sample_weight=shaped)


@check("weights:many")
def check_many_weights(subject: Subject, search: Search) -> None:
    """Of many elements all count, each with its weight."""
    rng, few = search.rng("mean of many"), terms_of(subject, search, "mean of many", 24)
    for size in sizes(search):
        terms = few.take(rng.integers(0, 24, size))
        weight = rng.integers(1, 8, size).astype(float)
        text = f"of {size:,} elements"
        terms.compare(terms.mean(), text)
        terms.compare(terms.mean(weight), text, sample_weight=weight)

"""Laws of the mean: sum(w l) / sum(w) over the elements that count, however it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from lossfw.check.core.exact_points import cast
from lossfw.check.core.points import Points
from lossfw.check.core.search import Check, Counterexample, NotApplicable, Search, check, ordinary
from lossfw.check.core.subject import Subject, call, call_as_given
from lossfw.check.laws.nan_and_labels import SWALLOWED
from lossfw.numerics.arrays import NDArray

# A mean that is accumulated in float64 is right to this relative error; one in
# float32 is off by 1e-7 at the least and by far more over many elements.
_TOLERANCE = 1e-11

# The mean of different losses may be rounded to float32 in the end: then it is right to this.
_ROUNDED = float(np.finfo(np.float32).eps)

# So many equal losses show a sum that is kept in single precision, and far fewer do in most
# cases. A quarter of different losses is enough. How our own sums are kept is known and tested
# elsewhere: fewer equal losses show that a component asks for them.
_MANY, _OWN = 1_000_000, 20_000
_EQUAL, _DIFFERENT = 1, 4

# The mean of losses in half precision is right to this share, whatever it is rounded to.
_HALF = 2.0**-8

# Losses whose sum half precision does not hold: of this sum, and at most so many.
_HALF_SUM, _HALF_MOST = 200_000.0, 20_000

# The same points in growing numbers, so that a small counterexample comes first.
_GROWING = (2, 3, 5, 33, 100)

# Weights say how elements compare: all of them times one of these change no mean.
_FACTORS = (1e-60, 1e-3, 1e5, 1e60)

# Whole weights may come in any width; so many threes do not fit a byte.
_WEIGHT_DTYPES = ("float32", "float16", "int64", "uint8")
_THREES = 100


@dataclass(frozen=True)
class MeanTerms:
    """Points with their losses, and as how many each counts in a mean by the loss's own rule."""

    subject: Subject
    points: Points
    losses: NDArray
    counts: NDArray

    def take(self, which: Any) -> MeanTerms:
        """Return some of them."""
        some = self.points.take(which)
        return MeanTerms(self.subject, some, self.losses[which], self.counts[which])

    def mean(self, weight: Any = 1.0) -> float:
        """Return the mean that a loss should have, NaN where there is nothing left."""
        divisor = float(np.sum(self.counts * weight))
        return float(np.sum(self.losses * weight)) / divisor if divisor else float("nan")

    def hold(
        self, text: str, points: Points | None = None, like: Any = None, **options: Any
    ) -> None:
        """Refute a mean under weights and a mask that is not the mean of the elements left in.

        The points may be others with the same losses, and `like` weights with the same mean.
        """
        weight = options.get("sample_weight") if like is None else like
        where = options.get("where")
        left = slice(None) if where is None else np.ravel(where)
        expected = self.take(left).mean(1.0 if weight is None else np.ravel(weight)[left])
        if np.isnan(expected):
            return
        some, counting = points or self.points, self.counts > 0
        result = _mean_of(self.subject, some, options)
        # How large a rounding error may be taken for: the largest loss of one.
        scale = np.abs(self.losses[counting] / self.counts[counting]).max(initial=0.0)
        if not abs(result - expected) <= _TOLERANCE * float(scale):
            raise Counterexample.by(
                some,
                f"{text}: the mean is {result:.12g}, and sum(w l) / sum(w) over the elements that "
                f"count is {expected:.12g}.",
                _code(options),
                **options,
            )


def _mean_of(subject: Subject, points: Points, options: dict[str, Any]) -> float:
    """Return the subject's own mean; an exception is a refutation."""
    try:
        return float(np.asarray(call(subject.reduce, points.y, points.t, **options)))
    except Exception as error:
        text = f"the weighted mean raises: {type(error).__name__}: {error}"
        raise Counterexample.by(points, text, _code(options), **options) from error


def _code(options: dict[str, Any]) -> str:
    return f"reduce(y, t{''.join(f', {name}={name}' for name in options)})"


def mean_terms(subject: Subject, search: Search, name: str, count: int = 100) -> MeanTerms:
    """Return ordinary points, repeated to `count`, with their own losses."""
    if subject.reduce is None:
        raise NotApplicable("there is no weighted mean")
    points = ordinary(subject, search, name, count)
    counts = subject.counts(points.y, points.t)
    some = np.flatnonzero(counts > 0)
    if not some.size:
        raise NotApplicable("no ordinary point counts")
    index = search.rng(f"{name} rows").integers(0, len(points), count)
    # One that counts comes first, so that something is left of any number of them.
    index[0] = some[0]
    points = points.take(index)
    losses = subject.losses(points.y, points.t)
    if losses.shape != (count,) or not np.isfinite(losses).all():
        raise NotApplicable("the losses of ordinary points are not finite numbers")
    return MeanTerms(subject, points, losses, counts[index])


def _growing(subject: Subject, search: Search, name: str) -> Iterator[MeanTerms]:
    every = mean_terms(subject, search, name)
    yield from (every.take(slice(size)) for size in _GROWING)


def _in_axes(subject: Subject, search: Search, name: str) -> tuple[MeanTerms, Points]:
    """Return twelve points, and the same in two axes."""
    if subject.rows:
        raise NotApplicable("rows have their losses in one axis")
    terms = mean_terms(subject, search, name).take(slice(12))
    return terms, Points(terms.points.y.reshape(3, 4), terms.points.t.reshape(3, 4))


def _spoilt(points: Points, which: NDArray) -> Points:
    """Return the points with NaN for some predictions."""
    y = points.y.copy()
    y[which] = np.nan
    return Points(y, points.t)


@check("weights:mean")
def check_weighted_mean(subject: Subject, search: Search) -> None:
    """The mean is sum(w l) / sum(w), without weights the plain mean."""
    rng = search.rng("weights:mean draws")
    for terms in _growing(subject, search, "weights:mean"):
        size = len(terms.points)
        terms.hold("without weights")
        for w in (rng.integers(1, 4, size) + 0.0, rng.random(size) + 0.1, np.full(size, 3.0)):
            terms.hold("with weights", sample_weight=w)


@check("weights:zero")
def check_zero_weight(subject: Subject, search: Search) -> None:
    """Weight 0 equals removal, even of a NaN."""
    for terms in _growing(subject, search, "weights:zero"):
        w = np.arange(len(terms.points)) % 2 + 0.0
        terms.hold("weight 0", sample_weight=w)
        if subject.component is not None:
            terms.hold("a NaN of weight 0", _spoilt(terms.points, w == 0), sample_weight=w)


@check("weights:scale")
def check_scale_of_weights(subject: Subject, search: Search) -> None:
    """All weights times one number give the same mean, in any dtype."""
    rng, every = search.rng("weights:scale draws"), mean_terms(subject, search, "weights:scale")
    for count in (2, 33):
        w = rng.integers(1, 8, count).astype(float)
        for factor in _FACTORS:
            text = f"with weights, each times {factor:g}"
            every.take(slice(count)).hold(text, like=w, sample_weight=w * factor)
    for dtype in _WEIGHT_DTYPES:
        threes, text = np.full(_THREES, 3.0).astype(dtype), f"with equal weights of dtype {dtype}"
        every.take(slice(_THREES)).hold(text, like=np.ones(_THREES), sample_weight=threes)


@check("weights:masked")
def check_weights_under_mask(subject: Subject, search: Search) -> None:
    """Weights count for the elements that a mask leaves in."""
    rng, every = search.rng("weights:masked draws"), mean_terms(subject, search, "weights:masked")
    for count in (3, 33):
        terms, keep = every.take(slice(count)), rng.random(count) < 0.7
        keep[:3] = [True, True, False]
        w = rng.integers(1, 8, count).astype(float)
        try:
            terms.hold("", where=keep)
        except Counterexample:
            raise NotApplicable("the mean under a mask is wrong without weights too") from None
        terms.hold("weights and a mask", sample_weight=w, where=keep)


@check("weights:axes")
def check_axes_of_weights(subject: Subject, search: Search) -> None:
    """Weights of two axes are those of their elements."""
    terms, points = _in_axes(subject, search, "weights:axes")
    w = search.rng("weights:axes draws").integers(1, 8, points.y.shape).astype(float)
    terms.hold("of two axes", points)
    terms.hold("with weights of two axes", points, sample_weight=w)


@check("mask")
def check_mask(subject: Subject, search: Search) -> None:
    """Elements that `where` leaves out are removed, even a NaN, with and without weights."""
    rng = search.rng("mask draws")
    for terms in _growing(subject, search, "mask"):
        keep = rng.random(len(terms.points)) < 0.6
        keep[:2] = [True, False]
        w, spoilt = rng.random(keep.size) + 0.5, _spoilt(terms.points, ~keep)
        for some, text in ((terms.points, "a mask"), (spoilt, "a NaN under the mask")):
            terms.hold(text, some, where=keep)
            terms.hold(f"{text} and weights", some, sample_weight=w, where=keep)


@check("mask:nothing")
def check_nothing_left(subject: Subject, search: Search) -> None:
    """A mean of nothing is NaN or an exception, and not a number."""
    some = mean_terms(subject, search, "mask:nothing", 3).points
    none, zero, empty = np.zeros(len(some), bool), np.zeros(len(some)), some.take(slice(0))
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
            raise Counterexample.by(points, text, _code(options), **options)


@check("mask:axes")
def check_axes_of_masks(subject: Subject, search: Search) -> None:
    """A mask of two axes leaves out elements, and neither rows nor columns."""
    terms, points = _in_axes(subject, search, "mask:axes")
    rng = search.rng("mask:axes draws")
    # Its first row is left out, the second in, the others in part.
    keep = np.append(np.repeat([False, True], 4), rng.permutation([True, True, False, False]))
    for where in (keep.reshape(3, 4), keep[::-1].copy().reshape(3, 4)):
        terms.hold("a mask of two axes", points, where=where)
        w = rng.integers(1, 8, where.shape).astype(float)
        terms.hold("weights and a mask of two axes", points, where=where, sample_weight=w)


def _check_nan(subject: Subject, search: Search, cases: tuple[dict[str, Any], ...]) -> None:
    terms = mean_terms(subject, search, "nan:mean").take(slice(3))
    y, t = terms.points.y.copy(), terms.points.t
    # The first one counts; of a row one number is enough.
    y[(0, -1) if subject.rows else 0] = np.nan
    for options in cases:
        result = float(np.asarray(call(subject.reduce, y, t, **options)))
        if not np.isnan(result):
            text = f"the mean over a NaN that counts is {result!r}."
            raise Counterexample(text, _code(options), y=y, t=t, **options).of_cause(SWALLOWED)


# A NaN makes the mean NaN: the plain one, one with a weight for it, one that leaves it in.
_KEEP = np.array([True, True, False])
NAN_CHECKS = tuple(
    Check(name, partial(_check_nan, cases=cases))
    for name, cases in (
        ("nan:mean", ({},)),
        ("weights:nan", ({"sample_weight": np.array([1.0, 2.0, 1.0])},)),
        ("mask:nan", ({"where": _KEEP}, {"where": _KEEP | True})),
    )
)


@check("purity:reduce")
def check_mean_arguments(subject: Subject, search: Search) -> None:
    """The weighted mean writes into none of its arguments, which may be read-only, and forgets."""
    if subject.reduce is None:
        raise NotApplicable("there is no weighted mean")
    points = ordinary(subject, search, "purity:reduce")
    weight = {"sample_weight": np.arange(len(points)) % 3 + 1.0}
    where = {"where": np.arange(len(points)) % 2 == 0}
    every: tuple[dict[str, Any], ...] = ({}, weight, where, weight | where)
    for options in every:
        code, arguments, results = _code(options), {"y": points.y, "t": points.t, **options}, []
        for writeable in (False, True):
            copies = {name: array.copy() for name, array in arguments.items()}
            for array in copies.values():
                array.flags.writeable = writeable
            try:
                y, t, *others = copies.values()
                keywords = dict(zip(options, others, strict=True))
                results.append(call_as_given(subject.reduce, y, t, **keywords))
            except Exception as error:
                text = (
                    "the weighted mean raises for arguments that may not be written to: "
                    f"{type(error).__name__}: {error}"
                )
                raise Counterexample(text, code, **arguments) from error
            changed = [n for n in arguments if not np.array_equal(copies[n], arguments[n])]
            if changed:
                text = f"the weighted mean writes into {' and '.join(changed)}."
                raise Counterexample(text, f"{code}, {', '.join(changed)}", **arguments)
        first, again = results
        if not np.array_equal(first, again, equal_nan=True):
            text = f"the weighted mean is {first!r}, and {again!r} when it is called again."
            raise Counterexample(text, f"{code}, {code}", **arguments)


@check("weights:long")
def check_accumulation(subject: Subject, search: Search) -> None:
    """The mean of very many equal float32 losses is that loss; so with different ones."""
    terms = mean_terms(subject, search, "weights:long", 8)
    one = int(np.argmax(np.abs(terms.losses) * (terms.counts > 0)))
    many = search.at_most(_MANY if subject.component is None else _OWN)
    same = terms.points.take(slice(one, one + 1))
    for some, exactness, share in ((same, 1e-9, _EQUAL), (terms.points, _ROUNDED, _DIFFERENT)):
        single = cast(subject, some, "float32")
        y, t = single.y, single.t
        each = subject.losses(y, t)
        times = many // share // len(some)
        counts = subject.counts(y, t)
        expected = MeanTerms(subject, some, each, counts).mean()
        # A loss times its weight is rounded to float32 here, and not in a mean.
        tolerance = exactness if np.isin(counts, (0.0, 1.0)).all() else _ROUNDED
        if np.isnan(expected):
            # In float32 a target may be one that a mask leaves out.
            continue
        whole = np.concatenate([y] * times), np.concatenate([t] * times)
        result = float(np.asarray(call(subject.reduce, *whole)))
        allowed = tolerance * float(np.abs(each).max())
        # A loss that overflows float32 has a mean that is infinite too.
        if not (result == expected or abs(result - expected) <= allowed):
            raise Counterexample(
                f"the mean of {times * len(some):,} float32 losses, of which each is one of "
                f"{len(some)}, is {result:.9g}, and theirs is {expected:.9g}: sums should be "
                "accumulated in float64.",
                f"reduce(np.concatenate([y] * {times}), np.concatenate([t] * {times}))",
                y=y,
                t=t,
            )


@check("weights:half")
def check_half_mean(subject: Subject, search: Search) -> None:
    """Losses in half precision are added up in a wider one, and weighted in one."""
    points = cast(subject, mean_terms(subject, search, "weights:half", 24).points, "float16")
    losses = subject.losses(points.y, points.t)
    counts = subject.counts(points.y, points.t)
    fits = np.flatnonzero(np.isfinite(losses) & (counts > 0))
    if not fits.size or not np.abs(losses[fits]).max():
        raise NotApplicable("no ordinary loss in half precision")
    one = fits[np.argmax(np.abs(losses[fits]))]
    size = int(min(_HALF_SUM // abs(losses[one]) + 2, search.at_most(_HALF_MOST)))
    some, expected = points.take(np.full(size, one)), losses[one] / counts[one]
    weighted = {"sample_weight": np.full(size, 1e5)}
    code = f", sample_weight=np.full({size}, 1e5)"
    for options, text, shown in (({}, "", ""), (weighted, ", with weights of 1e5", code)):
        result = float(np.asarray(call(subject.reduce, some.y, some.t, **options)))
        if not abs(result - expected) <= _HALF * abs(expected):
            raise Counterexample(
                f"the mean of {size:,} equal float16 losses of {expected:.6g} is {result:.6g}"
                f"{text}: it should be accumulated in float64.",
                f"reduce(np.repeat(y, {size}, 0), np.repeat(t, {size}, 0){shown})",
                y=some.y[:1],
                t=some.t[:1],
            )

"""Laws of the mean: sum(w l) / sum(w) over the elements that count, for every kind of call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossfw.check.core.exact_points import cast
from lossfw.check.core.members import Generator
from lossfw.check.core.points import Points
from lossfw.check.core.search import (
    Counterexample,
    NotApplicable,
    Search,
    check,
    ordinary_points,
    run_parts,
)
from lossfw.check.core.subject import Subject, call
from lossfw.check.laws.groups import check_mask_of_rows, check_weights_of_rows
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

# So many points are laid out in two axes.
_TWELVE = 12

# Whole weights may come in any width; so many threes do not fit a byte.
_WEIGHT_DTYPES = ("float32", "float16", "int64", "uint8")
_THREES = 100


@dataclass(frozen=True)
class MeanTerms:
    """Points with their losses, and their weights in a mean by the loss's own rule."""

    subject: Subject
    points: Points
    losses: NDArray
    counts: NDArray

    def take(self, which: Any) -> MeanTerms:
        """Return some of them."""
        some = self.points.take(which)
        return MeanTerms(self.subject, some, self.losses[which], self.counts[which])

    def mean(self, weight: Any = 1.0) -> float:
        """Return the mean that a loss should have; NaN if nothing is left."""
        divisor = float(np.sum(self.counts * weight))
        return float(np.sum(self.losses * weight)) / divisor if divisor else float("nan")

    def require_mean(
        self, text: str, points: Points | None = None, equivalent_weight: Any = None, **options: Any
    ) -> None:
        """Refute a mean with weights and a mask that is not the mean of the remaining elements.

        The points may be others with the same losses, and `equivalent_weight` weights with the same
        mean.
        """
        weight = options.get("sample_weight") if equivalent_weight is None else equivalent_weight
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
            raise Counterexample.with_points(
                some,
                f"{text}: the mean is {result:.12g}, and sum(w l) / sum(w) over the elements that "
                f"count is {expected:.12g}.",
                mean_code(options),
                **options,
            )

    def require_nan(self, *every: dict[str, Any]) -> None:
        """Refute means that are not NaN, of three elements whose first one counts and is NaN."""
        # Of a row one number is enough.
        some = self.points.take(slice(3))
        spoilt = _with_nan_at(some, (0, -1) if self.subject.rows else 0)
        for options in every:
            result = _mean_of(self.subject, spoilt, options)
            if not np.isnan(result):
                text = f"the mean over a NaN that counts is {result!r}."
                raise Counterexample.with_points(
                    spoilt, text, mean_code(options), **options
                ).with_cause(SWALLOWED)


def _mean_of(subject: Subject, points: Points, options: dict[str, Any]) -> float:
    """Return the subject's own mean; an exception is a refutation."""
    try:
        return float(np.asarray(call(subject.reduce, points.y, points.t, **options)))
    except Exception as error:
        text = f"the weighted mean raises: {type(error).__name__}: {error}"
        raise Counterexample.with_points(points, text, mean_code(options), **options) from error


def mean_code(options: dict[str, Any]) -> str:
    """Return the code of a mean with options."""
    return f"reduce(y, t{''.join(f', {name}={name}' for name in options)})"


def mean_terms(subject: Subject, search: Search, name: str, count: int = 100) -> MeanTerms:
    """Return ordinary points, repeated to `count`, with their own losses."""
    if subject.reduce is None:
        raise NotApplicable("there is no weighted mean")
    points = ordinary_points(subject, search, name, count)
    counts = subject.mean_weights(points.y, points.t)
    some = np.flatnonzero(counts > 0)
    if not some.size:
        raise NotApplicable("every ordinary point is masked")
    index = search.rng(f"{name} rows").integers(0, len(points), count)
    # One that counts comes first, so that something is left of any number of them.
    index[0] = some[0]
    points = points.take(index)
    losses = subject.losses(points.y, points.t)
    if losses.shape != (count,) or not np.isfinite(losses).all():
        raise NotApplicable("the losses of ordinary points are not finite numbers")
    return MeanTerms(subject, points, losses, counts[index])


def _reshape_to_axes(points: Points) -> Points:
    """Return the first twelve points in two axes."""
    return Points(points.y[:_TWELVE].reshape(3, 4), points.t[:_TWELVE].reshape(3, 4))


def _with_nan_at(points: Points, which: Any) -> Points:
    """Return the points with NaN for some predictions."""
    y = points.y.copy()
    y[which] = np.nan
    return Points(y, points.t)


@check("weights")
def check_weights(subject: Subject, search: Search) -> None:
    """The mean is sum(w l) / sum(w), the plain mean without weights, and NaN if l is NaN.

    Weight 0 equals removal, even of a NaN. All weights times one number give the same mean, in any
    dtype. Weights of two axes are those of their elements, those of groups of all their rows.
    """
    every, rng = mean_terms(subject, search, "weights"), search.rng("weights draws")
    for size in _GROWING:
        terms = every.take(slice(size))
        terms.require_mean("without weights")
        for w in (rng.integers(1, 4, size) + 0.0, rng.random(size) + 0.1, np.full(size, 3.0)):
            terms.require_mean("with weights", sample_weight=w)
        w = np.arange(size) % 2 + 0.0
        terms.require_mean("weight 0", sample_weight=w)
        if subject.component is not None:
            terms.require_mean(
                "a NaN of weight 0", _with_nan_at(terms.points, w == 0), sample_weight=w
            )
    for size in (2, 33):
        w = rng.integers(1, 8, size).astype(float)
        for factor in _FACTORS:
            text = f"with weights, each times {factor:g}"
            every.take(slice(size)).require_mean(
                text, equivalent_weight=w, sample_weight=w * factor
            )
    for dtype in _WEIGHT_DTYPES:
        threes, text = np.full(_THREES, 3.0).astype(dtype), f"with equal weights of dtype {dtype}"
        every.take(slice(_THREES)).require_mean(
            text, equivalent_weight=np.ones(_THREES), sample_weight=threes
        )
    if not subject.rows:
        _check_axes_of_weights(every.take(slice(_TWELVE)), rng)
    if subject.kind == "group":
        check_weights_of_rows(subject, search)
    every.require_nan({}, {"sample_weight": np.array([1.0, 2.0, 1.0])})


def _check_axes_of_weights(terms: MeanTerms, rng: Generator) -> None:
    points = _reshape_to_axes(terms.points)
    terms.require_mean("of two axes", points)
    try:
        w = rng.integers(1, 8, points.y.shape).astype(float)
        terms.require_mean("with weights of two axes", points, sample_weight=w)
    except Counterexample as found:
        # Other libraries are free to take one weight for each row.
        if found.__cause__ is None or terms.subject.component is not None:
            raise


@check("mask")
def check_mask(subject: Subject, search: Search) -> None:
    """Elements that `where` leaves out are removed, even a NaN, with and without weights.

    A mask of two axes leaves out elements, and neither rows nor columns, one of groups some rows.
    A NaN that is left in makes the mean NaN, and a mean of nothing is NaN or an exception.
    """
    every, rng = mean_terms(subject, search, "mask"), search.rng("mask draws")
    for size in _GROWING:
        terms, keep = every.take(slice(size)), rng.random(size) < 0.6
        keep[:2] = [True, False]
        w, spoilt = rng.integers(1, 8, size) + 0.5, _with_nan_at(terms.points, ~keep)
        for some, text in ((terms.points, "a mask"), (spoilt, "a NaN under the mask")):
            terms.require_mean(text, some, where=keep)
            terms.require_mean(f"{text} and weights", some, sample_weight=w, where=keep)
    if not subject.rows:
        _check_axes_of_masks(every.take(slice(_TWELVE)), rng)
    if subject.kind == "group":
        check_mask_of_rows(subject, search)
    _check_nothing_left(subject, every.points.take(slice(3)))
    keep = np.array([True, True, False])
    every.require_nan({"where": keep}, {"where": keep | True})


def _check_axes_of_masks(terms: MeanTerms, rng: Generator) -> None:
    points = _reshape_to_axes(terms.points)
    # Its first row is left out, the second in, the others in part.
    keep = np.append(np.repeat([False, True], 4), rng.permutation([True, True, False, False]))
    for where in (keep.reshape(3, 4), keep[::-1].copy().reshape(3, 4)):
        terms.require_mean("a mask of two axes", points, where=where)
        w = rng.integers(1, 8, where.shape).astype(float)
        terms.require_mean("weights and a mask of two axes", points, where=where, sample_weight=w)


def _check_nothing_left(subject: Subject, some: Points) -> None:
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
            raise Counterexample.with_points(points, text, mean_code(options), **options)


@check("weights:long")
def check_accumulation(subject: Subject, search: Search) -> None:
    """Losses in float32 and float16 are weighted and summed in float64.

    The mean of very many equal losses is that loss, and the mean of different ones is accurate.
    """
    run_parts(subject, search, _check_single_mean, _check_half_mean)


def _check_single_mean(subject: Subject, search: Search) -> None:
    terms = mean_terms(subject, search, "weights:long", 8)
    one = int(np.argmax(np.abs(terms.losses) * (terms.counts > 0)))
    many = search.limit_elements(_MANY if subject.component is None else _OWN)
    same = terms.points.take(slice(one, one + 1))
    for some, exactness, share in ((same, 1e-9, _EQUAL), (terms.points, _ROUNDED, _DIFFERENT)):
        single = cast(subject, some, "float32")
        y, t = single.y, single.t
        losses = subject.losses(y, t)
        times = many // share // len(some)
        counts = subject.mean_weights(y, t)
        expected = MeanTerms(subject, some, losses, counts).mean()
        # A loss times its weight is rounded to float32 here, and not in a mean.
        tolerance = exactness if np.isin(counts, (0.0, 1.0)).all() else _ROUNDED
        if np.isnan(expected):
            # In float32 a target may be one that a mask leaves out.
            continue
        whole = np.concatenate([y] * times), np.concatenate([t] * times)
        result = float(np.asarray(call(subject.reduce, *whole)))
        allowed = tolerance * float(np.abs(losses).max())
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


def _check_half_mean(subject: Subject, search: Search) -> None:
    points = cast(subject, mean_terms(subject, search, "mean in float16", 24).points, "float16")
    losses = subject.losses(points.y, points.t)
    counts = subject.mean_weights(points.y, points.t)
    fits = np.flatnonzero(np.isfinite(losses) & (counts > 0))
    if not fits.size or not np.abs(losses[fits]).max():
        raise NotApplicable("no ordinary loss in half precision")
    one = fits[np.argmax(np.abs(losses[fits]))]
    size = int(min(_HALF_SUM // abs(losses[one]) + 2, search.limit_elements(_HALF_MOST)))
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

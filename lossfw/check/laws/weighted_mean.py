"""Laws of the weighted mean: weights, masks, and how it is accumulated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossfw.check.core.points import Points
from lossfw.check.core.session import NotApplicable, Refuted, Search, check, ordinary
from lossfw.check.core.subject import Subject, call
from lossfw.numerics.arrays import NDArray

# A mean that is accumulated in float64 is right to this relative error; one in
# float32 is off by 1e-7 at the least and by far more over many elements.
_MEAN_TOLERANCE = 1e-11

# Of different losses the mean may be rounded to float32 in the end, and then is right to this.
_ROUNDED = float(np.finfo(np.float32).eps)

# So many equal losses show a sum that is kept in single precision, and a tenth of
# them do in most cases: that is enough where there are few examples. Of different
# losses a quarter is.
_MANY, _FEW, _ENOUGH = 1_000_000, 100_000, 100
_EQUAL, _DIFFERENT = 1, 4


@dataclass(frozen=True)
class Parts:
    """Points with what belongs into their weighted mean.

    Attributes
    ----------
    points : Points
    losses : ndarray
        The loss of each.
    counts : ndarray
        As how many each counts: as one, unless the loss has a rule of its own.
    """

    points: Points
    losses: NDArray
    counts: NDArray

    @property
    def scale(self) -> float:
        """How large a rounding error may be taken for: the largest loss of one."""
        some = self.counts > 0
        return float(np.abs(self.losses[some] / self.counts[some]).max(initial=0.0))

    def take(self, which: Any) -> Parts:
        """Return some of them."""
        return Parts(self.points.take(which), self.losses[which], self.counts[which])

    def mean(self, weight: Any = 1.0) -> float:
        """Return the mean that a loss should have, NaN where there is nothing left."""
        divisor = float(np.sum(self.counts * weight))
        return float(np.sum(self.losses * weight)) / divisor if divisor else float("nan")


def parts_of(subject: Subject, search: Search, name: str, count: int = 100) -> Parts:
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
    losses = np.asarray(call(subject.value, points.y, points.t), np.float64)
    if losses.shape != (count,) or not np.isfinite(losses).all():
        raise NotApplicable("the losses of ordinary points are not finite numbers")
    return Parts(points, losses, counts[index])


def compare(
    subject: Subject, points: Points, wanted: float, text: str, scale: float, **options: Any
) -> None:
    """Refute when the mean under `options` is not the wanted one; NaN stands for nothing left."""
    if np.isnan(wanted):
        return
    try:
        got = call(subject.reduce, points.y, points.t, **options)
        result = float(np.asarray(got))
    except Exception as error:
        raise Refuted(
            f"the weighted mean raises: {type(error).__name__}: {error}",
            _code(options),
            y=points.y,
            t=points.t,
            **options,
        ) from error
    if not abs(result - wanted) <= _MEAN_TOLERANCE * scale:
        raise Refuted(
            f"{text}: the mean is {result:.12g}, and sum(w l) / sum(w) over what counts is "
            f"{wanted:.12g}.",
            _code(options),
            y=points.y,
            t=points.t,
            **options,
        )


def _code(options: dict[str, Any]) -> str:
    return f"reduce(y, t{''.join(f', {name}={name}' for name in options)})"


def _small(subject: Subject, search: Search, name: str) -> list[Parts]:
    """Return the same points in growing numbers, so that a small counterexample comes first."""
    parts = parts_of(subject, search, name)
    return [parts.take(slice(n)) for n in (2, 3, 5, 33, 100)]


@check("weights:mean")
def check_weighted_mean(subject: Subject, search: Search) -> None:
    """The mean is sum(w l) / sum(w), without weights the plain mean."""
    rng = search.rng("weights:mean draws")
    for parts in _small(subject, search, "weights:mean"):
        size, scale = parts.losses.size, parts.scale
        compare(subject, parts.points, parts.mean(), "without weights", scale)
        weights = (
            rng.integers(1, 4, size).astype(float),
            rng.random(size) + 0.1,
            np.full(size, 3.0),
        )
        for weight in weights:
            wanted = parts.mean(weight)
            compare(subject, parts.points, wanted, "with weights", scale, sample_weight=weight)


@check("weights:zero")
def check_zero_weight(subject: Subject, search: Search) -> None:
    """Weight 0 equals removal, even of a NaN."""
    for parts in _small(subject, search, "weights:zero"):
        points, scale = parts.points, parts.scale
        weight = np.arange(parts.losses.size) % 2 + 0.0
        wanted = parts.mean(weight)
        compare(subject, points, wanted, "weight 0", scale, sample_weight=weight)
        if subject.component is not None:
            spoilt = Points(points.y.copy(), points.t)
            spoilt.y[weight == 0] = np.nan
            compare(subject, spoilt, wanted, "a NaN of weight 0", scale, sample_weight=weight)


@check("weights:long")
def check_accumulation(subject: Subject, search: Search) -> None:
    """The mean of very many equal float32 losses is that loss; so with different ones."""
    parts = parts_of(subject, search, "weights:long", 8)
    one = int(np.argmax(np.abs(parts.losses) * (parts.counts > 0)))
    # How our own sums are kept is known, and tested elsewhere.
    outside = subject.component is None
    many = _MANY if outside and search.examples >= _ENOUGH else _FEW
    same, points = parts.points.take(slice(one, one + 1)), parts.points
    for some, exactness, share in ((same, 1e-9, _EQUAL), (points, _ROUNDED, _DIFFERENT)):
        y, t = some.y.astype(np.float32), some.t
        t = t.astype(np.float32) if t.dtype.kind == "f" else t
        each = np.asarray(call(subject.value, y, t), np.float64)
        times = many // share // len(some)
        # A loss that overflows float32 has a mean that is infinite too.
        counts = subject.counts(y, t)
        wanted = Parts(some, each, counts).mean()
        tolerance = exactness
        if not np.isin(counts, (0.0, 1.0)).all():
            # A loss times its weight is rounded to float32 here, and not in a mean.
            tolerance = _ROUNDED
        if np.isnan(wanted):
            # In float32 a target may be what a mask leaves out.
            continue
        whole = np.concatenate([y] * times), np.concatenate([t] * times)
        result = float(np.asarray(call(subject.reduce, *whole)))
        if not (result == wanted or abs(result - wanted) <= tolerance * float(np.abs(each).max())):
            raise Refuted(
                f"the mean of {times * len(some):,} float32 losses, of which each is one of "
                f"{len(some)}, is {result:.9g}, and theirs is {wanted:.9g}: sums should be "
                "accumulated in float64.",
                f"reduce(np.concatenate([y] * {times}), np.concatenate([t] * {times}))",
                y=y,
                t=t,
            )


@check("mask")
def check_mask(subject: Subject, search: Search) -> None:
    """What `where` leaves out is removed, even a NaN, with and without weights."""
    rng = search.rng("mask draws")
    for parts in _small(subject, search, "mask"):
        keep = rng.random(parts.losses.size) < 0.6
        keep[:2] = [True, False]
        scale = parts.scale
        weight = rng.random(keep.size) + 0.5
        spoilt = Points(parts.points.y.copy(), parts.points.t)
        spoilt.y[~keep] = np.nan
        left, plain = parts.take(keep), {"where": keep}
        both = {"sample_weight": weight, "where": keep}
        for some, text in ((parts.points, "a mask"), (spoilt, "a NaN under the mask")):
            compare(subject, some, left.mean(), text, scale, **plain)
            wanted = left.mean(weight[keep])
            compare(subject, some, wanted, f"{text} and weights", scale, **both)


@check("mask:nothing")
def check_nothing_left(subject: Subject, search: Search) -> None:
    """A mean of nothing is NaN or an exception, and not a number."""
    some = parts_of(subject, search, "mask:nothing", 3).points
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
            result = call(subject.reduce, points.y, points.t, **options)
        except Exception:  # noqa: S112  # an exception is one of the right answers
            continue
        if not np.isnan(float(np.asarray(result))):
            raise Refuted(
                f"the mean of nothing is {float(np.asarray(result))!r}; it should be NaN or an "
                "exception.",
                _code(options),
                y=points.y,
                t=points.t,
                **options,
            )

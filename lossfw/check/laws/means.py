"""The mean that a loss should have, and how it is accumulated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossfw.check.core.plain_points import cast
from lossfw.check.core.points import Points
from lossfw.check.core.session import NotApplicable, Refuted, Search, check, ordinary
from lossfw.check.core.subject import Subject, call
from lossfw.numerics.arrays import NDArray

# A mean that is accumulated in float64 is right to this relative error; one in
# float32 is off by 1e-7 at the least and by far more over many elements.
_TOLERANCE = 1e-11

# Of different losses the mean may be rounded to float32 in the end, and then is right to this.
_ROUNDED = float(np.finfo(np.float32).eps)

# So many equal losses show a sum that is kept in single precision, and a tenth of
# them do in most cases: that is enough where there are few examples. Of different
# losses a quarter is. How our own sums are kept is known and tested elsewhere: fewer equal
# losses show that a component asks for them.
_MANY, _FEW, _OWN, _ENOUGH = 1_000_000, 100_000, 20_000, 100
_EQUAL, _DIFFERENT = 1, 4

# The mean of losses in half precision is right to this share, whatever it is rounded to.
_HALF = 2.0**-8

# Losses whose sum half precision does not hold: of this sum, and at most so many.
_HALF_SUM, _HALF_MOST = 200_000.0, 20_000


@dataclass(frozen=True)
class MeanTerms:
    """Points with the terms of their weighted mean.

    Attributes
    ----------
    subject : Subject
    points : Points
    losses : ndarray
        The loss of each.
    counts : ndarray
        As how many each counts: as one, unless the loss has a rule of its own.
    """

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

    def compare(
        self, wanted: float, text: str = "", points: Points | None = None, **options: Any
    ) -> None:
        """Refute when the mean under `options` is not the wanted one.

        Parameters
        ----------
        wanted : float
            NaN where there is nothing left: then nothing is compared.
        text : str
            For the message.
        points : Points, optional
            Others than these, of the same losses where they count.
        **options
            Of the mean.
        """
        if np.isnan(wanted):
            return
        some = points or self.points
        result = mean_of(self.subject, some, options)
        counting = self.counts > 0
        # How large a rounding error may be taken for: the largest loss of one.
        scale = np.abs(self.losses[counting] / self.counts[counting]).max(initial=0.0)
        if not abs(result - wanted) <= _TOLERANCE * float(scale):
            raise Refuted.by(
                some,
                f"{text}: the mean is {result:.12g}, and sum(w l) / sum(w) over the elements that "
                f"count is {wanted:.12g}.",
                code(options),
                **options,
            )


def mean_of(subject: Subject, points: Points, options: dict[str, Any]) -> float:
    """Return the subject's own mean; an exception is a refutation."""
    try:
        return float(np.asarray(call(subject.reduce, points.y, points.t, **options)))
    except Exception as error:
        raise Refuted.by(
            points,
            f"the weighted mean raises: {type(error).__name__}: {error}",
            code(options),
            **options,
        ) from error


def code(options: dict[str, Any]) -> str:
    """Return the call of the mean for snippets."""
    return f"reduce(y, t{''.join(f', {name}={name}' for name in options)})"


def terms_of(subject: Subject, search: Search, name: str, count: int = 100) -> MeanTerms:
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
    return MeanTerms(subject, points, losses, counts[index])


def in_axes(subject: Subject, search: Search, name: str) -> tuple[MeanTerms, Points]:
    """Return twelve points, and the same in two axes."""
    if subject.rows:
        raise NotApplicable("rows have their losses in one axis")
    terms = terms_of(subject, search, name).take(slice(12))
    return terms, Points(terms.points.y.reshape(3, 4), terms.points.t.reshape(3, 4))


@check("weights:long")
def check_accumulation(subject: Subject, search: Search) -> None:
    """The mean of very many equal float32 losses is that loss; so with different ones."""
    terms = terms_of(subject, search, "weights:long", 8)
    one = int(np.argmax(np.abs(terms.losses) * (terms.counts > 0)))
    many = _MANY if search.examples >= _ENOUGH else _FEW
    many = many if subject.component is None else _OWN
    same, points = terms.points.take(slice(one, one + 1)), terms.points
    for some, exactness, share in ((same, 1e-9, _EQUAL), (points, _ROUNDED, _DIFFERENT)):
        single = cast(subject, some, "float32")
        y, t = single.y, single.t
        each = np.asarray(call(subject.value, y, t), np.float64)
        times = many // share // len(some)
        # A loss that overflows float32 has a mean that is infinite too.
        counts = subject.counts(y, t)
        wanted = MeanTerms(subject, some, each, counts).mean()
        # A loss times its weight is rounded to float32 here, and not in a mean.
        tolerance = exactness if np.isin(counts, (0.0, 1.0)).all() else _ROUNDED
        if np.isnan(wanted):
            # In float32 a target may be one that a mask leaves out.
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


@check("weights:half")
def check_half_mean(subject: Subject, search: Search) -> None:
    """Losses in half precision are added up in a wider one, and weighted in one."""
    terms = terms_of(subject, search, "weights:half", 24)
    points = cast(subject, terms.points, "float16")
    losses = np.asarray(call(subject.value, points.y, points.t), np.float64)
    counts = subject.counts(points.y, points.t)
    fits = np.flatnonzero(np.isfinite(losses) & (counts > 0))
    if not fits.size or not np.abs(losses[fits]).max():
        raise NotApplicable("no ordinary loss in half precision")
    one = fits[np.argmax(np.abs(losses[fits]))]
    size = int(min(_HALF_SUM // abs(losses[one]) + 2, _HALF_MOST))
    some = points.take(np.full(size, one))
    wanted = losses[one] / counts[one]
    for options, told, shown in (
        ({}, "", ""),
        (
            {"sample_weight": np.full(size, 1e5)},
            ", with weights of 1e5",
            f", sample_weight=np.full({size}, 1e5)",
        ),
    ):
        result = float(np.asarray(call(subject.reduce, some.y, some.t, **options)))
        if not abs(result - wanted) <= _HALF * abs(wanted):
            raise Refuted(
                f"the mean of {size:,} equal float16 losses of {wanted:.6g} is {result:.6g}{told}: "
                "it should be accumulated in float64.",
                f"reduce(np.repeat(y, {size}, 0), np.repeat(t, {size}, 0){shown})",
                y=some.y[:1],
                t=some.t[:1],
            )

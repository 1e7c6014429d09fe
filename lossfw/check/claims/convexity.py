"""Tests of convexity (plain, strict and strong) along lines in the space of predictions."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from lossfw.check.claims.black_box import find_linear_segment
from lossfw.check.core.curves import EPS, Curve, curves, error_bars, require_intervals
from lossfw.check.core.draw import usual_targets
from lossfw.check.core.draw_columns import usual_rows
from lossfw.check.core.members import clip_to_interval, is_bounded, reflect_to_half_line
from lossfw.check.core.points import Points, is_inside
from lossfw.check.core.search import Counterexample, NotApplicable, Search, check
from lossfw.check.core.subject import Subject, call
from lossfw.components.spaces import SIMPLEX, UNIT
from lossfw.numerics.arrays import NDArray
from lossfw.numerics.error_free import two_diff

# A constant that is claimed to be tight is refuted when it is off by more.
TIGHTNESS = 0.01

# Linear segments are looked for on lines with these steps, so many to each side.
_LINE_STEPS = (1.0, 2.0**-3, 2.0**-6, 2.0**-10, 2.0**-13)
_LINE = 128

# Strictness is looked for where curvature shows: between predictions of this size,
# or some way beyond the farthest kink; in rows of which only floats are known, between
# smaller ones, at this distance from each other.
_STRICT_REACH, _BEYOND = 30.0, 4.0
_FLOAT_REACH, _FLOAT_WIDTH = 8.0, 1.0

# Chords between rows, however few the examples: the flattest one is looked for.
_FEWEST_CHORDS = 400

_STRAIGHT = "between a and b the loss is a straight line: it is not strictly convex."


class Chords(NamedTuple):
    """Ends and midpoints, exact in float64, with one target each."""

    a: NDArray
    m: NDArray
    b: NDArray
    t: NDArray

    def take(self, which: NDArray | slice) -> Chords:
        """Return some of the chords."""
        return Chords(*(x[which] for x in self))


def _chords(subject: Subject, search: Search) -> list[Chords]:
    if subject.rows:
        require_intervals(subject)
        return [_row_chords(subject, search, k) for k in subject.multi_column_counts[:3]]
    found = []
    for curve in curves(subject, search):
        grid = curve.grid()
        rng = search.rng(f"chords {curve.target}")
        i, j = rng.integers(0, grid.size, (2, 4 * search.examples))
        wide = grid[i], grid[j]
        reach = curve.scale * 2.0 ** rng.integers(-8, 3, grid.size)
        a, b = grid - reach, grid + reach
        # A bound need not belong to the space.
        inside = (a > curve.low) & (b < curve.high)
        # Symmetric intervals of dyadic numbers have exact midpoints.
        line = np.arange(-40.0, 41.0) / 8
        line = line[(line > curve.low) & (line < curve.high)]
        more = curve.even_line()
        left = np.concatenate([wide[0], a[inside], line[:-2], line[:-16], more[:-2], more[:-32]])
        right = np.concatenate([wide[1], b[inside], line[2:], line[16:], more[2:], more[32:]])
        middle = left + (right - left) / 2
        t = np.full(left.shape, curve.target)
        every = slice(None, None, math.ceil(left.size / search.limit_elements(left.size)))
        found.append(Chords(left, middle, right, t).take(every))
    return found


def _row_chords(subject: Subject, search: Search, columns: int) -> Chords:
    """Return chords between rows of dyadic numbers, so that midpoints are exact."""
    rng = search.rng(f"chords {columns}")
    count, space = max(2 * search.examples, _FEWEST_CHORDS), subject.prediction
    if subject.has_columns and subject.kind != "group":
        a, b = (np.round(usual_rows(space, columns, rng, count) * 64) / 64 for _ in range(2))
    elif space is SIMPLEX:
        a, b = (rng.multinomial(1024, rng.dirichlet(np.full(columns, 0.7), count)) / 1024
                for _ in range(2))  # fmt: skip
    elif is_bounded(space):
        low, high = 0 if space.low_included else 1, 65 if space.high_included else 64
        share = rng.integers(low, high, (2, count, columns)) / 64
        a, b = space.low + (space.high - space.low) * share
    else:
        scale = rng.choice([1.0, 4.0, 32.0], (count, 1))
        drawn = np.round(rng.normal(size=(2, count, columns)) * scale * 8) / 8
        a, b = reflect_to_half_line(space, drawn, zero_distance=1 / 8)
    chords = Chords(a, (a + b) / 2, b, usual_targets(subject, count, columns, rng))
    inside = [is_inside(subject, Points(y, chords.t)) for y in chords[:3]]
    return chords.take(np.logical_and.reduce(inside))


def _error_bars(subject: Subject, y: NDArray, t: NDArray, values: NDArray) -> NDArray:
    """Return error bars of values: their rounding, and a move of whole rows both ways."""
    space = UNIT if subject.prediction is SIMPLEX else subject.prediction
    unchecked = subject.unchecked or subject.value

    def losses(x: NDArray) -> NDArray:
        return np.asarray(call(unchecked, clip_to_interval(space, x), t), np.float64)

    return error_bars(values, y, losses)


def _counterexample(chords: Chords, index: int, text: str) -> Counterexample:
    inputs = chords.take(slice(index, index + 1))._asdict()
    return Counterexample(text, "value(m, t), (value(a, t) + value(b, t)) / 2", **inputs)


def _least_bad(chords: Chords, bad: NDArray) -> int:
    index = np.flatnonzero(bad)
    sizes = [float(np.abs(chords.a[i]).max() + np.abs(chords.b[i]).max()) for i in index]
    return int(index[int(np.argmin(sizes))])


@check("claim:convex")
def check_convex(subject: Subject, search: Search) -> None:
    """Claim: between any two predictions the loss lies below its chord."""
    least = np.inf
    for chords in _chords(subject, search):
        left, middle, right = (subject.losses(y, chords.t) for y in chords[:3])
        chord = left / 2 + right / 2
        bars = _error_bars(subject, chords.m, chords.t, middle) + (
            _error_bars(subject, chords.a, chords.t, left) / 2
            + _error_bars(subject, chords.b, chords.t, right) / 2
        )
        bad = np.isfinite(chord) & (middle > chord + bars)
        if bad.any():
            one = _least_bad(chords, bad)
            text = (
                f"in the middle of a and b the value is {middle[one]:.9g}, above the chord at "
                f"{chord[one]:.9g}: the loss is not convex."
            )
            raise _counterexample(chords, one, text)
        # How far values lie below their chords, as a fraction of the size of both.
        size = np.abs(chord) + np.abs(middle)
        known = np.isfinite(size) & (size > 0)
        gap = np.where(known, (chord - middle) / np.where(known, size, 1), np.inf)
        if gap.size and gap.min() < least:
            one, least = int(np.argmin(gap)), float(gap.min())
            text = (
                f"The chord that comes closest: in its middle the value is {middle[one]:.9g}, and "
                f"the chord is at {chord[one]:.9g}."
            )
            search.closest[search.running] = _counterexample(chords, one, text)


@check("claim:strictly_convex")
def check_strictly_convex(subject: Subject, search: Search) -> None:
    """Claim: between two different predictions the loss lies strictly below its chord."""
    check_convex(subject, search)
    if subject.truth is None and not subject.rows:
        _check_no_linear_segment(subject, search)
        return
    every = [_strict_chords(subject, search, chords) for chords in _chords(subject, search)]
    for some in every:
        flat = _is_on_chord(subject, some) if len(some.t) else np.zeros(0, bool)
        if flat.any():
            raise _counterexample(some, _least_bad(some, flat), _STRAIGHT)
    if not any(len(some.t) for some in every):
        raise NotApplicable("no chord was long enough to judge convexity")


def _strict_chords(subject: Subject, search: Search, chords: Chords) -> Chords:
    """Return the chords that are long enough, and where curvature shows."""
    size = np.maximum(np.abs(chords.a), np.abs(chords.b))
    apart = np.abs(chords.a - chords.b)
    if subject.rows:
        size, apart = size.max(-1), apart.max(-1)
    far = max([_STRICT_REACH, *(_BEYOND * abs(kink) for kink in subject.kinks())])
    reach, width = (far, 0.01) if subject.truth is not None else (_FLOAT_REACH, _FLOAT_WIDTH)
    if subject.prediction in (UNIT, SIMPLEX):
        width = min(width, 0.25)
    usable = (size <= reach) & (apart >= width) & _has_exact_middle(chords)
    index = np.flatnonzero(usable)
    # Some of every sort and place: where curvature fades is seen next to where it does not.
    index = index[:: max(1, index.size // (2 * search.examples))]
    return chords.take(index)


def _has_exact_middle(chords: Chords) -> NDArray:
    """Tell which chords have an exact middle."""
    total, lost = two_diff(np, chords.a, -chords.b)
    exact = (lost == 0) & (total / 2 == chords.m)
    return np.asarray(exact if exact.ndim == 1 else exact.all(-1))


def _check_no_linear_segment(subject: Subject, search: Search) -> None:
    """Look for linear segments on lines of all scales, around 0, the target and every kink."""
    for curve in curves(subject, search):
        found = find_linear_segment(curve.value, _lines(curve))
        if found is not None:
            chord = Chords(*(np.array([x]) for x in (*found, curve.target)))
            raise _counterexample(chord, 0, _STRAIGHT)


def _lines(curve: Curve) -> list[tuple[float, float, int]]:
    """Return dyadic lines inside the space of predictions: start, step and how many."""
    found = []
    centres = {0.0, curve.target if abs(curve.target) < _STRICT_REACH else 0.0, *curve.kinks}
    for step in _LINE_STEPS:
        for centre in sorted(centres):
            middle = np.round(centre / step) * step
            line = middle + step * np.arange(-_LINE, _LINE + 1)
            inside = line[(line > curve.low) & (line < curve.high)]
            if inside.size > 2:
                found.append((float(inside[0]), step, inside.size))
    return found


def _is_on_chord(subject: Subject, chords: Chords) -> NDArray:
    """Tell which midpoints lie on the chord; with the formula to 30 digits."""
    if subject.truth is not None:
        a, m, b = (subject.exact.values(y, chords.t) for y in chords[:3])
        gap, scale = (a + b) / 2 - m, abs(a) + abs(b) + abs(m)
        # Below an infinite end everything lies strictly.
        flat = (gap < np.inf) & (gap <= scale * 10**-28)
        # Curvature that decays is not gone: somewhere it is seen on its way.
        fading = ~flat & (gap <= scale * 10**-20)
        # It is seen at a chord with the same target.
        is_fading = False if subject.rows else np.isin(chords.t, chords.t[fading])
        return np.asarray(flat & ~np.asarray(is_fading))
    a, m, b = (subject.losses(y, chords.t) for y in chords[:3])
    gap = a / 2 + b / 2 - m
    return np.asarray(np.isfinite(gap) & (gap <= 8 * EPS * (np.abs(a) + np.abs(b))))


@check("claim:strongly_convex")
def check_strongly_convex(subject: Subject, search: Search) -> None:
    """Claim: mu is the largest constant of strong convexity."""
    mu = float(subject.claims["strongly_convex"])
    least, bar, where = np.inf, 0.0, None
    if subject.rows:
        least, where = _least_row_curvature(subject, search)
    else:
        for curve in curves(subject, search):
            grid = curve.grid()
            grid = grid[np.abs(grid) < 1e6]
            second_derivatives, bars = curve.derivative(grid, 2)
            largest_bar = 0.25 * TIGHTNESS * max(mu, 1e-300) + 0.1 * np.abs(second_derivatives)
            certain = np.isfinite(second_derivatives) & (bars < largest_bar)
            if certain.any():
                at = int(np.argmin(np.where(certain, second_derivatives + bars, np.inf)))
                if second_derivatives[at] + bars[at] < least:
                    least, bar = float(second_derivatives[at] + bars[at]), float(bars[at])
                    where = (grid[at : at + 1], np.full(1, curve.target))
    if where is None:
        raise NotApplicable("no curvature could be measured")
    text = ""
    if least < mu * (1 - TIGHTNESS):
        text = f"the curvature at y is {least:.9g}, below the claimed constant {mu!r}."
    elif least - 2 * bar > mu * (1 + TIGHTNESS):
        text = f"the least curvature found is {least:.9g}; {mu!r} is not the largest constant."
    if text:
        code = "hessian(y, t)" if subject.hessian else "value(y, t)"
        raise Counterexample(text, code, y=where[0], t=where[1])


def _least_row_curvature(
    subject: Subject, search: Search
) -> tuple[float, tuple[NDArray, NDArray] | None]:
    """Return the least second difference along chords of rows, over their squared length."""
    least, where = np.inf, None
    for chords in _chords(subject, search):
        half = np.sum(((chords.b - chords.a) / 2) ** 2, axis=-1)
        a, m, b = (subject.losses(y, chords.t) for y in chords[:3])
        second_derivatives = np.where(
            half > 0, (a - 2 * m + b) / np.where(half > 0, half, 1), np.inf
        )
        second_derivatives = np.where(np.isfinite(second_derivatives), second_derivatives, np.inf)
        at = int(np.argmin(second_derivatives))
        if second_derivatives[at] < least:
            least, where = (
                float(second_derivatives[at]),
                (chords.m[at : at + 1], chords.t[at : at + 1]),
            )
    return least, where

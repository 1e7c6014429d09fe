"""Black-box float functions: where their derivatives jump, and where they are linear.

A jump does not shrink with the distance between its two sides. The change of a merely steep
derivative shrinks, also that of a derivative without derivative (abs(r)**1.5 at 0), only more
slowly, while rounding errors grow. So a change is followed over shrinking distances until rounding
shows, and is a jump if it stays the same over the last ones, whatever its size.

Where curvature decays below rounding, as that of a logistic loss for large margins, floats cannot
distinguish a curve from a straight line. So a segment without a gap below its chords refutes strict
convexity only if curvature ends abruptly next to it at every scale, or if there is no curvature
anywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from lossfw.check.core.curves import EPS, TINY, Curve
from lossfw.check.core.subject import Function, call
from lossfw.numerics.arrays import NDArray

# Differences to the right of a place: weights of the function there by their degree.
# Those to the left are their mirror image.
_WEIGHTS = {0: (1,), 1: (-1, 1), 2: (1, -2, 1)}

# Each distance is so many times shorter than the last; a change is compared over
# so many of them, and followed for so many at most.
_SHORTER, _SPAN, _MOST = 4.0, 3, 14

# Rounding begins to show where it may be this fraction of the change.
_SHOWS = 0.02

# Over the span a jump stays within these bounds; a change that falls below the last is none.
_STAYS, _GROWS, _FALLS = 0.9, 1.1, 0.5

# The line is looked at in steps of this fraction of the scale, or of the distance from 0.
# Close to 0 steps are shorter.
_STEP, _WIDER = 1 / 64, 1 / 256
_STEP_CLOSE, _CLOSE = 1 / 2048, 0.5

# A place stands out where the change differs from that so many steps away, and
# does so by so many times the usual difference within a window of so many.
_ASIDE, _STANDS_OUT, _WINDOW = 4, 4.0, 16

# So many places that stand out are followed.
_FOLLOWED = 40

Base = Callable[[NDArray], tuple[NDArray, NDArray]]


def black_box_jumps(curve: Curve, order: int, reach: float) -> list[float]:
    """Return the points within some distance from 0 where a derivative jumps."""
    found: list[float] = []
    lines = [_places_and_steps(curve, reach, _STEP * curve.scale)]
    lines.append(_places_and_steps(curve, _CLOSE * curve.scale, _STEP_CLOSE * curve.scale))
    for base, degree in _functions_to_difference(curve, order):
        for places, steps in lines:
            for at in _find_outliers(curve, base, degree, places, steps):
                place = _locate_jump(curve, base, degree, float(places[at]), float(steps[at]))
                if place is not None:
                    found.append(place)
    return found


def black_box_has_jump(curve: Curve, order: int, x: float, *, if_unsure: bool) -> bool:
    """Tell whether a derivative jumps at a point; in doubt return the given answer."""
    answers = {
        _has_jump(curve, base, degree, x) for base, degree in _functions_to_difference(curve, order)
    }
    return True in answers or (if_unsure and None in answers)


def _functions_to_difference(curve: Curve, order: int) -> list[tuple[Base, int]]:
    """Return the functions to difference, and how often: the value, and a gradient if any."""

    def derivative(y: NDArray) -> tuple[NDArray, NDArray]:
        function = curve.subject.gradient
        target = np.full(y.shape, curve.target)
        derivatives = np.asarray(call(function, y, target), np.float64)
        return derivatives, curve.error_bars(
            lambda x: np.asarray(call(function, x, target)), y, derivatives
        )

    found: list[tuple[Base, int]] = [(partial(curve.evaluate_with_bars, order=0), order)]
    if curve.subject.gradient is not None:
        found.append((derivative, order - 1))
    return found


def _side_difference(
    curve: Curve, base: Base, degree: int, x: NDArray, h: NDArray
) -> tuple[NDArray, NDArray]:
    """Return by how much a derivative differs right and left of x, beyond h, and its noise."""
    total, noise = np.zeros(x.shape), np.zeros(x.shape)
    weights = _WEIGHTS[degree]
    farthest = len(weights) * h
    inside = (x - farthest > curve.low) & (x + farthest < curve.high)
    for k, weight in enumerate(weights, 1):
        for side in (1, -1):
            there = np.where(inside, x + side * k * h, x)
            values, bars = base(there)
            total += side * weight * (side**degree) * values
            # Bars are for the worst case; of many places few come near it.
            noise += abs(weight) * bars / 16
    with np.errstate(all="ignore"):
        total, noise = total / h**degree, noise / h**degree
    known = inside & np.isfinite(total)
    return np.where(known, total, 0.0), np.where(known, noise, np.inf)


def _places_and_steps(curve: Curve, reach: float, least: float) -> tuple[NDArray, NDArray]:
    """Return places from one end to the other, with the step that each one has."""
    found = [0.0]
    while found[-1] < reach:
        found.append(found[-1] + max(least, _WIDER * found[-1]))
    right = np.asarray(found)
    y = np.concatenate([-right[:0:-1], right])
    step = np.maximum(least, _WIDER * np.abs(y))
    if np.isfinite(curve.low) and np.isfinite(curve.high):
        width = curve.high - curve.low
        y = curve.low + width * np.arange(1, 512) / 512
        step = np.full(y.shape, width / 512)
    # Powers of two, so that the places of a difference are exact.
    step = 2.0 ** np.floor(np.log2(step))
    y = np.round(y / step) * step
    inside = (y > curve.low) & (y < curve.high)
    return y[inside], step[inside]


def _find_outliers(curve: Curve, base: Base, degree: int, y: NDArray, h: NDArray) -> list[int]:
    """Return which places stand out from those next to them."""
    change, noise = _side_difference(curve, base, degree, y, h)
    if y.size <= 2 * (_WINDOW + _ASIDE):
        return []
    inner = slice(_ASIDE, -_ASIDE)
    aside = (change[: -2 * _ASIDE] + change[2 * _ASIDE :]) / 2
    out = np.abs(change[inner] - aside)
    padded = np.pad(out, _WINDOW, mode="edge")
    usual = np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * _WINDOW + 1), axis=-1)
    least = np.fmax(_STANDS_OUT * usual, noise[inner] / _SHOWS)
    near = np.pad(out, 2, mode="edge")
    peak = out >= np.lib.stride_tricks.sliding_window_view(near, 5).max(-1)
    found = np.flatnonzero(peak & (out > least))
    strongest = found[np.argsort(-out[found] / (usual[found] + noise[inner][found]))]
    return sorted((strongest[:_FOLLOWED] + _ASIDE).tolist())


def _locate_jump(curve: Curve, base: Base, degree: int, x: float, h: float) -> float | None:
    """Return where a change that stands out is a jump, None if it shrinks."""
    seen: list[float] = []
    for _ in range(_MOST):
        near = x + h * np.arange(-16, 17) / 8
        h = h / _SHORTER
        change, noise = _side_difference(curve, base, degree, near, np.full(near.shape, h))
        # The change that is found at both ends too, where no jump shows, is none.
        out = (change - (change[0] + change[-1]) / 2)[8:-8]
        near, noise = near[8:-8], noise[8:-8]
        at = int(np.argmax(np.abs(out)))
        if not noise[at] < _SHOWS * abs(out[at]):
            break
        seen.append(float(out[at]))
        x = float(near[at])
    return x if _is_jump(seen) else None


def _has_jump(curve: Curve, base: Base, degree: int, x: float) -> bool | None:
    """Tell whether there is a jump at a known place; None if that cannot be told."""
    seen: list[float] = []
    h = 2.0 ** np.floor(np.log2(max(_STEP * curve.scale, _WIDER * abs(x))))
    for _ in range(_MOST):
        near = x + _ASIDE * h * np.array([-1, 0, 1])
        change, noise = _side_difference(curve, base, degree, near, np.full(3, h))
        out = float(change[1] - (change[0] + change[2]) / 2)
        # Where the place is not a float, the jump lies some units next to it.
        if not noise.max() < _SHOWS * abs(out) or h < 64 * np.spacing(abs(x)):
            break
        seen.append(out)
        h = h / _SHORTER
    return _is_jump(seen)


def _is_jump(changes: list[float]) -> bool | None:
    """Tell from the changes, at ever shorter distances, whether it is a jump."""
    if not changes:
        return False
    if len(changes) <= _SPAN:
        return None
    ratio = changes[-1] / changes[-1 - _SPAN]
    if _STAYS < ratio < _GROWS:
        return True
    return False if ratio < _FALLS else None


# A gap below the chord that is not larger than this many rounding steps is none.
_ROUNDING = 8

# A gap of so many times the rounding error is curvature; one of so many more is
# still seen with steps of a 64th, over which a gap is 4,096 times smaller.
_SEEN, _SEEN_CLOSER, _CLOSER = 1e3, 1e7, 64

# So many chords in a row without a gap are a linear segment, and curvature ends
# abruptly if it is there so few chords before.
_PIECE, _BESIDE = 3, 3

# How many times one looks closer.
_LOOKS = 6


class LinearSegment(NamedTuple):
    """Two predictions and their midpoint."""

    a: float
    m: float
    b: float


def find_linear_segment(
    function: Function, lines: list[tuple[float, float, int]]
) -> LinearSegment | None:
    """Return a linear segment of a function on lines (start, step, count), None if none is sure."""
    seen, flat = False, None
    for start, step, count in lines:
        line = _Line.from_function(function, start, step, count)
        seen |= bool(line.sees_curvature(_SEEN).any())
        pieces = np.flatnonzero(line.begins_linear_segment())
        if pieces.size and flat is None:
            flat = line.segment(int(pieces[0]))
        ends = line.abrupt_segments(_SEEN_CLOSER)
        for at in ends[:: max(1, len(ends) // 4)]:
            if _is_abrupt(function, line, at):
                return line.segment(at)
    return None if seen else flat


class _Line(NamedTuple):
    start: float
    step: float
    gap: NDArray
    noise: NDArray

    @classmethod
    def from_function(cls, function: Function, start: float, step: float, count: int) -> _Line:
        values = function(start + step * np.arange(count))
        left, here, right = values[:-2], values[1:-1], values[2:]
        noise = _ROUNDING * (EPS * (np.abs(left) + np.abs(right)) + TINY)
        return cls(start, step, left / 2 + right / 2 - here, noise)

    def sees_curvature(self, times: float) -> NDArray:
        return np.asarray(np.isfinite(self.gap) & (self.gap > times * self.noise))

    def begins_linear_segment(self) -> NDArray:
        """Tell where a linear segment begins, by the number of its first chord."""
        flat = np.isfinite(self.gap) & (self.gap <= self.noise)
        if flat.size < _PIECE:
            return np.zeros(0, bool)
        return np.asarray(np.lib.stride_tricks.sliding_window_view(flat, _PIECE).all(-1))

    def abrupt_segments(self, times: float) -> list[int]:
        """Return the linear segments next to which curvature ends abruptly."""
        pieces, seen = self.begins_linear_segment(), self.sees_curvature(times)
        found = []
        for at in np.flatnonzero(pieces).tolist():
            before = seen[max(at - _BESIDE, 0) : at]
            behind = seen[at + _PIECE : at + _PIECE + _BESIDE]
            if before.any() or behind.any():
                found.append(at)
        return found

    def segment(self, index: int) -> LinearSegment:
        a = self.start + self.step * index
        width = self.step * (_PIECE + 1)
        return LinearSegment(a, a + width / 2, a + width)


def _is_abrupt(function: Function, line: _Line, index: int) -> bool:
    """Tell whether curvature still ends next to a linear segment when one looks closer."""
    for _ in range(_LOOKS):
        start = line.start + line.step * (index - _BESIDE)
        count = (_PIECE + 2 * _BESIDE + 1) * _CLOSER + 1
        line = _Line.from_function(function, start, line.step / _CLOSER, count)
        ends = line.abrupt_segments(_SEEN_CLOSER)
        if not ends:
            # Curvature that can be followed no closer ends as large as it is around.
            return not line.sees_curvature(_SEEN_CLOSER).any() and bool(line.abrupt_segments(_SEEN))
        index = ends[0]
    return True

"""Find straight pieces of a black-box float function.

Where curvature decays into rounding, as that of a logistic loss does far out,
floats tell no curve from a straight line. So a piece without a gap below its
chords refutes strict convexity only where curvature ends abruptly beside it,
however closely one looks, or where there is none anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lossfw.check.core.subject import Function
from lossfw.numerics.arrays import NDArray

_EPS = float(np.finfo(np.float64).eps)
_TINY = float(np.finfo(np.float64).smallest_subnormal)

# A gap below the chord that is not larger than this many rounding steps is none.
_ROUNDING = 8

# A gap of so many times the rounding error is curvature; one of so many more is
# still seen with steps of a 64th, over which a gap is 4,096 times smaller.
_SEEN, _SEEN_CLOSER, _CLOSER = 1e3, 1e7, 64

# So many chords in a row without a gap are a straight piece, and curvature ends
# abruptly if it is there so few chords before.
_PIECE, _BESIDE = 3, 3

# How many times one looks closer.
_LOOKS = 6


@dataclass(frozen=True)
class Stretch:
    """A straight piece: two predictions with a third in their middle."""

    a: float
    m: float
    b: float


def straight(function: Function, lines: list[tuple[float, float, int]]) -> Stretch | None:
    """Return a straight piece of a function, None if none is sure.

    Parameters
    ----------
    function : callable
        Values at an array of numbers.
    lines : list of (float, float, int)
        Where to look: the first number, the step and how many there are.
    """
    seen, flat = False, None
    for start, step, count in lines:
        line = _Line.of(function, start, step, count)
        seen |= bool(line.seen(_SEEN).any())
        pieces = np.flatnonzero(line.pieces())
        if pieces.size and flat is None:
            flat = line.stretch(int(pieces[0]))
        ends = line.ends(_SEEN_CLOSER)
        for at in ends[:: max(1, len(ends) // 4)]:
            if _is_abrupt(function, line, at):
                return line.stretch(at)
    return None if seen else flat


@dataclass(frozen=True)
class _Line:
    start: float
    step: float
    gap: NDArray
    noise: NDArray

    @classmethod
    def of(cls, function: Function, start: float, step: float, count: int) -> _Line:
        values = function(start + step * np.arange(count))
        left, here, right = values[:-2], values[1:-1], values[2:]
        noise = _ROUNDING * (_EPS * (np.abs(left) + np.abs(right)) + _TINY)
        return cls(start, step, left / 2 + right / 2 - here, noise)

    def seen(self, times: float) -> NDArray:
        return np.asarray(np.isfinite(self.gap) & (self.gap > times * self.noise))

    def pieces(self) -> NDArray:
        """Tell where a straight piece begins, by the number of its first chord."""
        flat = np.isfinite(self.gap) & (self.gap <= self.noise)
        if flat.size < _PIECE:
            return np.zeros(0, bool)
        whole = np.lib.stride_tricks.sliding_window_view(flat, _PIECE).all(-1)
        return np.asarray(whole)

    def ends(self, times: float) -> list[int]:
        """Return the straight pieces beside which curvature ends abruptly."""
        pieces, seen = self.pieces(), self.seen(times)
        found = []
        for at in np.flatnonzero(pieces).tolist():
            before = seen[max(at - _BESIDE, 0) : at]
            behind = seen[at + _PIECE : at + _PIECE + _BESIDE]
            if before.any() or behind.any():
                found.append(at)
        return found

    def stretch(self, at: int) -> Stretch:
        a = self.start + self.step * at
        width = self.step * (_PIECE + 1)
        return Stretch(a, a + width / 2, a + width)


def _is_abrupt(function: Function, line: _Line, at: int) -> bool:
    """Tell whether curvature still ends beside a straight piece when one looks closer."""
    for _ in range(_LOOKS):
        start = line.start + line.step * (at - _BESIDE)
        count = (_PIECE + 2 * _BESIDE + 1) * _CLOSER + 1
        line = _Line.of(function, start, line.step / _CLOSER, count)
        ends = line.ends(_SEEN_CLOSER)
        if not ends:
            # Curvature that can be followed no closer ends as large as it is around.
            return not line.seen(_SEEN_CLOSER).any() and bool(line.ends(_SEEN))
        at = ends[0]
    return True

"""Find the places where the value or a derivative of a curve jumps.

Intervals of the curve's grid over which there is a change are cut into parts,
and those parts that may hold a jump into parts again, until they are narrow. Of
a smooth function neighbouring parts change alike, the more so the narrower they
are; a jump sets one of them apart. So most intervals need not be cut more than
once or twice. A change that is left is a jump if it does not shrink any further.

This is for values and for exact derivatives, which have no noise; for others see
`lossfw.check.claims.float_jumps`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lossfw.check.claims.float_jumps import sharp_at, sharp_places
from lossfw.check.core.curves import Curve, ExactCurve
from lossfw.numerics.arrays import NDArray

# An interval is cut into so many parts, at first into fewer, for most end there; until it is as
# narrow as this, relative to the curve's scale.
_FIRST_PARTS, _PARTS = 5, 8
_NARROW = 1e-10

# A change that is left in a narrow interval is a jump if it is larger than this,
# relative to the size of the derivative around it.
_JUMP = 1e-5

# A jump beside the end of an interval sets the only neighbour apart by half of it. In the
# fourth differences, over six, a sixth of it is left there at least; of a smooth function
# they shrink with the fifth power of the width, and end most searches after one cut.
_APART, _FAR_APART = 0.25, 0.125

# Breaks are looked for within this distance, or some way beyond the farthest
# known kink; farther out exact numbers need thousands of digits to see anything.
_REACH, _BEYOND = 60.0, 4.0

# Derivatives within so many times the curve's scale set the measure: a share of the
# largest counts; a jump of less than a constant near zero is none.
_USUAL, _SHARE, _LEAST = 30.0, 1e-2, 1e-9

# Within an interval that is cut, sizes below this are as good as this.
_LEAST_WITHIN = 1e-6

# How far to both sides of a claimed place a jump is looked for: the true place
# may lie between two floats.
_BESIDE = 2.0**-40

# A change is looked at again over a distance so many times shorter, or after so many
# cuts more. Of a jump the first share is left, or more; of another change the second, or less.
_CLOSER, _CUTS = 2.0**-6, 3
_STAYS, _SHRINKS = 0.9, 0.5

# Exact derivatives are rounded once.
_ROUNDING = 1e-14

# Two breaks are one if they lie this close to each other.
SAME = 1e-3


def jumps(curve: Curve, order: int) -> list[float]:
    """Return where a derivative of the curve jumps; looked for once, for all claims about it."""
    return curve.search.once(("jumps", curve.target, order), lambda: _find(curve, order))


def jumps_at(curve: Curve, order: int, x: float, *, doubt: bool = False) -> bool:
    """Tell whether a derivative jumps at one place; where that is in doubt, as is said."""
    if not isinstance(curve, ExactCurve):
        return sharp_at(curve, order, x, doubt=doubt)
    wide, narrow = (_across(curve, order, x, share) for share in (1.0, _CLOSER))
    if wide == 0:
        return False
    # A jump does not shrink with the distance.
    return bool(narrow > (_SHRINKS if doubt else _STAYS) * wide)


def _across(curve: Curve, order: int, x: float, share: float) -> float:
    """Return the change of a derivative across a place, 0 where rounding may do as much."""
    gap = share * _BESIDE * max(abs(x), curve.scale)
    values, _ = _function(curve, order, np.array([x - gap, x + gap]))
    change = abs(float(values[1] - values[0]))
    size = float(np.abs(values[np.isfinite(values)]).max(initial=0.0))
    return change if change > _ROUNDING * max(size, _LEAST) else 0.0


def _function(curve: Curve, order: int, y: NDArray) -> tuple[NDArray, NDArray]:
    if order == 0:
        values = curve.value(y)
        return values, curve.value_bars(y, values)
    return curve.slope(y) if order == 1 else curve.curvature(y)


@dataclass(frozen=True)
class _Intervals:
    """Intervals that may hold a jump.

    Attributes
    ----------
    left, right : ndarray
    size : ndarray
        How large the derivative is there or thereabouts.
    change : ndarray
        Its change, less the error bars.
    narrow : ndarray
        The width at which the change is a jump.
    """

    left: NDArray
    right: NDArray
    size: NDArray
    change: NDArray
    narrow: NDArray

    def keep(self, which: NDArray) -> _Intervals:
        """Return some of the intervals."""
        parts = (self.left, self.right, self.size, self.change, self.narrow)
        return _Intervals(*(x[which] for x in parts))


def _find(curve: Curve, order: int) -> list[float]:
    """Search the whole grid of a curve for jumps of a derivative."""
    if order and not isinstance(curve, ExactCurve):
        reach = max([_REACH, *(_BEYOND * abs(kink) for kink in curve.kinks)])
        return _distinct(np.asarray(sharp_places(curve, order, reach)), curve.scale)
    todo = _cut(curve, order, _changing(curve, order), _FIRST_PARTS)
    while todo.left.size and (todo.right - todo.left > todo.narrow).any():
        todo = _cut(curve, order, todo, _PARTS)
    todo = _staying(curve, order, todo)
    return _distinct((todo.left + todo.right) / 2, curve.scale)


def _changing(curve: Curve, order: int) -> _Intervals:
    """Return the intervals of the grid over which a derivative changes."""
    grid = curve.grid()
    reach = max([_REACH, *(_BEYOND * abs(kink) for kink in curve.kinks)])
    grid = grid[np.abs(grid) < reach]
    values, bars = _function(curve, order, grid)
    # A change counts beside the largest around, also where the curve is near 0.
    usual = np.abs(values[np.isfinite(values) & (np.abs(grid) < _USUAL * curve.scale)])
    floor = _SHARE * float(usual.max()) if usual.size else 0.0
    size = np.maximum(np.maximum(np.abs(values[1:]), np.abs(values[:-1])), floor)
    change = np.abs(np.diff(values)) - bars[1:] - bars[:-1]
    left, right = grid[:-1], grid[1:]
    # Close to a bound of the predictions everything happens on a smaller scale.
    room = np.minimum(np.minimum(left - curve.low, curve.high - right), curve.scale)
    narrow = _NARROW * room
    keep = np.isfinite(change) & (change > _JUMP * np.maximum(size, _LEAST))
    # Close to 1 floats lie too far apart for it: a jump cannot be told from a steep place.
    keep &= narrow > 4 * np.spacing(np.maximum(np.abs(left), np.abs(right)))
    return _Intervals(left, right, size, change, narrow).keep(keep)


def _cut(curve: Curve, order: int, some: _Intervals, count: int) -> _Intervals:
    """Return for each interval those of so many parts that may hold a jump, if any do."""
    # Intervals that are narrow already stay as they are.
    wide = some.right - some.left > some.narrow
    done, some = some.keep(~wide), some.keep(wide)
    parts = np.linspace(some.left, some.right, count + 1, axis=-1)
    values, bars = (x.reshape(parts.shape) for x in _function(curve, order, parts.ravel()))
    steps = np.diff(values, axis=-1)
    change = np.abs(steps) - bars[:, 1:] - bars[:, :-1]
    change = np.where(np.isfinite(change), change, -np.inf)
    least = _JUMP * np.maximum(some.size, _LEAST_WITHIN)
    keep = change.max(-1) > least
    first = last = np.argmax(change, axis=-1)
    if order:
        apart = np.abs(np.diff(steps, 2, axis=-1)) / 2
        apart = np.where(np.isfinite(apart), apart, np.inf)
        # Of a jump in the first part only half shows in the second: it may be in either.
        middle = np.argmax(apart, axis=-1) + 1
        keep &= apart.max(-1) > _APART * least
        farther = np.abs(np.diff(steps, 4, axis=-1)) / 6
        keep &= ~(farther.max(-1) <= _FAR_APART * least)
        first, last = middle - 1, middle + 1
    row = np.arange(len(parts))
    kept = _Intervals(
        parts[row, first], parts[row, last + 1], some.size, change.max(-1), some.narrow
    ).keep(keep)
    return _Intervals(
        *(np.concatenate([a, b]) for a, b in zip(_fields(done), _fields(kept), strict=True))
    )


def _staying(curve: Curve, order: int, some: _Intervals) -> _Intervals:
    """Return the narrow intervals over which the change stays as they are made narrower."""
    if not some.left.size:
        return some
    left, right = some.left, some.right
    values, _ = _function(curve, order, np.concatenate([left, right]))
    begun = np.abs(values[left.size :] - values[: left.size])
    row = np.arange(left.size)
    for _ in range(_CUTS):
        parts = np.linspace(left, right, _PARTS + 1, axis=-1)
        values, _ = (x.reshape(parts.shape) for x in _function(curve, order, parts.ravel()))
        # A jump at the end of a part shows by half in the next one.
        change = np.abs(values[:, 2:] - values[:, :-2])
        change = np.where(np.isfinite(change), change, -np.inf)
        at = np.argmax(change, axis=-1)
        left, right, last = parts[row, at], parts[row, at + 2], change[row, at]
    return some.keep(~(last < _STAYS * begun))


def _fields(some: _Intervals) -> tuple[NDArray, ...]:
    return some.left, some.right, some.size, some.change, some.narrow


def _distinct(found: NDArray, scale: float) -> list[float]:
    kept: list[float] = []
    for x in sorted(found.tolist(), key=abs):
        if all(abs(x - y) > SAME * max(scale, abs(x)) for y in kept):
            kept.append(x)
    return kept

"""Interval: the exact results of rounded arguments, and of arguments next to them.

It contains the exact result at the arguments, and at arguments moved by a few units
(`lossfw.check.core.moves`): each by itself, all together in the direction in which the result falls
or rises, and the vertex of the parabola in between. All are results that the formula attains:
changes are never added. Two more rules belong to it:

- No move excuses a jump, where the formula takes another branch: a change that a move eight times
  as long does not enlarge, unless an eighth of the move makes some of it; or one that a move far
  below rounding makes already. Beside a jump, across which rounding may lead, a result may be that
  of the other side, and nothing in between.
- At a kink, a derivative lies between those next to it. Where the derivative jumps, any number may
  be the curvature.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from lossfw.check.core.exact import Formula
from lossfw.check.core.moves import FARTHER, NEARER, Input, scale_gaps
from lossfw.check.core.points import ArgumentArrays
from lossfw.numerics.arrays import Array, NDArray
from lossfw.numerics.exact import differences
from lossfw.numerics.exact.namespace import exact_array
from lossfw.numerics.exact.ulp import to_float

# Moves of all arguments together change a result by no more than so many times what they add up
# to; what changes more is beyond a jump.
_TOGETHER = 2.0

# What has changed by such a fraction of it with an eighth of the move flattens out and is not a
# jump: a jump comes at once, and a derivative beside one is too small to hide it.
_FLATTENS = (0.01, 0.9)

_SIGNS = (-1, 1)


class Span(NamedTuple):
    """What exact results may be: how far they go down and up, as floats.

    `across` are results on the other side of a jump, NaN where there is none.
    """

    exact: Array
    low: NDArray
    high: NDArray
    across: Sequence[Array] = ()


@dataclass(frozen=True)
class MovableFormula:
    """A formula, and what can be moved of its arguments and its parameters.

    `inputs` returns what can be moved of some arrays; `formulas` have one parameter each moved
    lower, higher, and both farther.
    """

    formula: Formula
    inputs: Callable[[ArgumentArrays], list[Input]]
    formulas: Callable[[], Sequence[tuple[Formula, ...]]] = tuple

    def derivative_span(self, order: int, arrays: ArgumentArrays, exact: Array) -> Span:
        """Return the intervals of derivatives between those next to the arguments.

        At a tie, where a rule for `maximum` or `where` gives another derivative than both sides
        have, theirs is the exact one.
        """
        zero = np.zeros(exact.shape)
        of_predictions = [one for one in self.inputs(arrays) if not one.role]
        if not order or not of_predictions:
            return Span(exact, zero, zero)

        def sides(times: int) -> list[ArgumentArrays]:
            signs = [times * sign for sign in _SIGNS]
            places = [one.move_slightly(arrays, sign) for one in of_predictions for sign in signs]
            if arrays[0].ndim > 1:
                # Terms with a kink at one place, on its left and on its right, have it together.
                places += [(scale_gaps(arrays[0], sign), *arrays[1:]) for sign in signs]
            return places

        found = _batch_results(sides(1), lambda x: self.formula.derivatives(order, *x), exact.shape)
        changes = np.stack([_finite_change(one, exact) for one in found[-1]])
        for is_beyond, nearest in (((changes > 0).all(0), changes.argmin(0)),
                                   ((changes < 0).all(0), changes.argmax(0))):  # fmt: skip
            own = np.take_along_axis(found[-1], nearest[np.newaxis], 0)[0]
            exact = np.where(is_beyond, own, exact)
        changes = np.stack([_finite_change(one, exact) for one in found[-1]])
        low, high = np.minimum(changes.min(0), 0), np.maximum(changes.max(0), 0)
        if order == 2:
            jumps = np.logical_or.reduce(
                [differences.are_different(found[0][0], x) for x in found[0]]
            )
            if jumps.any():
                # A derivative of 0 differs from those next to it, and grows with the distance.
                (derivatives,) = _batch_results(
                    sides(FARTHER), lambda x: self.formula.derivatives(1, *x), exact.shape
                )
                near, far = _gap_between_sides(found[0]), _gap_between_sides(derivatives)
                jumps &= far < FARTHER / 2 * near
            low, high = np.where(jumps, -np.inf, low), np.where(jumps, np.inf, high)
        return Span(exact, low, high)

    def interval(self, order: int, arrays: ArgumentArrays, exact: Array) -> Span:
        """Return the intervals of values (order 0) or derivatives."""
        exact, low, high, _ = self.derivative_span(order, arrays, exact)
        inputs = self.inputs(arrays)

        def results(moves: Sequence[ArgumentArrays], formula: Formula = self.formula) -> Array:
            return _batch_results(moves, lambda x: (formula.results(order, *x),), exact.shape)[0]

        moves = [(one, sign) for one in inputs for sign in _SIGNS]
        if moves:
            near, farther = (
                list(results([one.move_arguments(arrays, times * sign) for one, sign in moves]))
                for times in (1, FARTHER)
            )
            there = results([one.move_slightly(arrays, sign) for one, sign in moves])
        else:
            near, farther, there = [], [], np.empty((0, *exact.shape), object)
        for four in self.formulas():
            moved = [results([arrays], formula)[0] for formula in four]
            near, farther = near + moved[:2], farther + moved[2:]
        if not near:
            return Span(exact, low, high)
        changes = np.stack([_finite_change(one, exact) for one in near])
        size = np.abs(changes)
        is_jump = np.stack(
            [_distance(b, a) * FARTHER < c for a, b, c in zip(near, farther, size, strict=True)]
        )
        for number in np.flatnonzero(is_jump[: len(moves)].reshape(len(moves), -1).any(1)):
            one, sign = moves[number]
            change = _distance(results([one.move_arguments(arrays, sign * NEARER)])[0], exact)
            share = change / np.where(size[number] > 0, size[number], 1)
            is_jump[number] &= ~((share > _FLATTENS[0]) & (share < _FLATTENS[1]))
        # A jump at the argument itself is none that rounding leads across.
        is_here = np.stack([_distance(a, exact) > c / 2 for a, c in zip(there, size, strict=False)])
        across = [
            np.where(mask, one, _NAN)
            for one, mask in zip(near, is_jump[: len(is_here)] & ~is_here, strict=False)
            if mask.any()
        ]
        is_jump[: len(is_here)] |= is_here
        changes[is_jump] = 0
        taken = [*changes, *_vertices(changes, is_jump)]
        low, high = np.minimum(low, np.min(taken, axis=0)), np.maximum(high, np.max(taken, axis=0))
        if len(inputs) > 1:
            pairs = changes[: len(moves)].reshape(len(inputs), 2, *exact.shape)
            _move_together(arrays, inputs, pairs, exact, results, low, high)
        return Span(exact, low, high, across)


def _move_together(
    arrays: ArgumentArrays,
    inputs: list[Input],
    pairs: NDArray,
    exact: Array,
    results: Callable[[Sequence[ArgumentArrays]], Array],
    low: NDArray,
    high: NDArray,
) -> None:
    """Widen intervals by results with all arguments moved, each to the side a result goes to."""
    places = [(np.s_[:], *place) for place in np.ndindex(exact.shape[1:])]
    moves, most = [], []
    for place in places:
        down, up = np.moveaxis(pairs, 1, 0)[(np.s_[:], np.s_[:], *place)]
        for sign in _SIGNS:
            gains = np.maximum(sign * down, 0), np.maximum(sign * up, 0)
            steps = np.where(gains[0] > gains[1], -1, np.where(gains[1] > 0, 1, 0))
            moved = arrays
            for one, step in zip(inputs, steps, strict=True):
                moved = one.move_arguments(moved, step)
            moves.append(moved)
            most.append(_TOGETHER * np.maximum(*gains).sum(axis=0))
    for number, found in enumerate(results(moves)):
        place = places[number // 2]
        change = _finite_change(found[place], exact[place])
        change = np.where(np.abs(change) <= most[number], change, 0)
        low[place], high[place] = np.minimum(low[place], change), np.maximum(high[place], change)


def _batch_results(
    moves: Sequence[ArgumentArrays],
    results: Callable[[ArgumentArrays], tuple[Array, ...]],
    shape: tuple[int, ...],
) -> list[Array]:
    """Return results at several arguments by one call for all: few rows cost as much as many."""
    roles = list(zip(*moves, strict=True))
    together = tuple(
        np.concatenate([exact_array(x) for x in role] if _are_exact(role) else role)
        for role in roles
    )
    return [found.reshape(len(moves), *shape) for found in results(together)]


def _are_exact(arrays: Sequence[NDArray]) -> bool:
    return any(x.dtype == object for x in arrays)


def _vertices(changes: NDArray, is_jump: NDArray) -> NDArray:
    """Return the change to the vertex of the parabola through each pair of moves, if in between."""
    down, up = changes[::2], changes[1::2]
    second_derivative = up + down
    with np.errstate(all="ignore"):
        is_between = (
            (np.abs(up - down) < 2 * np.abs(second_derivative)) & ~is_jump[::2] & ~is_jump[1::2]
        )
        return np.where(is_between, -((up - down) ** 2) / (8 * second_derivative), 0.0)


def _finite_change(there: Array, here: Array) -> NDArray:
    """Return changes of exact results as floats, 0 for those that are not finite."""
    with np.errstate(all="ignore"):
        found = to_float(there - here, np.float64)
    return np.where(np.isfinite(found), found, 0.0)


def _gap_between_sides(derivatives: Array) -> NDArray:
    """Return how far the derivatives on several sides are apart."""
    return np.asarray(
        np.max([np.abs(_finite_change(one, derivatives[0])) for one in derivatives], axis=0)
    )


def _distance(there: Array, here: Array) -> NDArray:
    """Return how far exact results are from others, NaN where that is not finite."""
    with np.errstate(all="ignore"):
        found = np.abs(to_float(there - here, np.float64))
    return np.where(np.isfinite(found), found, np.nan)


_NAN: Any = exact_array(np.nan)[()]

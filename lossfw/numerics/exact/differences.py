"""Exact derivatives of a body, by finite differences of exact numbers.

::

    derivative(body, y, *constants, order=1, side=0, rows=False) -> exact array
    kinks(body, y, *constants, order=1, rows=False) -> bool array

The body is a black box: no rule of differentiation is used, so the result can judge every rule and
every derivative that an author wrote. It has 30 digits. Quantities in
`lossfw.numerics.stop_gradient` do not move with the point.

The step is 1e-20 of the distance to the nearest number at which a body may change: 0, the
constants, the other elements of a row. The number of digits follows the step, so tiny and huge
arguments are treated alike. As in `lossfw.numerics.exact.truth`, digits are doubled until the
result is a narrow ball and two estimates agree: a wide ball shows a lack of digits, and a
disagreement shows a step that is too large, because the step shrinks with the digits.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lossfw.numerics.arrays import Array, Body
from lossfw.numerics.exact.namespace import DIGITS, bits, exact_array, namespace
from lossfw.numerics.exact.truth import chunk_length, evaluate_once, flatten, refine
from lossfw.numerics.stop_gradient import collect_stopped, with_stop_point

# The exponent of the step is this fraction of the digits, 20 of 60. So the step becomes smaller
# as digits are doubled, since a derivative may be 0.
_STEP_SHARE = 3

# One-sided derivatives that agree in so many digits are equal.
_JUMP_DIGITS = 25

# A smaller jump does not count: a derivative that vanishes like the root of the step, as
# that of abs(r)**1.5 at 0, comes no nearer to 0 with these digits.
_SMALLEST_JUMP = 1e-100


class _Stencil(NamedTuple):
    """A finite difference: offsets in steps, their weights, and a divisor."""

    offsets: tuple[int, ...]
    weights: tuple[int, ...]
    divisor: int


# By order and side: -1 left, 0 central, 1 right. Each is exact for parabolas (for cubics in
# the second order), so its error is proportional to the square of the step.
_STENCILS = {
    (1, 0): _Stencil((1, -1), (1, -1), 2),
    (1, 1): _Stencil((0, 1, 2), (-3, 4, -1), 2),
    (1, -1): _Stencil((0, -1, -2), (3, -4, 1), 2),
    (2, 0): _Stencil((1, 0, -1), (1, -2, 1), 1),
    (2, 1): _Stencil((0, 1, 2, 3), (2, -5, 4, -1), 1),
    (2, -1): _Stencil((0, -1, -2, -3), (2, -5, 4, -1), 1),
}


def derivative(
    body: Body, y: Any, *constants: Any, order: int = 1, side: int = 0, rows: bool = False
) -> Array:
    """Return the exact first or second derivative of a body by its first argument.

    It has the shape of `y`, and for a row-wise body that returns rows their axis last. It is NaN
    where `y` or the body is not finite. A `side` of 0 is the central difference, at a kink the
    mean of both sides; -1 is the left, 1 the right derivative. For `rows`, each class is moved.

    Examples
    --------
    >>> derivative(lambda xp, r: xp.log(xp.cosh(r)), [1e-200, 1e300])
    array([9.999999999999999821e-201, 1.0], dtype=object)
    >>> derivative(lambda xp, r: xp.abs(r), [0.0], side=-1)
    array([-1.0], dtype=object)
    """
    lead, flat = flatten((y, *constants), rows)
    shape = np.shape(y) if rows else lead
    if not math.prod(shape):
        return np.empty(shape, object)
    at = _Points(flat, rows, order)
    stencil = _STENCILS[order, side]

    def estimate(n_digits: int, which: Array) -> Array:
        return at.difference(body, stencil, n_digits, which)

    # No ball shows that a step is too long.
    result = refine(estimate, at.finite.size, DIGITS, chunk_length(flat), is_rigorous=False)
    return result.reshape((*shape, *result.shape[1:]))


def kinks(
    body: Body, y: Any, *constants: Any, order: int = 1, rows: bool = False
) -> NDArray[np.bool_]:
    """Return where the left and the right derivative differ, False where one does not exist.

    Examples
    --------
    >>> kinks(lambda xp, r: xp.abs(r), [0.0, 1e-300])
    array([ True, False])
    """
    left = derivative(body, y, *constants, order=order, side=-1, rows=rows)
    right = derivative(body, y, *constants, order=order, side=1, rows=rows)
    return are_different(left, right)


def are_different(left: Array, right: Array) -> NDArray[np.bool_]:
    """Return where one-sided derivatives, which have 30 digits, are not equal."""
    xp = namespace(DIGITS)
    size = xp.maximum(left, -left) + xp.maximum(right, -right)
    jump = xp.maximum(right - left, left - right)
    wide = xp.greater(jump, size / 10**_JUMP_DIGITS) & xp.greater(jump, _SMALLEST_JUMP)
    return np.asarray(wide, bool)


class _Points:
    """The elements, or the classes of rows, by which a body is differentiated.

    For each point, `depth` and `height` are the bits by which the distance to the nearest change
    is below 1, and the point above 1.
    """

    def __init__(self, flat: list[Array], rows: bool, order: int) -> None:
        self.flat = flat
        self.order = order
        # Whether the body stops gradients, once it has run.
        self.stops = False
        # A point is a class of a row; an element is a row of its own.
        self.columns = flat[0].shape[1] if rows else None
        self.numbers = exact_array(flat[0]).ravel()
        y = flat[0].astype(np.float64)
        self.finite = np.isfinite(y).ravel()
        with np.errstate(all="ignore"):
            scale = _row_scale(flat, y) if rows else _scale(flat, y)
            self.depth = -np.frexp(scale)[1].ravel().astype(int)
            height = np.frexp(np.where(np.isfinite(y), y, 1.0))[1].ravel()
        self.height = np.maximum(height.astype(int), 0)

    def difference(
        self, body: Body, stencil: _Stencil, n_digits: int, which: NDArray[Any]
    ) -> Array:
        """Return the difference quotient at the points `which`, as balls."""
        step = bits(n_digits) // _STEP_SHARE + self.depth[which]
        # Bits lost by the division by the step, and by y above 1.
        lost_bits = self.order * (step + self.height[which])
        digits = np.asarray(
            [_round_up_digits(n_digits + b / math.log2(10)) for b in lost_bits.tolist()], int
        )
        result: Array = None
        for rung in np.unique(digits).tolist():
            indices = np.flatnonzero(digits == rung)
            values = self._quotient(body, stencil, rung, which[indices], step[indices])
            if result is None:
                result = np.empty((len(which), *values.shape[1:]), object)
            result[indices] = values
        result[~self.finite[which]] = namespace(n_digits).full((), math.nan)
        return result

    def _quotient(
        self, body: Body, stencil: _Stencil, digits: int, which: NDArray[Any], step: NDArray[Any]
    ) -> Array:
        """Return the difference quotient at points that need the same number of digits."""
        total: Any = 0
        for offset, weight in zip(stencil.offsets, stencil.weights, strict=True):
            total = total + weight * self._move_points(body, digits, which, step, offset)
        factor = namespace(digits).exp2(self.order * step)
        return total * factor.reshape(-1, *[1] * (total.ndim - 1)) / stencil.divisor

    def _move_points(
        self, body: Body, digits: int, which: NDArray[Any], step: NDArray[Any], offset: int
    ) -> Array:
        """Return the body with the points moved by a number of steps of 2**-step."""
        xp = namespace(digits)
        # The sum is exact: there are digits for the step and for the point.
        y = xp.to_balls(self.numbers[which]) + offset * xp.exp2(-step)
        if self.columns is None:
            still = self.numbers[which]
            return self._run(body, digits, still, y, [x[which] for x in self.flat[1:]])
        row, column = np.divmod(which, self.columns)
        still, *others = (x[row] for x in self.flat)
        moved = xp.to_balls(still).copy()
        moved[np.arange(len(row)), column] = y
        return self._run(body, digits, still, moved, others)

    def _run(
        self, body: Body, digits: int, point: Array, moved: Array, others: list[Array]
    ) -> Array:
        """Return the body at moved points; what it holds constant is that of the points."""
        if not self.stops:
            with collect_stopped() as stopped:
                found = evaluate_once(body, digits, [moved, *others])
            if not stopped:
                return found
            self.stops = True
        return evaluate_once(with_stop_point(body), digits, [moved, *others, point])


def _round_up_digits(digits: float) -> int:
    """Return the next of 90, 135, 202 ... digits, so that many points share a number."""
    rung = 90
    while rung < digits:
        rung = rung * 3 // 2
    return rung


def _scale(flat: list[Array], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance of each element from 0 and its constants, at most 1."""
    distances = [np.abs(y)]
    distances += [np.abs(y - x.astype(np.float64)) for x in flat[1:] if x.dtype.kind != "b"]
    return _smallest(np.stack(distances, axis=-1))


def _row_scale(flat: list[Array], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each class the smallest distance between the numbers of its row and 0."""
    alike = [x.astype(np.float64) for x in flat if x.shape == y.shape and x.dtype.kind != "b"]
    numbers = np.sort(np.concatenate([*alike, np.zeros((len(y), 1))], axis=1), axis=1)
    return np.repeat(_smallest(np.diff(numbers, axis=1)), y.shape[1])


def _smallest(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the smallest distance along the last axis that is not 0, at most 1."""
    real = np.where(distances > 0, distances, 1.0)
    smallest: NDArray[np.float64] = np.min(real, axis=-1, initial=1.0)
    return smallest

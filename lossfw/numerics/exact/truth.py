"""Exact values of a body, with as many digits as they need.

::

    evaluate(body, *arrays, digits=60, rows=False) -> exact array

All of these digits are right. A textbook formula may cancel: log(cosh(1e-200)) needs more than 400
digits. Every result is a ball, whose error shows the loss. So each element is computed with 80
digits first, then with twice as many, up to 2,560, until the ball is narrow. A body that compared
two overlapping balls, or tested an unknown ball for NaN, may have branched wrongly: then two
evaluations must agree.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from operator import methodcaller
from typing import Any

import numpy as np

from lossfw.numerics.arrays import Array, Body, NDArray
from lossfw.numerics.exact.namespace import DIGITS, bits, exact_modules, namespace

# The first evaluation has so many digits more than the result, which most of them lose.
_SPARE_DIGITS = 20

# Two evaluations agree if so many digits of the result are equal.
AGREEMENT_DIGITS = 30
_AGREEMENT_BITS = bits(AGREEMENT_DIGITS)

# Results below 2 to this power are 0 in every float format (float64 ends at 2**-1074), so
# their digits do not matter.
NEGLIGIBLE_EXPONENT = -1200

# The most digits.
MAX_DIGITS = 2560

# What has no digit, since it may be 0, NaN or a wrong choice, is computed with so many at once:
# float64 ends at 1e-324, and sums with terms up to 1e200 keep their digits.
DOUBTFUL_DIGITS = 640

# The most exact numbers in one call of a body: 2**18 of them and the temporaries of a body
# take some 100 MB.
_CALL_SIZE = 2**18

_accuracy = np.frompyfunc(methodcaller("rel_accuracy_bits"), 1, 1)


def evaluate(body: Body, *arrays: Any, digits: int = DIGITS, rows: bool = False) -> Array:
    """Return the exact value of a body, of an elementwise one in the arrays' common shape.

    Parameters
    ----------
    body : callable
        ``body(xp, *arrays)``. It is called with exact arrays of one axis (two for
        rows), and again with the elements that need more digits.
    *arrays : array_like
        Numbers become exact without rounding. Booleans and class indices (integers without the last
        axis of rows) are unchanged.
    digits : int
        Digits of the result.
    rows : bool
        The body maps rows, the last axis of the first array, to one result or
        to a row of results. Other arrays have that shape, or lack its last axis.

    Examples
    --------
    >>> evaluate(lambda xp, r: xp.log(xp.cosh(r)), [1e-200, 1e300])
    array([4.999999999999999821e-401, 1.0000000000000000525e+300],
          dtype=object)
    """
    lead, flat = flatten(arrays, rows)

    def estimate(n_digits: int, which: Array) -> Array:
        return evaluate_once(body, n_digits, [x[which] for x in flat])

    result = refine(estimate, math.prod(lead), digits, chunk_length(flat))
    return result.reshape((*lead, *result.shape[1:]))


def evaluate_once(body: Body, digits: int, arrays: Sequence[Array]) -> Array:
    """Return the results of a body on exact numbers with so many digits, as an array of balls.

    The arrays have elements or rows along the first axis. Class indices and Booleans are
    unchanged.
    """
    xp = namespace(digits)
    return xp.to_balls(body(xp, *[xp.prepare(x) for x in arrays]))


def flatten(arrays: tuple[Any, ...], rows: bool) -> tuple[tuple[int, ...], list[Array]]:
    """Return the shape of the elements or rows, and the arrays with these along one axis."""
    inputs = [np.asarray(x) for x in arrays]
    if rows:
        leading_shape = inputs[0].shape[:-1]
        flat = [x.reshape(math.prod(leading_shape), *x.shape[len(leading_shape) :]) for x in inputs]
    else:
        leading_shape = np.broadcast_shapes(*[x.shape for x in inputs])
        flat = [np.broadcast_to(x, leading_shape).ravel() for x in inputs]
    # Integers are numbers too, and 1 / 3 must not become a float, but for indices.
    numbers = [x.dtype.kind in "iu" and (not rows or x.ndim > 1) for x in flat]
    return leading_shape, [x.astype(object) if n else x for x, n in zip(flat, numbers, strict=True)]


def chunk_length(flat: list[Array]) -> int:
    """Return the largest number of elements or rows per call."""
    width: int = max(math.prod(x.shape[1:]) for x in flat)
    return max(1, _CALL_SIZE // max(1, width))


def refine(
    estimate: Callable[[int, NDArray], Array],
    count: int,
    digits: int,
    step: int,
    *,
    is_rigorous: bool = True,
) -> Array:
    """Double the digits of an estimate until its balls are narrow.

    Parameters
    ----------
    estimate : callable
        ``estimate(digits, numbers)`` returns balls for some elements, along the first axis.
    count : int
        The number of elements.
    digits : int
        Digits of the result.
    step : int
        The most elements of a call.
    is_rigorous : bool
        Whether a ball contains the true value. Otherwise two evaluations must agree to 30 digits.
    """
    doubts, balls_of = exact_modules()[0].doubts, exact_modules()[2].balls_of
    right_bits = bits(digits) if is_rigorous else _AGREEMENT_BITS
    first = digits + _SPARE_DIGITS if is_rigorous else digits
    known = np.empty(0, object)
    # By the digits with which they are computed next.
    waiting = {first: np.arange(count)}
    while waiting:
        n_digits = min(waiting)
        which, before = waiting.pop(n_digits), doubts.count
        # Conversions to and from floats may raise flags, which do not matter here.
        with np.errstate(all="ignore"):
            parts = [
                balls_of(estimate(n_digits, which[i : i + step]))
                for i in range(0, max(1, len(which)), step)
            ]
        found = np.concatenate(parts)
        is_narrow, is_unknown, may_be_zero = _classify_balls(found, right_bits)
        if n_digits == first:
            known, is_agreed = found, np.zeros(found.shape, bool)
        else:
            is_agreed = _agree_but_for_rounding(known[which], found)
            known[which] = found
        is_chosen = doubts.count != before
        if is_rigorous and not is_chosen:
            is_settled = is_narrow | (is_unknown & is_agreed)
        else:
            is_settled = (is_narrow | is_unknown) & is_agreed
        is_pending = ~_hold_for_all_results(is_settled)
        is_dark = is_chosen | ~_hold_for_all_results(~(is_unknown | may_be_zero))
        _add_waiting(waiting, 2 * n_digits, which[is_pending & ~is_dark])
        _add_waiting(waiting, max(2 * n_digits, DOUBTFUL_DIGITS), which[is_pending & is_dark])
    return round_middles(known, digits)


def _add_waiting(waiting: dict[int, NDArray], digits: int, which: NDArray) -> None:
    if which.size and digits <= MAX_DIGITS:
        waiting[digits] = np.union1d(waiting.get(digits, which), which)


def _hold_for_all_results(x: NDArray) -> NDArray:
    """Tell of each element along the first axis whether all of its results are so."""
    return np.asarray(x.all(axis=tuple(range(1, x.ndim))))


def _classify_balls(x: NDArray, right_bits: int) -> tuple[NDArray, NDArray, NDArray]:
    """Tell which balls are narrow, which are NaN or unknown, and which may be 0."""
    functions = exact_modules()[0]
    is_narrow = np.asarray(_accuracy(x) >= right_bits, bool)
    is_unknown, may_be_zero = np.zeros((2, *x.shape), bool)
    for place in zip(*np.nonzero(~is_narrow), strict=True):
        ball = x[place]
        is_narrow[place] = is_negligible(ball) or functions.is_infinite(ball)
        is_unknown[place] = functions.is_nan(ball)
        may_be_zero[place] = ball.contains(0)
    return is_narrow, is_unknown, may_be_zero


def is_negligible(x: Any) -> bool:
    """Tell whether a ball is 0 in every float format."""
    return bool(abs(x) < type(x)((1, NEGLIGIBLE_EXPONENT)))


def _agree_but_for_rounding(a: NDArray, b: NDArray) -> NDArray:
    """Tell where two balls are the same number, but for rounding."""
    functions = exact_modules()[0]
    part = type(functions.ONE)((1, -_AGREEMENT_BITS))

    def agree(a: Any, b: Any) -> bool:
        if not (a.is_finite() and b.is_finite()):
            is_known = functions.is_infinite(a) or functions.is_infinite(b)
            return bool(a.mid() == b.mid()) if is_known else not (a.is_finite() or b.is_finite())
        if is_negligible(b):
            return is_negligible(a) or bool(a.contains(0))
        return bool(abs(a.mid() - b.mid()) <= abs(b.mid()) * part)

    return np.asarray(np.frompyfunc(agree, 2, 1)(a, b), bool)


def round_middles(x: Array, digits: int) -> Array:
    """Return the midpoints of balls as exact numbers with so many digits; unknown ones are NaN."""
    functions, numbers, arrays = exact_modules()
    n_bits = bits(digits)

    def middle(ball: Any) -> Any:
        if ball.is_finite():
            ball = (+ball.mid()).mid()
        elif not functions.is_infinite(ball):
            ball = functions.NAN
        else:
            ball = ball.mid()
        return numbers.Number(ball, n_bits)

    with functions.precision(n_bits):
        return np.asarray(np.frompyfunc(middle, 1, 1)(arrays.balls_of(x)), object)

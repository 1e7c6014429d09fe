"""Exact values of a body, with as many digits as they need.

::

    evaluate(body, *arrays, digits=60, rows=False) -> exact array

A textbook formula may cancel: log(cosh(1e-200)) needs more than 400 digits. So every element
is computed at least twice: with 60 digits, rounded away from zero, and with 120, rounded
towards zero. If the two differ by more than 1e-30 of the result, the digits are doubled
again, up to 1,920. Alternating roundings show lost digits: 1 + 1e-200 is more than 1 in one
and exactly 1 in the other.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from lossfw.numerics.arrays import Array, Body
from lossfw.numerics.exact.namespace import DIGITS, bits, namespace, number_module

# Two evaluations agree if so many digits of the result are equal.
AGREEMENT_DIGITS = 30
_AGREEMENT_BITS = bits(AGREEMENT_DIGITS)

# Bits of a difference that is looked at for its size.
_COARSE_BITS = 53

# Results below 2 to this power are 0 in every float format (float64 ends at 2**-1074), so
# their digits do not matter.
NEGLIGIBLE_EXPONENT = -1200

# The most digits.
MAX_DIGITS = 2000

# A result of exactly 0, infinity or NaN may be due to lost digits: log(exp(-300) + exp(-700))
# + 300 is 0 with 60 digits and with 120, in both roundings. It is accepted if it stays the
# same with so many digits: float64 ends at 1e-324, and sums with terms up to 1e150 keep their
# digits.
DOUBTFUL_DIGITS = 500

# The most exact numbers in one call of a body: 2**18 of them and the temporaries of a body
# take some 100 MB.
_CALL_SIZE = 2**18


def levels(digits: int = DIGITS) -> Iterator[tuple[int, str]]:
    """Yield the digits and the rounding of each evaluation: 60 up, 120 down, 240 up ..."""
    rounding = "u"
    while digits <= max(MAX_DIGITS, 2 * DIGITS):
        yield digits, rounding
        digits, rounding = 2 * digits, "d" if rounding == "u" else "u"


def evaluate(body: Body, *arrays: Any, digits: int = DIGITS, rows: bool = False) -> Array:
    """Return the exact value of a body, of an elementwise one in the arrays' common shape.

    Parameters
    ----------
    body : callable
        ``body(xp, *arrays)``. It is called with exact arrays of one axis (two for
        rows), and again with the elements that need more digits.
    *arrays : array_like
        Numbers become exact without rounding. Truth values stay as they are, and so do
        class indices: integers without the last axis of rows.
    digits : int
        Digits of the first evaluation, and of the result.
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

    def estimate(level: tuple[int, str], which: Array) -> Array:
        return run(body, level, [x[which] for x in flat])

    result = refine(estimate, math.prod(lead), digits, chunk(flat))
    return result.reshape((*lead, *result.shape[1:]))


def run(body: Body, level: tuple[int, str], arrays: Sequence[Array]) -> Array:
    """Return the results of a body on exact numbers of so many digits and a rounding.

    The arrays have elements or rows along the first axis. Class indices and truth values stay as
    they are.
    """
    number_module()
    from lossfw.numerics.exact.values import run

    return run(body, level, arrays)


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


def chunk(flat: list[Array]) -> int:
    """Return the most elements or rows of a call."""
    width: int = max(math.prod(x.shape[1:]) for x in flat)
    return max(1, _CALL_SIZE // max(1, width))


def refine(
    estimate: Callable[[tuple[int, str], Array], Array], count: int, digits: int, step: int
) -> Array:
    """Double the digits of an estimate until two consecutive ones agree.

    ``estimate(level, numbers)`` returns exact numbers for some elements, along the first axis.
    The first level, and the result, have so many `digits`; a call has at most `step` elements.
    """
    if not count:
        return estimate((digits, "n"), np.arange(count))
    # Exact numbers make no cycles, and Python's collector would look at all that are alive again
    # and again: more than half of the time would be its own.
    was_on = gc.isenabled()
    gc.disable()
    try:
        return _refined(estimate, count, digits, step)
    finally:
        if was_on:
            gc.enable()


def _refined(
    estimate: Callable[[tuple[int, str], Array], Array], count: int, digits: int, step: int
) -> Array:
    known: Array | None = None
    pending = np.arange(count)
    for level in levels(digits):
        # Conversions to and from floats may raise flags, which do not matter here.
        with np.errstate(all="ignore"):
            parts = [estimate(level, pending[i : i + step]) for i in range(0, len(pending), step)]
            estimates = np.concatenate(parts)
        if known is None:
            known = estimates
            continue
        settled = agree(known[pending], estimates)
        doubtful = np.flatnonzero(settled & _special(estimates))
        if level[0] < DOUBTFUL_DIGITS and doubtful.size:
            again = estimate((DOUBTFUL_DIGITS, level[1]), pending[doubtful])
            settled[doubtful] = agree(estimates[doubtful], again)
        known[pending] = estimates
        pending = pending[~settled]
        if not pending.size:
            break
    return namespace(digits).exact(rounded(known, digits))


def agree(a: Array, b: Array) -> Array:
    """Return for each element along the first axis whether two estimates agree."""
    coarse = number_module().number_type(_COARSE_BITS)
    same = np.frompyfunc(lambda x, y: _agree(x, y, coarse), 2, 1)(a, b)
    return np.asarray(same, bool).reshape(len(a), -1).all(axis=1)


def _special(x: Array) -> Array:
    """Return for each element along the first axis whether it has a 0, infinity or NaN."""
    special = np.frompyfunc(lambda v: not v.is_regular, 1, 1)(x)
    return np.asarray(special, bool).reshape(len(x), -1).any(axis=1)


def _agree(a: Any, b: Any, coarse: Any) -> bool:
    # Comparing the values is a matter of nanoseconds.
    if a.value == b.value or (a.is_nan and b.is_nan):
        return True
    if not a.is_regular or not b.is_regular:
        # Zero, infinite or NaN, and unequal: both must be negligible.
        return _negligible(a) and _negligible(b)
    exponent = b.exponent
    if exponent < NEGLIGIBLE_EXPONENT and a.exponent < NEGLIGIBLE_EXPONENT:
        return True
    return bool((coarse(a.value) - b).exponent < exponent - _AGREEMENT_BITS)


def _negligible(x: Any) -> bool:
    return bool(x.exponent < NEGLIGIBLE_EXPONENT if x.is_regular else x == 0)


def rounded(x: Array, digits: int) -> Array:
    """Return exact numbers rounded to the nearest of so many digits."""
    number = namespace(digits).number
    return np.frompyfunc(lambda v: +number(v.value), 1, 1)(x)

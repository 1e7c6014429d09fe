"""Guards: ways to keep -log(p) finite at p = 0, and their costs.

============ ============================= =====================================
guard        -log p becomes                at 0, and at 1
============ ============================= =====================================
normalised   -log((p + d) / (1 + d))       log1p(1/d), and exactly 0
additive     -log(p + d)                   -log(d), and -log1p(d), which is < 0
floor        -log(max(p, d))               -log(d), and 0; no gradient below d
none         -log(p)                       +inf, and 0
============ ============================= =====================================

``d`` is called `delta`. The functions below run on any array namespace; float32 is computed in
float64, because NumPy's float32 logarithm has errors of more than 3 ULP. A caller that knows the
distance to 1 more accurately than ``1 - p``, as for the probability of a complement, passes it as
`rest`, and near 1 the logarithm uses it.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from lossfw.numerics.arrays import Array, Namespace
from lossfw.numerics.error_free import two_diff
from lossfw.numerics.primitive import computed_in_float64, with_float32_form
from lossfw.numerics.selection import select

Guard: TypeAlias = Literal["normalised", "additive", "floor", "none"]
Delta: TypeAlias = Annotated[float, Field(gt=0, lt=1)]

# The chapter's constant: the smallest power of ten that changes 1 in float32.
DEFAULT_DELTA = 1e-7

# Above this a logarithm is taken as log1p of the distance to 1, which keeps the
# digits of a small loss; below, as a logarithm. 1 - p is exact above it.
_NEAR_ONE = 0.5


def _float64_log(
    xp: Namespace, p: Array, guard: Guard, delta: float, rest: Array | None = None
) -> Array:
    """Return `guarded_log` in float64 that was float32."""
    if guard != "normalised" or rest is not None:
        return _guarded_log(xp, p, guard, delta, rest)
    return xp.log((p + delta) / (1.0 + delta))


@with_float32_form(_float64_log)
def guarded_log(
    xp: Namespace, p: Array, guard: Guard, delta: float, rest: Array | None = None
) -> Array:
    """Return log p with a guard, in the stable form.

    Parameters
    ----------
    xp : namespace
        Array namespace of `p`.
    p : array
        Probabilities in [0, 1].
    guard : {"normalised", "additive", "floor", "none"}
        See the table of the module.
    delta : float
        The guard's constant; ``"none"`` ignores it.
    rest : array, optional
        1 - p, if it is known more accurately than from `p`.

    Returns
    -------
    array
        In the shape of `p`; NaN where `p` is NaN.

    Examples
    --------
    >>> import numpy as np
    >>> guarded_log(np, np.array([0.0, 1.0]), "normalised", 1e-7).tolist()
    [-16.118095750958314, 0.0]
    """
    return _guarded_log(xp, p, guard, delta, rest)


def _guarded_log(xp: Namespace, p: Array, guard: Guard, delta: float, rest: Array | None) -> Array:
    if rest is not None or guard == "additive":
        rest = 1.0 - p if rest is None else xp.astype(rest, p.dtype)
        return _log_by_rest(xp, p, guard, delta, rest)
    if guard == "normalised":
        # The logarithm of a rounded quotient, and what the rounding took off it. Each of the
        # differences is exact where the logarithm is small.
        total = p + delta
        share = total / (1.0 + delta)
        return xp.log(share) + ((p - share) + delta * (1.0 - share)) / total
    log = xp.log(p)
    # NaN < delta is false, so NaN stays.
    return log if guard == "none" else xp.where(p < delta, math.log(delta), log)


def _log_by_rest(xp: Namespace, p: Array, guard: Guard, delta: float, rest: Array) -> Array:
    """Return `guarded_log`, near 1 by the distance to 1."""
    if guard in ("none", "floor"):
        log = _log_near_one(xp, p, -rest, p >= _NEAR_ONE)
        return log if guard == "none" else xp.where(p < delta, math.log(delta), log)
    if guard == "additive":
        total, lost = two_diff(xp, p, -delta)
        # A large delta may bring the sum close to 1 although p is small.
        excess = xp.where(p >= _NEAR_ONE, delta - rest, (total - 1.0) + lost)
        return _log_near_one(xp, total, excess, total >= _NEAR_ONE)
    # (p + d) / (1 + d) - 1 = -(1 - p) / (1 + d)
    excess = rest / -(1.0 + delta)
    return _log_near_one(xp, p + delta, excess, excess >= -_NEAR_ONE, math.log1p(delta))


def _log_near_one(
    xp: Namespace, p: Array, excess: Array, is_near_one: Array, shift: float = 0.0
) -> Array:
    """Return log1p(excess) where p is near 1, and log(p) - shift, which equals it, elsewhere."""
    # + 0.0 turns -0.0 into 0.0.
    return select(xp, is_near_one, xp.log1p(excess), xp.log(p) - shift) + 0.0


def textbook_log(xp: Namespace, p: Array, guard: Guard, delta: float) -> Array:
    """Return log p with a guard, by the formula in the table of the module.

    Examples
    --------
    >>> import numpy as np
    >>> textbook_log(np, np.array([0.0, 0.5]), "additive", 1e-7)
    array([-16.11809565,  -0.69314698])
    """
    if guard == "additive":
        return xp.log(p + delta)
    if guard == "floor":
        return xp.log(xp.maximum(p, delta * xp.ones_like(p)))
    if guard == "normalised":
        return xp.log((p + delta) / (1 + delta * xp.ones_like(p)))
    return xp.log(p)


@computed_in_float64
def guarded_log_derivative(xp: Namespace, p: Array, guard: Guard, delta: float) -> Array:
    """Return the derivative of `guarded_log`: 1/p with the guard in it.

    That of the floor is 0 below `delta`, and at `delta` the limit from above.

    Examples
    --------
    >>> import numpy as np
    >>> guarded_log_derivative(np, np.array([0.0, 0.5]), "floor", 1e-7)
    array([0., 2.])
    """
    if guard == "none":
        return 1.0 / p
    if guard == "floor":
        # NaN < delta is false, so NaN stays.
        below = p < delta
        return xp.where(below, 0.0 * xp.ones_like(p), 1.0 / xp.where(below, xp.ones_like(p), p))
    return 1.0 / (p + delta)


@computed_in_float64
def guarded_log_second_derivative(xp: Namespace, p: Array, guard: Guard, delta: float) -> Array:
    """Return the second derivative of `guarded_log`."""
    derivative = guarded_log_derivative(xp, p, guard, delta)
    return -(derivative * derivative)

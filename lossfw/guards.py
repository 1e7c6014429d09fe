"""Guards: what keeps -log(p) finite at p = 0, and what it costs.

============ ============================= =====================================
guard        -log p becomes                at 0, and at 1
============ ============================= =====================================
normalised   -log((p + d) / (1 + d))       log1p(1/d), and exactly 0
additive     -log(p + d)                   -log(d), and -log1p(d), which is < 0
floor        -log(max(p, d))               -log(d), and 0; no gradient below d
none         -log(p)                       +inf, and 0
============ ============================= =====================================

``d`` is called `delta`. The functions below run on any array namespace.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from lossfw.numbers.arrays import Array, Namespace

Guard: TypeAlias = Literal["normalised", "additive", "floor", "none"]
Delta: TypeAlias = Annotated[float, Field(gt=0, lt=1)]

# The chapter's constant: the smallest power of ten that changes 1 in float32.
DEFAULT_DELTA = 1e-7

# Above this probability log((p + d) / (1 + d)) is taken as log1p of its
# distance from 1, which keeps the digits of a small loss; below, as a logarithm.
_NEAR_ONE = 0.5


def guarded_log(xp: Namespace, p: Array, guard: Guard, delta: float) -> Array:
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
    if guard == "none":
        return _log(xp, p, p - 1.0, 0.0)
    if guard == "floor":
        # A maximum passes NaN on.
        floored = xp.maximum(p, delta * xp.ones_like(p))
        return _log(xp, floored, floored - 1.0, 0.0)
    if guard == "additive":
        return _log(xp, p + delta, (p - 1.0) + delta, 0.0)
    # (p + d) / (1 + d) - 1 = (p - 1) / (1 + d)
    return _log(xp, p + delta, (p - 1.0) / (1.0 + delta), math.log1p(delta))


def _log(xp: Namespace, p: Array, below_one: Array, shift: float) -> Array:
    """Return log(p) - shift near 0, and log1p(below_one), which equals it, near 1."""
    near_one = p > _NEAR_ONE
    ones = xp.ones_like(p)
    far = xp.log(xp.where(near_one, ones, p)) - shift
    near = xp.log1p(xp.where(near_one, below_one, 0.0 * ones))
    return xp.where(near_one, near, far)


def textbook_log(xp: Namespace, p: Array, guard: Guard, delta: float) -> Array:
    """Return log p with a guard, as the table of the module writes it."""
    if guard == "additive":
        return xp.log(p + delta)
    if guard == "floor":
        return xp.log(xp.maximum(p, delta * xp.ones_like(p)))
    if guard == "normalised":
        return xp.log((p + delta) / (1 + delta * xp.ones_like(p)))
    return xp.log(p)


def guarded_log_derivative(xp: Namespace, p: Array, guard: Guard, delta: float) -> Array:
    """Return the derivative of `guarded_log`: 1/p with the guard in it.

    The floor's is 0 below `delta`, and at `delta` itself the one from above.
    """
    if guard == "none":
        return 1.0 / p
    if guard == "floor":
        # NaN < delta is false, so NaN stays.
        below = p < delta
        return xp.where(below, 0.0 * xp.ones_like(p), 1.0 / xp.where(below, xp.ones_like(p), p))
    return 1.0 / (p + delta)


def guarded_log_second_derivative(xp: Namespace, p: Array, guard: Guard, delta: float) -> Array:
    """Return the second derivative of `guarded_log`."""
    slope = guarded_log_derivative(xp, p, guard, delta)
    return -(slope * slope)

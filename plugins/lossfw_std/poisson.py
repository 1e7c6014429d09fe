"""Half the deviance of Poisson's distribution, y - t + t log(t / y)."""

from __future__ import annotations

from lossfw import Array, Namespace
from lossfw.numerics import select
from lossfw_std.deviance import linear_minus_log


def half_deviance(xp: Namespace, y: Array, t: Array) -> Array:
    """Return t (u - 1 - log(u)) with u = y / t, and y for a target of 0."""
    return select(xp, t > 0.0, t * linear_minus_log(xp, y / t), y)

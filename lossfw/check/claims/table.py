"""The attacks on claims by name: one for each, with its own search for the worst case."""

from __future__ import annotations

from lossfw.check.claims import (
    bounds,
    convexity,
    invariance,
    linearity,
    properness,
    slopes,
    smoothness,
)
from lossfw.check.core.session import Check

CHECKS: dict[str, Check] = {
    **bounds.CHECKS,
    **convexity.CHECKS,
    **slopes.CHECKS,
    **invariance.CHECKS,
    **linearity.CHECKS,
    **smoothness.CHECKS,
    **properness.CHECKS,
}

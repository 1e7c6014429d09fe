"""The attacks on claims by name: one for each, with its own search for the worst case."""

from __future__ import annotations

from lossfw.check.claims import bounds, breaks, convexity, decisions, invariance, linearity, slopes
from lossfw.check.search import Check

CHECKS: dict[str, Check] = {
    **bounds.CHECKS,
    **convexity.CHECKS,
    **slopes.CHECKS,
    **invariance.CHECKS,
    **linearity.CHECKS,
    **breaks.CHECKS,
    **decisions.CHECKS,
}

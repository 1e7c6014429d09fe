"""The interval of one number with its units, or why it has none."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from lossfw.evaluation.intervals.left_out import LEAST_FREEDOM, LEAST_UNITS
from lossfw.evaluation.intervals.units import Units


class EstimatedInterval(NamedTuple):
    """An interval, and its units.

    Attributes
    ----------
    interval : list or None
        Two floats in place of each float of the number; None without an interval.
    why : str
        Why there is none: too few units; empty if nothing varies.
    units : int
        The number of units.
    freedom : float
        The degrees of freedom of their spread.
    together : bool
        Whether units were merged because there are very many.
    alike : float
        The correlation of neighbouring blocks of time.
    memories : float
        The length of a series of time blocks in units of its memory.
    """

    interval: Any = None
    why: str = ""
    units: int = 0
    freedom: float = 0.0
    together: bool = False
    alike: float = 0.0
    memories: float = math.inf

    def to_dict(self) -> dict[str, Any]:
        """Return interval and reason for the mapping of a value."""
        why = {"why": self.why} if self.why else {}
        return {"interval": self.interval, **why}


def too_few_reason(units: Units, count: int, freedom: float) -> str:
    """Return why a number of units has no interval; empty if it has one.

    Examples
    --------
    >>> units = Units("column", "patient")
    >>> too_few_reason(units, 4, 3.0), too_few_reason(units, 40, 1.4)
    ('too few patients (4)', 'too few patients (as good as 2 equal ones)')
    >>> too_few_reason(Units(), 40, 39.0)
    ''
    """
    if count < LEAST_UNITS:
        return f"too few {units.noun(2)} ({count})"
    if freedom < LEAST_FREEDOM:
        return f"too few {units.noun(2)} (as good as {freedom + 1:.0f} equal ones)"
    return ""

"""What is found of one number: its interval, what that is of, or why there is none."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from lossfw.evaluation.intervals.left_out import LEAST_FREEDOM, LEAST_UNITS
from lossfw.evaluation.intervals.units import Units


class Found(NamedTuple):
    """An interval, and what it is of.

    Attributes
    ----------
    interval : list or None
        Two floats in place of each float of the number; None where there is no interval.
    why : str
        Why there is none: too few units; empty where nothing varies, too.
    units : int
        How many units there are.
    freedom : float
        The degrees of freedom of their spread.
    together : bool
        Whether some units were put together, because there are very many.
    alike : float
        The correlation of neighbouring blocks of time.
    memories : float
        How many times its memory a series lasts that is in blocks of time.
    """

    interval: Any = None
    why: str = ""
    units: int = 0
    freedom: float = 0.0
    together: bool = False
    alike: float = 0.0
    memories: float = math.inf

    def to_dict(self) -> dict[str, Any]:
        """Return interval and reason as they stand beside a value."""
        why = {"why": self.why} if self.why else {}
        return {"interval": self.interval, **why}


def too_few(units: Units, count: int, freedom: float) -> str:
    """Return why so many units have no interval; empty if they have one.

    Examples
    --------
    >>> too_few(Units("column", "patient"), 4, 3.0), too_few(Units("column", "patient"), 40, 1.4)
    ('too few patients (4)', 'too few patients (as good as 2 equal ones)')
    >>> too_few(Units(), 40, 39.0)
    ''
    """
    if count < LEAST_UNITS:
        return f"too few {units.noun(2)} ({count})"
    if freedom < LEAST_FREEDOM:
        return f"too few {units.noun(2)} (as good as {freedom + 1:.0f} equal ones)"
    return ""

"""Grades: how grave a finding is, to decide whether the loss must be fixed.

A finding of grade ``"wrong"`` is a failure, others are notes. A check of results grades its
findings by the size of the error (`lossfw.check.core.gravity`); a claim or a law is either broken
or not.
"""

from __future__ import annotations

from collections.abc import Mapping

from lossfw.check.core.points import Points, is_promised
from lossfw.check.core.search import Grade
from lossfw.check.core.subject import Subject
from lossfw.components.ranges import PROMISED
from lossfw.metrics import Metric
from lossfw.models import Model
from lossfw.numerics.arrays import NDArray

# The words of each grade, the gravest first.
GRADES: dict[Grade, str] = {
    "wrong": "wrong",
    "digits": "loses digits",
    "extreme": "only at extremes",
    "convention": "convention",
}

NOTES: tuple[Grade, ...] = ("digits", "extreme")

# A component is asked to keep them. Another library is free to broadcast, to take another
# dtype, to write -0.0, and to refuse or take what lies outside of a space.
_CONVENTIONS = ("shape:broadcast", "dtype", "value:negative_zero", "domain")

# These laws call with ordinary groups, and add rows that a loss may name at infinity.
_OF_GROUPS = "group:"


def is_convention(check: str) -> bool:
    """Tell whether a check is about a convention, which other libraries need not share."""
    return check.startswith(_CONVENTIONS)


def grade_of(
    check: str, subject: object, inputs: Mapping[str, NDArray], found: Grade | None = None
) -> Grade:
    """Return the grade of a claim or a law that is broken at some inputs.

    A check of results has already `found` its grade.
    """
    if is_convention(check) and not (found == "digits" and _is_component(subject)):
        return "convention"
    return found or ("wrong" if _are_promised(check, subject, inputs) else "extreme")


def _is_component(subject: object) -> bool:
    """Tell whether a subject is a component, and not a function of another library."""
    return not isinstance(subject, Subject) or subject.component is not None


def _are_promised(check: str, subject: object, inputs: Mapping[str, NDArray]) -> bool:
    """Tell whether a promise has to hold at inputs; an error, which comes without any, breaks it.

    A claim, such as convexity, is broken by several points together, and a law of the call by any
    one of those that it was called with.
    """
    if isinstance(subject, Model | Metric) or check.startswith(_OF_GROUPS):
        # Its inputs are as far out as those of data.
        return True
    if not isinstance(subject, Subject):
        # The argument of an activation is a real number, or a row of them.
        return all(PROMISED.contains(x).all() for x in inputs.values() if x.dtype.kind in "fiu")
    y, t = inputs.get("y"), inputs.get("t")
    if y is not None and t is not None and not subject.rows:
        y, t = y.ravel(), t.ravel()
    if y is None or t is None or y.ndim != 1 + subject.rows or len(y) != len(t) or not y.size:
        return True
    found = is_promised(subject, Points(y, t))
    return bool(found.all() if check.startswith(("claim", "denied")) else found.any())

"""Grades: how grave a finding is, for one who has to decide whether to mend the loss.

A grade depends on the numbers at which a promise is broken and on the size of the error, and not
only on the check: a value that is another one at 5e-324 trains as well as a right one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import numpy as np

from lossfw.check.core.points import Points
from lossfw.check.core.region import Region, of_numbers, region
from lossfw.check.core.subject import Subject
from lossfw.components.spaces import REAL
from lossfw.metrics import Metric
from lossfw.models import Model
from lossfw.numerics.arrays import NDArray

Grade: TypeAlias = Literal["wrong", "digits", "extreme", "convention"]

# The words of each grade, the gravest first.
GRADES: dict[Grade, str] = {
    "wrong": "wrong in ordinary numbers",
    "digits": "loses digits",
    "extreme": "only at extremes",
    "convention": "convention",
}

# A component is asked to keep them. Another library is free to broadcast, to take another
# dtype, to write -0.0, and to refuse or take what lies outside of a space.
_CONVENTIONS = ("shape:broadcast", "dtype", "value:negative_zero", "domain", "arrays:refusals")


def is_convention(check: str) -> bool:
    """Tell whether a check is about a convention, which other libraries need not share."""
    return check.startswith(_CONVENTIONS)


# The checks of which a finite result at far numbers is wrong as it is at ordinary ones.
_RESULTS = frozenset({"value", "gradient", "hessian", "classes"})


def grade_of(
    check: str,
    subject: object,
    inputs: Mapping[str, NDArray],
    *,
    loses_digits: bool = False,
    is_finite: bool = False,
) -> Grade:
    """Return the grade of what a check finds at some inputs.

    With `loses_digits` the result is right to some of its digits; with `is_finite` it is known to
    be finite.
    """
    if is_convention(check):
        return "convention"
    farthest = Region.FAR if is_finite and check in _RESULTS else Region.ORDINARY
    if _worst_region(check, subject, inputs) > farthest:
        return "extreme"
    return "digits" if loses_digits or check.startswith("precision") else "wrong"


def _worst_region(check: str, subject: object, inputs: Mapping[str, NDArray]) -> Region:
    """Return the region of the inputs; an error, which comes without them, is an ordinary one.

    A claim, such as convexity, is broken by several points together, and a law of the call by any
    one of those that it was called with.
    """
    if isinstance(subject, Model | Metric):
        # Its inputs are as far out as those of data.
        return Region.ORDINARY
    if not isinstance(subject, Subject):
        # The argument of an activation is a real number, or a row of them.
        numbers = [np.ravel(x) for x in inputs.values() if x.dtype.kind in "fiu"]
        return Region(int(of_numbers(REAL, np.concatenate([[0.0], *numbers])).max()))
    y, t = inputs.get("y"), inputs.get("t")
    if y is not None and t is not None and not subject.rows:
        y, t = y.ravel(), t.ravel()
    if y is None or t is None or y.ndim != 1 + subject.rows or len(y) != len(t) or not y.size:
        return Region.ORDINARY
    found = region(subject, Points(y, t))
    return Region(int(found.max() if check.startswith(("claim", "denied")) else found.min()))

"""A check of a class that is excluded by a logit of minus infinity.

Masks of attention and actions set such logits. In ``t (log sum exp(y) - y)`` the class of target 0
contributes 0 times infinity, which is NaN. No range promises infinities, so this is a note.
"""

from __future__ import annotations

import numpy as np

from lossfw.check.core.points import Points, any_in_row, drop_masked, first_bad
from lossfw.check.core.search import (
    Counterexample,
    NotApplicable,
    Search,
    check,
    format_number,
    ordinary_points,
    outputs,
)
from lossfw.check.core.subject import Subject
from lossfw.components.spaces import CLASS_INDEX, LOGITS
from lossfw.numerics.arrays import NDArray

# Logits so far below ordinary ones that a class with them has the probability 0 in float64.
_FAR, _FARTHER = -1e4, -1e6

# A result that is the same at both, up to rounding, has its limit there.
_ROUNDING = 1e-12


@check("value:excluded")
def check_excluded_class(subject: Subject, search: Search) -> None:
    """With a logit of minus infinity in a class of target 0, the result is the limit."""
    if subject.prediction is not LOGITS or not subject.rows or subject.kind == "group":
        raise NotApplicable("predictions are not rows of logits")
    points = _excluded_rows(subject, ordinary_points(subject, search, "value:excluded"))
    if not len(points):
        raise NotApplicable("no class has a target of 0")
    for function in outputs(subject):
        far, limit = (
            function(_replace_logit(points, logit), points.t) for logit in (_FAR, _FARTHER)
        )
        has_limit = np.abs(far - limit) <= _ROUNDING * (1 + np.abs(limit))
        found = function(points.y, points.t)
        off = np.abs(found - limit) > _ROUNDING * (1 + np.abs(limit))
        # NaN is not near anything.
        bad = any_in_row((off | np.isnan(found)) & has_limit)
        if bad.any():
            one = first_bad(bad)
            returned, expected = format_number(found[one]), format_number(limit[one])
            raise Counterexample.at_point(
                points,
                one,
                f"the {function} at a logit of -inf, whose target is 0, is {returned}; expected "
                f"{expected}, as at a logit of {_FARTHER:g}. `multiply_or_zero` of lossfw.numerics "
                "takes 0 times infinity for 0.",
                f"{function}(y, t)",
            ).with_grade("extreme")


def _excluded_rows(subject: Subject, points: Points) -> Points:
    """Return the rows that have a target of 0, one such class with a logit of minus infinity."""
    classes = np.arange(points.y.shape[-1])
    is_index = subject.space_of_targets(points.t) is CLASS_INDEX
    zero = points.t[:, None] != classes if is_index else points.t == 0
    y = points.y.copy()
    y[np.arange(len(y)), zero.argmax(-1)] = -np.inf
    return drop_masked(subject, Points(y, points.t).take(np.flatnonzero(zero.any(-1))))


def _replace_logit(points: Points, logit: float) -> NDArray:
    return np.where(np.isinf(points.y), logit, points.y)

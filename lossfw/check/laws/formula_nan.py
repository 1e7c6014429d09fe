"""A formula that is NaN is nothing to compare with."""

from __future__ import annotations

import numpy as np

from lossfw.check.core.session import NotApplicable, Search, check
from lossfw.check.core.subject import Subject, call
from lossfw.check.laws.legal_nan import refuse_nan, usual_points
from lossfw.numerics.exact.ulp import to_float


@check("nan:formula")
def check_formula(subject: Subject, search: Search) -> None:
    """The formula is a number at legal, finite arguments: a NaN is nothing to compare with."""
    if subject.component is None:
        raise NotApplicable("the formula is not the function's own")
    for points in search.points(subject, "float64"):
        some = usual_points(subject, points)
        # Where the value is NaN too, `nan:legal` tells it, and the two are one slip.
        some = some.keep(~np.isnan(call(subject.value, some.y, some.t)))
        if len(some):
            search.count(len(some))
            refuse_nan(some, to_float(subject.exact.values(some.y, some.t)), "formula", subject)

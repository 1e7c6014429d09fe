"""Check of half precision: a result that fits is right, whatever is used on the way to it."""

from __future__ import annotations

import numpy as np

from lossfw.check.points import Points, is_inside, simplest
from lossfw.check.search import Refuted, Search, result_of
from lossfw.check.subject import Subject

# A result is right to this many units of half precision.
_HALF_ULPS = 2.0


def check_half_precision(subject: Subject, search: Search) -> int:
    """In float16 a result that fits is right to float16."""
    tried = 0
    limit = float(np.finfo(np.float16).max)
    for points in search.points(subject, "float16"):
        some = points.keep(np.isfinite(points.y))
        some = some.keep(np.isfinite(some.t))
        # Half precision's rows sum to 1 less exactly than wider ones may.
        real = some.t.dtype.kind == "f"
        real_t = some.t.astype(np.float64) if real else some.t
        some = some.take(is_inside(subject, Points(some.y.astype(np.float64), real_t)))
        if not len(some):
            continue
        wide = some.t.astype(np.float64) if some.t.dtype.kind == "f" else some.t
        exact = np.asarray(result_of(subject.value, "value", some.y.astype(np.float64), wide))
        single = some.t.astype(np.float32) if some.t.dtype.kind == "f" else some.t
        rough = np.asarray(result_of(subject.value, "value", some.y.astype(np.float32), single))
        got = np.asarray(result_of(subject.value, "value", some.y, some.t)).astype(np.float64)
        with np.errstate(all="ignore"):
            fits = np.isfinite(exact) & (np.abs(exact) <= limit) & np.isfinite(rough)
            step = np.maximum(np.abs(exact) * 2.0**-10, 2.0**-24)
            # What float32 itself loses is no fault of half precision.
            allowed = _HALF_ULPS * step + 2 * np.abs(rough.astype(np.float64) - exact)
            bad = fits & ~(np.abs(got - exact) <= allowed)
        tried += int(fits.sum())
        if bad.any():
            worst = simplest(some, bad)
            raise Refuted(
                f"in float16 the value is {got[worst]:.6g}, and in float64, for the same numbers, "
                f"{exact[worst]:.6g}, which fits float16.",
                y=some.y[worst : worst + 1],
                t=some.t[worst : worst + 1],
            )
    return tried

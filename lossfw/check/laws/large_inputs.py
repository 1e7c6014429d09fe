"""Checks of size: many elements have the results that each has among few.

A path for large arrays, a block that ends early or a row number that overflows
makes results wrong. This is told twice, as a wrong result and as a dependence
on companions, for it is both.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from lossfw.check.core.plain_points import DTYPES, alike, cast
from lossfw.check.core.points import Points
from lossfw.check.core.session import (
    Check,
    NotApplicable,
    Output,
    Refuted,
    Search,
    ordinary,
    outputs,
)
from lossfw.check.core.subject import Subject
from lossfw.numerics.arrays import NDArray

# Numbers of elements: few, of which one may be the number of columns, and beside and at
# powers of two and round numbers, up to more than two bytes count. The largest is left
# out where there are few examples, and the narrow precisions are tried with one.
SIZES = (2, 3, 4, 5, 7, 8, 16, 33, 64, 65, 100, 257, 1003, 1024, 5003, 8192)
LARGEST, ENOUGH = 100_003, 100
_NARROW = 1003


def sizes(search: Search) -> tuple[int, ...]:
    """Return the numbers of elements to try."""
    return (*SIZES, LARGEST) if search.examples >= ENOUGH else SIZES


def _found(subject: Subject, search: Search) -> dict[str, Refuted]:
    """Return for each function the smallest size at which it fails; computed once."""

    def looked_for() -> dict[str, Refuted]:
        points = _largest_last(subject, ordinary(subject, search, "sizes"))
        found = {}
        for function in outputs(subject):
            refuted = _smallest(subject, search, function, points)
            if refuted is not None:
                found[function.name] = refuted
        return found

    return search.once("sizes", looked_for)


def _largest_last(subject: Subject, points: Points) -> Points:
    """Return the points with the largest loss last: among many it is an outlier."""
    losses = outputs(subject)[0](points.y, points.t)
    if losses.shape != points.y.shape[:1]:
        return points
    return points.take(np.argsort(np.abs(losses), kind="stable"))


def _smallest(subject: Subject, search: Search, function: Output, points: Points) -> Refuted | None:
    tried = [(dtype, size) for dtype in DTYPES[1:] for size in (_NARROW,)]
    tried += [(DTYPES[0], size) for size in sizes(search)]
    known: dict[str, NDArray] = {}
    for dtype, size in sorted(tried, key=lambda one: one[1]):
        few = cast(subject, points, dtype)
        if dtype not in known:
            known[dtype] = function(few.y, few.t)
        if known[dtype].shape[:1] != (len(few),):
            return None
        index = _index(len(few), size)
        result = function(few.y[index], few.t[index])
        refuted = _difference(function, few, index, result, known[dtype][index])
        if refuted is not None:
            return refuted
    return None


def _index(few: int, size: int) -> NDArray:
    """Return which of few points come in which order: all but the last again and again, it once."""
    return np.append(np.random.default_rng(size).integers(0, max(few - 1, 1), size)[1:], few - 1)


def _difference(
    function: Output, few: Points, index: NDArray, result: NDArray, wanted: NDArray
) -> Refuted | None:
    size = index.size
    if result.shape == wanted.shape:
        same = alike(result, wanted).reshape(size, -1).all(-1)
        if same.all():
            return None
        first = int(np.argmin(same))
        text = (
            f"of {size:,} elements {function} differs from what each is among few, first at number "
            f"{first}: {result[first]!r} instead of {wanted[first]!r}."
        )
    else:
        text = f"of {size:,} elements {function} has shape {result.shape}, wanted {wanted.shape}."
    again = f"np.random.default_rng({size}).integers(0, {len(few) - 1}, {size})"
    return Refuted.by(
        few,
        text,
        f"[{function}(y[i], t[i]) - {function}(y, t)[i] for i in [np.append({again}[1:], -1)]]",
    )


def _check(subject: Subject, search: Search, names: tuple[str, ...]) -> None:
    """Refute the first of some functions whose results differ among many elements."""
    had = [function.name for function in outputs(subject) if function.name in names]
    if not had:
        raise NotApplicable(f"there is no {names[0]}")
    found = _found(subject, search)
    for name in had:
        if name in found:
            raise found[name]


_ALL = ("value", "gradient", "hessian")

check_many = Check("purity:many", partial(_check, names=_ALL))
check_many_values, check_many_gradients, check_many_hessians = (
    Check(f"{name}:many", partial(_check, names=(name,))) for name in _ALL
)

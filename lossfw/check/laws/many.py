"""The check of many elements: each has the same result as among few.

A separate path for large arrays, a block that ends early or an overflowing row number makes results
wrong, or leaves elements out of a mean.
"""

from __future__ import annotations

import numpy as np

from lossfw.check.core.exact_points import DTYPES, cast, nearly_equal
from lossfw.check.core.points import Points
from lossfw.check.core.search import (
    Counterexample,
    Output,
    Search,
    check,
    format_number,
    ordinary_points,
    outputs,
    run_parts,
)
from lossfw.check.core.subject import Subject
from lossfw.check.laws.means import mean_terms
from lossfw.numerics.arrays import NDArray

# Numbers of elements: few, of which one may be the number of columns, and next to and at
# powers of two and round numbers, up to more than two bytes count. Large ones are left
# out where there are few examples, and the narrow precisions are tried with one.
_SIZES = (2, 3, 4, 5, 7, 8, 16, 33, 64, 65, 100, 257, 1003, 1024, 5003, 8192, 100_003)
_NARROW = 1003

# So many different elements come again and again.
_FEW = 24


@check("many")
def check_many(subject: Subject, search: Search) -> None:
    """Each of many elements has its own result, and counts in the mean by weight and mask."""
    run_parts(subject, search, _check_results, _check_means)


def _sizes(search: Search) -> tuple[int, ...]:
    return tuple(size for size in _SIZES if size <= search.limit_elements(size))


def _check_results(subject: Subject, search: Search) -> None:
    points = _largest_last(subject, ordinary_points(subject, search, "sizes"))
    for function in outputs(subject):
        _refute(subject, search, function, points)


def _largest_last(subject: Subject, points: Points) -> Points:
    """Return the points with the largest loss last: among many it is an outlier."""
    losses = outputs(subject)[0](points.y, points.t)
    if losses.shape != points.y.shape[:1]:
        return points
    return points.take(np.argsort(np.abs(losses), kind="stable"))


def _refute(subject: Subject, search: Search, function: Output, points: Points) -> None:
    """Refute a function at the smallest size at which results differ."""
    tried = [(search.limit_elements(_NARROW), dtype) for dtype in DTYPES[1:]]
    tried += [(size, DTYPES[0]) for size in _sizes(search)]
    known: dict[str, NDArray] = {}
    for size, dtype in sorted(tried, key=lambda one: one[0]):
        few = cast(subject, points, dtype)
        if dtype not in known:
            known[dtype] = function(few.y, few.t)
        if known[dtype].shape[:1] != (len(few),):
            return
        # All but the last come again and again, it comes once.
        rng = np.random.default_rng(size)
        index = np.append(rng.integers(0, max(len(few) - 1, 1), size)[1:], len(few) - 1)
        result, expected = function(few.y[index], few.t[index]), known[dtype][index]
        if text := _difference(result, expected):
            again = f"np.random.default_rng({size}).integers(0, {len(few) - 1}, {size})"
            several = f"np.append({again}[1:], -1)"
            code = f"[{function}(y[i], t[i]) - {function}(y, t)[i] for i in [{several}]]"
            raise Counterexample.with_points(few, f"of {size:,} elements {function} {text}.", code)


def _difference(result: NDArray, expected: NDArray) -> str:
    """Return how results of many elements differ from those of each, empty if they do not."""
    if result.shape != expected.shape:
        return f"has shape {result.shape}, expected {expected.shape}"
    same = nearly_equal(result, expected).reshape(len(result), -1).all(-1)
    if same.all():
        return ""
    first = int(np.argmin(same))
    return (
        f"differs from what each is among few, first at number {first}: "
        f"{format_number(result[first])} instead of {format_number(expected[first])}"
    )


def _check_means(subject: Subject, search: Search) -> None:
    rng, few = search.rng("mean of many"), mean_terms(subject, search, "mean of many", _FEW)
    for size in _sizes(search):
        terms, text = few.take(rng.integers(0, _FEW, size)), f"of {size:,} elements"
        terms.require_mean(text)
        terms.require_mean(
            f"{text}, with weights", sample_weight=rng.integers(1, 8, size).astype(float)
        )
        terms.require_mean(f"{text}, with a mask", where=rng.random(size) < 0.7)

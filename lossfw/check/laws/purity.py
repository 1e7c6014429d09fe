"""Checks of purity: arguments stay as they are, and results depend on nothing else.

Results do not depend on earlier calls, nor on the elements next to them, however large or many.
A path for large arrays, a block that ends early or a row number that overflows makes results
wrong; this is reported twice, as a wrong result and as a dependence on companions.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from lossfw.check.core.exact_points import DTYPES, alike, cast, draw_exact_points
from lossfw.check.core.search import (
    Check,
    Counterexample,
    NotApplicable,
    Output,
    Search,
    check,
    ordinary,
    outputs,
)
from lossfw.check.core.subject import Points, Subject, call_as_given
from lossfw.numerics.arrays import NDArray

# Enough elements for a path that works in place on large arrays.
_LARGER = 1003

# Companions at the edge of the space: so many together, and so many alone.
_TOGETHER, _ALONE = 12, 3

# One at a time is slow: so many of them, and fewer in the narrow precisions.
_FEW, _FEWER = 16, 4


@check("purity:arguments")
def check_arguments_unchanged(subject: Subject, search: Search) -> None:
    """Arguments are not written to, and may be read-only."""
    few = ordinary(subject, search, "purity:arguments")
    for points in (few, few.take(np.resize(np.arange(len(few)), _LARGER))):
        for dtype in DTYPES:
            some = cast(subject, points, dtype)
            for function in outputs(subject):
                y, t = some.y.copy(), some.t.copy()
                y.flags.writeable = t.flags.writeable = False
                what = "read-only arguments"
                function(y, t, what, copied=False)
                y, t = some.y.copy(), some.t.copy()
                function(y, t, copied=False)
                if not (np.array_equal(y, some.y) and np.array_equal(t, some.t)):
                    raise Counterexample.by(
                        some, f"{function} writes into its arguments.", f"{function}(y, t), y, t"
                    )


@check("purity:reduce")
def check_mean_arguments(subject: Subject, search: Search) -> None:
    """The weighted mean writes into none of its arguments, which may be read-only, and forgets."""
    if subject.reduce is None:
        raise NotApplicable("there is no weighted mean")
    points = ordinary(subject, search, "purity:reduce")
    weight = np.arange(len(points)) % 3 + 1.0
    keep = np.arange(len(points)) % 2 == 0
    for options in ({}, {"sample_weight": weight}, {"where": keep},
                    {"sample_weight": weight, "where": keep}):  # fmt: skip
        given = {"y": points.y, "t": points.t, **options}
        results = []
        for writeable in (False, True):
            copies = {name: array.copy() for name, array in given.items()}
            for array in copies.values():
                array.flags.writeable = writeable
            results.append(_call_mean(subject, copies, given))
            changed = [n for n in given if not np.array_equal(copies[n], given[n])]
            if changed:
                raise Counterexample(
                    f"the weighted mean writes into {' and '.join(changed)}.",
                    f"{_mean_code(given)}, {', '.join(changed)}",
                    **given,
                )
        if not np.array_equal(results[0], results[1], equal_nan=True):
            raise Counterexample(
                f"the weighted mean is {results[0]!r}, and {results[1]!r} when it is called again.",
                f"{_mean_code(given)}, {_mean_code(given)}",
                **given,
            )


def _call_mean(subject: Subject, copies: dict[str, NDArray], given: dict[str, NDArray]) -> Any:
    try:
        y, t, *_ = copies.values()
        options = {name: array for name, array in copies.items() if name not in ("y", "t")}
        return call_as_given(subject.reduce, y, t, **options)
    except Exception as error:
        raise Counterexample(
            f"the weighted mean raises for arguments that may not be written to: "
            f"{type(error).__name__}: {error}",
            _mean_code(given),
            **given,
        ) from error


def _mean_code(given: dict[str, NDArray]) -> str:
    more = "".join(f", {name}={name}" for name in given if name not in ("y", "t"))
    return f"reduce(y, t{more})"


@check("purity:repeat")
def check_repeatable(subject: Subject, search: Search) -> None:
    """Equal arguments give equal results, whatever was called in between."""
    points = ordinary(subject, search, "purity:repeat")
    for dtype in DTYPES:
        here = cast(subject, points, dtype)
        other = Points(here.y[::-1].copy(), here.t[::-1].copy())
        functions = outputs(subject)
        for function in functions:
            first = function(here.y, here.t)
            again = function(here.y, here.t)
            for between in functions:
                between(other.y, other.t)
            later = function(here.y, here.t)
            for result, text in ((again, "a second call"), (later, "a call after one elsewhere")):
                if not np.array_equal(first, result, equal_nan=True):
                    raise Counterexample.by(
                        here,
                        f"{function} depends on earlier calls: {text} with the same "
                        "arguments gives another result.",
                        f"{function}(y, t), value(y[::-1], t[::-1]), {function}(y, t)",
                    ).blocking()


@check("purity:memory")
def check_memory(subject: Subject, search: Search) -> None:
    """A call like the last one is told from it: with the same sums, ends, targets or arrays."""
    points = draw_exact_points(subject, search, "purity:memory")
    if len(points) < 4:
        raise NotApplicable("too few plain points")
    rng = search.rng("purity:memory orders")
    for function in outputs(subject):
        for order, text in _orders(len(points), rng):
            for y, t, parts in (
                (points.y[order], points.t[order], "both"),
                (points.y[order], points.t, "predictions"),
                (points.y, points.t[order], "targets"),
            ):
                # The same pairs in reverse cannot be mistaken for the first call.
                wanted = function(y[::-1], t[::-1])[::-1]
                function(points.y, points.t)
                result = function(y, t)
                _compare(result, wanted, points, order, f"{text} ({parts})", function)
        _compare_in_place(function, points)


def _orders(count: int, rng: np.random.Generator) -> list[tuple[NDArray, str]]:
    """Return orders: any, and one that leaves the ends where they are."""
    inner = np.concatenate([[0], 1 + rng.permutation(count - 2), [count - 1]])
    return [(rng.permutation(count), "in another order"), (inner, "in another order but the ends")]


def _compare_in_place(function: Output, points: Points) -> None:
    """Call with an array, and again after other numbers are written into it."""
    order = np.roll(np.arange(len(points)), 1)
    y, t = points.y.copy(), points.t.copy()
    wanted = function(y[order], t[order], copied=False)
    function(y, t, copied=False)
    y[:], t[:] = points.y[order], points.t[order]
    result = function(y, t, copied=False)
    _compare(result, wanted, points, order, "written into the same arrays", function)


def _compare(
    result: NDArray, wanted: NDArray, points: Points, order: NDArray, text: str, function: Output
) -> None:
    if result.shape == wanted.shape and not alike(result, wanted).all():
        raise Counterexample.by(
            points,
            f"{function} depends on the call before: after (y, t), the result for the same numbers "
            f"{text} is not theirs.",
            f"{function}(y, t), {function}(y[{order.tolist()}], t[{order.tolist()}])",
        )


@check("purity:companions")
def check_companions(subject: Subject, search: Search) -> None:
    """An element or row does not depend on its companions, nor on their order."""
    for dtype in DTYPES:
        count = _FEW if dtype == "float64" else _FEWER
        points = cast(subject, ordinary(subject, search, "purity:companions", count), dtype)
        order = search.rng("purity:companions order").permutation(len(points))
        for function in outputs(subject):
            whole = function(points.y, points.t)
            if whole.shape[:1] != (len(points),):
                raise NotApplicable("results have the wrong shape")
            mixed = function(points.y[order], points.t[order])
            singles = [points.take(slice(i, i + 1)) for i in range(len(points))]
            alone = np.stack([function(one.y, one.t) for one in singles])
            for result, wanted, text in (
                (mixed, whole[order], "in another order"),
                (alone.reshape(whole.shape), whole, "one at a time"),
            ):
                if not alike(result, wanted).all():
                    raise Counterexample.by(
                        points,
                        f"{function} of the same rows {text} differs.",
                        f"{function}(y, t), {function}(y[:1], t[:1])",
                    )


@check("purity:extremes")
def check_extreme_companions(subject: Subject, search: Search) -> None:
    """An element does not depend on a companion that is huge, tiny, infinite or at a bound."""
    for dtype in DTYPES:
        points = cast(subject, draw_exact_points(subject, search, "purity:extremes", 6), dtype)
        edge = _edges(subject, search, dtype, points)
        for function in outputs(subject):
            wanted = function(points.y, points.t)
            for more in edge:
                before, after = _joined(more, points), _joined(points, more)
                for both, rows in (
                    (before, slice(len(more), None)),
                    (after, slice(len(points))),
                ):
                    result = function(both.y, both.t)[rows]
                    if result.shape == wanted.shape and not alike(result, wanted).all():
                        own = f"[{rows.start}:{rows.stop}]"
                        raise Counterexample.by(
                            both,
                            f"{function} of ordinary elements differs once there are extreme ones "
                            "beside them.",
                            f"{function}(y, t){own}, {function}(y{own}, t{own})",
                        )


def _edges(subject: Subject, search: Search, dtype: str, points: Points) -> list[Points]:
    """Return pairs far from the ordinary: a dozen together, and the largest alone."""
    same = [
        some for some in search.points(subject, dtype) if some.y.shape[1:] == points.y.shape[1:]
    ]
    if not same or not len(same[0]):
        return []
    pool = same[0]
    with np.errstate(all="ignore"):
        size = np.nan_to_num(np.abs(pool.y.astype(np.float64)), posinf=np.inf)
    size = size.reshape(len(pool), -1)
    by_size = np.argsort(size.max(-1), kind="stable")
    by_least = np.argsort(size.min(-1), kind="stable")
    third = _TOGETHER // 3
    some = np.concatenate([by_size[-2 * third :], by_least[:third]])
    large = [i for i in by_size[::-1] if np.isfinite(size[i]).all()][:_ALONE]
    return [pool.take(some), *(pool.take(np.array([i])) for i in large)]


def _joined(first: Points, second: Points) -> Points:
    return Points(
        np.concatenate([first.y, second.y]),
        np.concatenate([first.t, second.t]).astype(first.t.dtype),
    )


# Numbers of elements: few, of which one may be the number of columns, and beside and at
# powers of two and round numbers, up to more than two bytes count. The largest is left
# out where there are few examples, and the narrow precisions are tried with one.
SIZES = (2, 3, 4, 5, 7, 8, 16, 33, 64, 65, 100, 257, 1003, 1024, 5003, 8192)
LARGEST, ENOUGH = 100_003, 100
_NARROW = 1003


def sizes(search: Search) -> tuple[int, ...]:
    """Return the numbers of elements to try."""
    return (*SIZES, LARGEST) if search.examples >= ENOUGH else SIZES


def _found(subject: Subject, search: Search) -> dict[str, Counterexample]:
    """Return for each function the smallest size at which it fails; computed once."""

    def looked_for() -> dict[str, Counterexample]:
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


def _smallest(
    subject: Subject, search: Search, function: Output, points: Points
) -> Counterexample | None:
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
) -> Counterexample | None:
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
    return Counterexample.by(
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

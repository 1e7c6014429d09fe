"""Checks of purity: arguments stay as they are, and results depend on nothing else.

Results do not depend on earlier calls, nor on the elements next to them, however large.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lossfw.check.core.exact_points import (
    DTYPES,
    cast,
    draw_exact_points,
    nearly_equal,
    require_nearly_equal,
)
from lossfw.check.core.members import clip_to_interval
from lossfw.check.core.points import Points, is_legal, split_group_rows
from lossfw.check.core.search import (
    Counterexample,
    NotApplicable,
    Output,
    Search,
    check,
    format_number,
    ordinary_points,
    outputs,
    run_parts,
)
from lossfw.check.core.subject import Function, Subject, call, call_without_warnings
from lossfw.check.laws.means import mean_code
from lossfw.components.spaces import LOGITS
from lossfw.numerics.arrays import NDArray

_MEAN = "the weighted mean"

# Enough elements for a path that works in place on large arrays.
_LARGER = 1003

# Companions at the edge of the space: so many together, and so many one by one.
_TOGETHER, _ALONE = 12, 3

# One at a time is slow: so many of them, and fewer in the narrow precisions.
_FEW, _FEWER = 16, 4


@check("purity:arguments")
def check_arguments_unchanged(subject: Subject, search: Search) -> None:
    """Arguments, also weights and masks, are not written to, and may be read-only."""
    few = ordinary_points(subject, search, "purity:arguments")
    larger = search.limit_elements(_LARGER)
    for points in (few, few.take(np.resize(np.arange(len(few)), larger))):
        for dtype in DTYPES:
            some = cast(subject, points, dtype)
            for function in outputs(subject):
                _require_unwritten(function.raw, f"{function}", f"{function}(y, t)", some)
    if subject.reduce is not None:
        for options in _options(len(few)):
            _require_unwritten(subject.reduce, _MEAN, mean_code(options), few, **options)


def _options(count: int) -> tuple[dict[str, NDArray], ...]:
    """Return the options of a mean of so many elements: none, weights, a mask, and both."""
    weight = {"sample_weight": np.arange(count) % 3 + 1.0}
    where = {"where": np.arange(count) % 2 == 0}
    return {}, weight, where, weight | where


def _require_unwritten(
    function: Function, name: str, code: str, points: Points, **options: NDArray
) -> None:
    arguments = {"y": points.y, "t": points.t, **options}
    for writeable in (False, True):
        copies = {argument: array.copy() for argument, array in arguments.items()}
        for array in copies.values():
            array.flags.writeable = writeable
        y, t, *others = copies.values()
        try:
            call_without_warnings(function, y, t, **dict(zip(options, others, strict=True)))
        except Exception as error:
            text = f"{name} raises for read-only arguments: {type(error).__name__}: {error}"
            raise Counterexample(text, code, **arguments) from error
        changed = [n for n, x in copies.items() if not np.array_equal(x, arguments[n])]
        if changed:
            text = f"{name} writes into {' and '.join(changed)}."
            raise Counterexample(text, f"{code}, {', '.join(changed)}", **arguments)


@check("purity:repeat")
def check_repeatable(subject: Subject, search: Search) -> None:
    """Equal arguments give equal results, whatever was called in between.

    A call like the last one is not mistaken for it: same sums, ends, targets or arrays.
    """
    run_parts(subject, search, _check_repeated, _check_mean_repeated, _check_memory)


def _check_repeated(subject: Subject, search: Search) -> None:
    points = ordinary_points(subject, search, "purity:repeat")
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
                    raise Counterexample.with_points(
                        here,
                        f"{function} depends on earlier calls: {text} with the same "
                        "arguments gives another result.",
                        f"{function}(y, t), value(y[::-1], t[::-1]), {function}(y, t)",
                    ).as_blocking()


def _check_mean_repeated(subject: Subject, search: Search) -> None:
    if subject.reduce is None:
        raise NotApplicable("there is no weighted mean")
    points = ordinary_points(subject, search, "purity:repeat")
    for options in _options(len(points)):
        first, again = (call(subject.reduce, points.y, points.t, **options) for _ in range(2))
        if not np.array_equal(first, again, equal_nan=True):
            code = mean_code(options)
            text = f"{_MEAN} is {first!r}, and {again!r} when it is called again."
            raise Counterexample.with_points(points, text, f"{code}, {code}", **options)


def _check_memory(subject: Subject, search: Search) -> None:
    points = draw_exact_points(subject, search, "memory")
    if len(points) < 4:
        raise NotApplicable("too few ordinary points")
    rng = search.rng("memory orders")
    inner = np.concatenate([[0], 1 + rng.permutation(len(points) - 2), [len(points) - 1]])
    for function in outputs(subject):
        orders = (
            (rng.permutation(len(points)), "in another order"),
            (inner, "in another order, with the same first and last element"),
        )
        for order, text in orders:
            for y, t, parts in (
                (points.y[order], points.t[order], "both"),
                (points.y[order], points.t, "predictions"),
                (points.y, points.t[order], "targets"),
            ):
                # The same pairs in reverse cannot be mistaken for the first call.
                expected = function(y[::-1], t[::-1])[::-1]
                function(points.y, points.t)
                _require_own_memory(
                    function(y, t), expected, points, order, f"{text} ({parts})", function
                )
        # Other numbers are stored in the same arrays.
        order = np.roll(np.arange(len(points)), 1)
        y, t = points.y.copy(), points.t.copy()
        expected = function(y[order], t[order], copied=False)
        function(y, t, copied=False)
        y[:], t[:] = points.y[order], points.t[order]
        text, actual = "stored in the same arrays", function(y, t, copied=False)
        _require_own_memory(actual, expected, points, order, text, function)


def _require_own_memory(
    actual: NDArray, expected: NDArray, points: Points, order: NDArray, text: str, function: Output
) -> None:
    require_nearly_equal(
        actual,
        expected,
        points,
        f"{function} depends on the call before: after (y, t), the result for the same numbers "
        f"{text} is not theirs.",
        f"{function}(y, t), {function}(y[{order.tolist()}], t[{order.tolist()}])",
    )


@check("purity:companions")
def check_companions(subject: Subject, search: Search) -> None:
    """An element or row does not depend on its companions, nor on their order.

    They may be huge, tiny, infinite or at a bound.
    """
    run_parts(subject, search, _check_usual_companions, _check_extreme_companions)


def _check_usual_companions(subject: Subject, search: Search) -> None:
    for dtype in DTYPES:
        count = _FEW if dtype == "float64" else _FEWER
        points = cast(subject, ordinary_points(subject, search, "purity:companions", count), dtype)
        order = search.rng("purity:companions order").permutation(len(points))
        for function in outputs(subject):
            whole = function(points.y, points.t)
            if whole.shape[:1] != (len(points),):
                raise NotApplicable("results have the wrong shape")
            mixed = function(points.y[order], points.t[order])
            singles = [points.take(slice(i, i + 1)) for i in range(len(points))]
            alone = np.stack([function(one.y, one.t) for one in singles]).reshape(whole.shape)
            text, code = (
                "{} of the same rows {} differs.",
                f"{function}(y, t), {function}(y[:1], t[:1])",
            )
            if not nearly_equal(alone, whole).all():
                _refute_two_rows(function, points, alone)
            require_nearly_equal(
                mixed, whole[order], points, text.format(function, "in another order"), code
            )
            require_nearly_equal(alone, whole, points, text.format(function, "one at a time"), code)


def _refute_two_rows(function: Output, points: Points, alone: NDArray) -> None:
    """Refute results by two rows, where the first and another one are enough."""
    for other in range(1, len(points)):
        two = points.take(np.array([0, other]))
        both = function(two.y, two.t)
        if not nearly_equal(both, alone[[0, other]]).all():
            text = (
                f"{function} of the first row is {format_number(both[0])} beside the second one, "
                f"and {format_number(alone[0])} alone."
            )
            raise Counterexample.with_points(
                two, text, f"{function}(y, t), {function}(y[:1], t[:1])"
            )


def _check_extreme_companions(subject: Subject, search: Search) -> None:
    for dtype in DTYPES:
        points = cast(subject, draw_exact_points(subject, search, "extremes", 6), dtype)
        edge = _extreme_pairs(subject, search, dtype, points)
        for function in outputs(subject):
            expected = function(points.y, points.t)
            for more in edge:
                for both, rows in (
                    (join_points(more, points), slice(len(more), None)),
                    (join_points(points, more), slice(len(points))),
                ):
                    own = f"[{rows.start}:{rows.stop}]"
                    require_nearly_equal(
                        function(both.y, both.t)[rows],
                        expected,
                        both,
                        f"{function} of ordinary elements differs if the same call has extreme "
                        "elements.",
                        f"{function}(y, t){own}, {function}(y{own}, t{own})",
                    )


def _extreme_pairs(subject: Subject, search: Search, dtype: str, points: Points) -> list[Points]:
    """Return pairs far from the ordinary: a dozen together, and the largest alone."""
    same = [
        some for some in search.points(subject, dtype) if some.y.shape[1:] == points.y.shape[1:]
    ]
    if not same or not len(same[0]):
        return []
    pool = same[0]
    with np.errstate(all="ignore"):
        size = np.abs(pool.y.astype(np.float64))
    size = size.reshape(len(pool), -1)
    by_size = np.argsort(size.max(-1), kind="stable")
    by_least = np.argsort(size.min(-1), kind="stable")
    third = _TOGETHER // 3
    some = np.concatenate([by_size[-2 * third :], by_least[:third]])
    large = by_size[::-1][:_ALONE]
    alone = [pool.take(np.array([i])) for i in large]
    return [pool.take(some), *alone, *_pairs_beyond_floats(subject, pool.take(large))]


def _pairs_beyond_floats(subject: Subject, points: Points) -> Iterator[Points]:
    """Yield pairs with predictions at the ends of their dtype, and with infinite logits."""
    info, space = np.finfo(points.y.dtype), subject.prediction
    ends = [float(info.max), float(info.smallest_subnormal)]
    for end in [np.inf, *ends] if space is LOGITS else ends:
        far = split_group_rows(subject, space, np.copysign(end, points.y).astype(points.y.dtype))
        some = Points(clip_to_interval(space, far).reshape(points.y.shape), points.t)
        found = some.take(np.flatnonzero(is_legal(subject, some)))
        if len(found):
            yield found


def join_points(first: Points, second: Points) -> Points:
    """Return the pairs of both."""
    return Points(
        np.concatenate([first.y, second.y]),
        np.concatenate([first.t, second.t]).astype(first.t.dtype),
    )

"""Laws of metrics: properties that a number for decisions must share with a mean.

The rows of `metric_rows` are ordinary, so every law holds for any metric that takes them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from lossfw.check.core.metric_rows import MetricCase, metric_cases
from lossfw.check.core.search import Check, NotApplicable, Search, check, format_number
from lossfw.errors import ArgumentError, EmptyReductionError, LossfwError
from lossfw.metrics import GroupMetric, Metric, RowwiseMetric
from lossfw.metrics.cell_sums import CellSums
from lossfw.numerics.arrays import NDArray

# Sums in another order, or of other summands, differ by rounding; of ROWS rows by some 1e-14. What
# divides by a difference of them loses some digits more.
_CLOSE = 1e-9
# Sizes of batches: single rows, some that divide nothing, and all rows but a few.
_BATCHES = (1, 7, 53)
# Units of the law of intervals.
_UNITS = 5


def metric_law(name: str) -> Callable[[Callable[[MetricCase, Search], None]], Check]:
    """Return a decorator that makes a function of a case the check of a law of metrics."""

    def make_check(function: Callable[[MetricCase, Search], None]) -> Check:
        def run_on_cases(metric: Metric, search: Search) -> None:
            looked_at, reason = False, ""
            for case in metric_cases(metric, search):
                try:
                    function(case, search)
                    looked_at = True
                except NotApplicable as error:
                    reason = str(error)
            if not looked_at:
                raise NotApplicable(reason)

        run_on_cases.__doc__ = function.__doc__
        return check(f"metric:{name}")(run_on_cases)

    return make_check


def _is_close(a: NDArray, b: NDArray) -> bool:
    return a.shape == b.shape and np.allclose(a, b, rtol=_CLOSE, atol=_CLOSE, equal_nan=True)


def _require_close(
    case: MetricCase, found: NDArray, found_where: str, expected: NDArray, expected_where: str
) -> None:
    if not _is_close(found, expected):
        raise case.refutation(
            f"the metric is {format_number(found)} {found_where}, and {format_number(expected)} "
            f"{expected_where}."
        )


def _require_same_bits(
    case: MetricCase,
    found: Any,
    found_where: str,
    expected: NDArray,
    expected_where: str,
    advice: str = "",
) -> None:
    found = np.asarray(found, np.float64)
    if not np.array_equal(found, expected, equal_nan=True):
        raise case.refutation(
            f"the metric is {format_number(found, 17)} {found_where}, and "
            f"{format_number(expected, 17)} {expected_where}.{advice}"
        )


def _batch_slices(case: MetricCase, size: int) -> list[slice]:
    """Return batches of about so many rows, which divide no group."""
    ends = list(range(size, len(case), size))
    if case.group is not None:
        begins = np.flatnonzero(np.diff(case.group)) + 1
        ends = sorted(
            {int(begins[np.searchsorted(begins, end)]) for end in ends if end <= begins[-1]}
        )
    return [slice(a, b) for a, b in zip([0, *ends], [*ends, len(case)], strict=True)]


@metric_law("split")
def check_split(case: MetricCase, search: Search) -> None:
    """Partials of any batches, merged in any order or packed, give the same bits."""
    weight = search.rng("metric weights").integers(1, 4, len(case)) * 0.25
    weight = _share_within_groups(case, weight)
    whole = case.result(weight)
    for size in _BATCHES:
        partials = [
            case.take(batch).partial(weight[batch], start=batch.start)
            for batch in _batch_slices(case, size)
        ]
        for name, some in (("first to last", partials), ("last to first", partials[::-1])):
            merged = some[0]
            for other in some[1:]:
                merged = merged.merge(other)
            _require_same_bits(
                case,
                case.metric.result(merged),
                f"by batches of {size} rows, merged {name}",
                whole,
                "from all rows at once",
                " Keep sums over rows in the partial, never means.",
            )
    _require_packing(case)


def _require_packing(case: MetricCase) -> None:
    partial, whole = case.partial(), case.result()
    try:
        packed = {name: np.asarray(array) for name, array in partial.pack().items()}
        found = case.metric.result(case.metric.unpack(packed))
    except LossfwError as error:
        raise case.refutation(f"its partial cannot be kept in a checkpoint: {error}") from error
    _require_same_bits(case, found, "by the unpacked partial", whole, "before it was packed")


@metric_law("order")
def check_order(case: MetricCase, search: Search) -> None:
    """The order of rows, of groups, and of rows within a group does not matter."""
    order = search.rng("metric order").permutation(len(case))
    if case.group is not None:
        numbers = search.rng("metric groups").permutation(int(case.group.max()) + 1)
        order = order[np.argsort(numbers[case.group[order]], kind="stable")]
    shuffled = case.take(order)
    _require_close(case, shuffled.result(), "with the rows in another order", case.result(), "here")


@metric_law("weights")
def check_weights(case: MetricCase, search: Search) -> None:
    """A weight of 2 counts as the row twice, and a factor for all weights does not matter.

    A row of weight 0, or a masked one, does not count, whatever its prediction is.
    """
    _require_left_out(case, search)
    twice = search.rng("metric twice").random(len(case)) < 0.4
    twice = _share_within_groups(case, twice)
    weight = np.where(twice, 2.0, 1.0)
    heavy = case.result(weight)
    _require_close(
        case,
        heavy,
        "with some weights of 2",
        _double_rows(case, twice).result(),
        "with the rows twice",
    )
    if case.metric.weight_factor == "matters":
        return
    factor = 2.5 if case.metric.weight_factor == "multiplies" else 1.0
    _require_close(
        case,
        case.result(2.5 * weight),
        "with all weights times 2.5",
        factor * heavy,
        "expected from the result without the factor",
    )


def _share_within_groups(case: MetricCase, numbers: NDArray) -> NDArray:
    """Return a number for each row, the same for all rows of a group that has one weight."""
    if case.group is None or not isinstance(case.metric, GroupMetric):
        return numbers
    return np.asarray(numbers[case.group])


def _double_rows(case: MetricCase, twice: NDArray) -> MetricCase:
    """Return the case with some rows twice; a group that has one weight comes twice as a whole."""
    once, again = np.arange(len(case)), np.flatnonzero(twice)
    if case.group is None:
        return case.take(np.concatenate([once, again]))
    if not isinstance(case.metric, GroupMetric):
        return case.take(np.sort(np.concatenate([once, again]), kind="stable"))
    both = case.take(np.concatenate([once, again]))
    assert both.group is not None
    both.group[len(once) :] += case.group.max() + 1
    return both


def _require_left_out(case: MetricCase, search: Search) -> None:
    gone = _share_within_groups(case, search.rng("metric gone").random(len(case)) < 0.3)
    expected = case.take(np.flatnonzero(~gone)).result()
    y = case.y.copy()
    # A prediction that may be far off, but is legal: it is that of another row.
    y[gone] = y[gone][::-1]
    left = case.with_predictions(y)
    _require_close(
        case, left.result(np.where(gone, 0.0, 1.0)), "with weights of 0", expected, "there"
    )
    y[gone] = np.nan
    masked = case.with_predictions(y)
    _require_close(
        case, masked.result(where=~gone), "with rows that are masked", expected, "without them"
    )


@metric_law("nan")
def check_nan(case: MetricCase, search: Search) -> None:
    """NaN in a prediction shows in the result; in at least one of several numbers."""
    for row in (0, len(case) // 2, len(case) - 1):
        y = case.y.copy()
        y[row] = np.nan
        broken = case.with_predictions(y)
        found = broken.result()
        if not np.isnan(found).any():
            raise broken.refutation(
                f"the prediction of row {row} is NaN, and the metric is {format_number(found)}. "
                "Let NaN through, so that a broken model is seen."
            )


@metric_law("refuses")
def check_refusals(case: MetricCase, search: Search) -> None:
    """Without rows a metric raises `EmptyReductionError`, for an unknown class a `LossfwError`."""
    _require_empty_refused(case)
    if case.t.dtype.kind in "iu" and not _takes_numbers(case):
        _require_classes_refused(case)


def _require_classes_refused(case: MetricCase) -> None:
    for wrong in (case.y.shape[-1], -1):
        t = case.t.copy()
        t[1] = wrong
        try:
            found = case.metric(case.y, t)
        except ArgumentError:
            continue
        except Exception as error:
            raise case.refutation(
                f"class {wrong} raises {type(error).__name__}: {error}; expected a DomainError "
                "that names the row."
            ) from error
        raise case.refutation(f"class {wrong} is taken: the metric is {found}.")


def _takes_numbers(case: MetricCase) -> bool:
    with suppress(Exception):
        case.metric(case.y, case.t + 0.5)
        return True
    return False


@metric_law("bounds")
def check_bounds(case: MetricCase, search: Search) -> None:
    """Results are within `bounds`, for all, some and single rows, and perfect predictions."""
    low, high = case.metric.bounds
    some = np.flatnonzero(
        _share_within_groups(case, search.rng("metric some").random(len(case)) < 0.5)
    )
    singles = [case.take(batch) for batch in _batch_slices(case, 1)[:5]]
    for rows in (case, case.take(some), *singles, case.with_predictions(case.best)):
        found = rows.result()
        # A quotient of sums may be a unit in the last place beyond.
        beyond = (found < low - _CLOSE) | (found > high + _CLOSE)
        if beyond.any():
            raise rows.refutation(
                f"the metric is {format_number(found)}, outside of its bounds {low:g} to {high:g}."
            )


@check("metric:better")
def check_better(metric: Metric, search: Search) -> None:
    """Perfect predictions get at least as good a result as others, in the declared direction.

    It must hold for most kinds of rows that it takes, not for all: a metric of errors also takes
    logarithms of means with counts, and a metric of two quantiles a mean and a scale.
    """
    if metric.better is None:
        raise NotApplicable("it does not declare whether larger or smaller results are better")
    sign, refuted = (1.0 if metric.better == "higher" else -1.0), []
    every = metric_cases(metric, search)
    for case in every:
        found, best = case.result(), case.with_predictions(case.best).result()
        if (sign * (best - found) < -_CLOSE).any():
            text = (
                f"of perfect predictions the metric is {format_number(best)}, and of these "
                f"{format_number(found)}, though better is {metric.better!r}."
            )
            refuted.append(case.refutation(text))
    if 2 * len(refuted) > len(every):
        raise refuted[0]


@metric_law("formula")
def check_formula(case: MetricCase, search: Search) -> None:
    """The metric equals its `formula` of the whole arrays, with and without weights."""
    formula: Any = getattr(case.metric, "formula", None)
    if formula is None:
        raise NotApplicable("it has no formula to compare with")
    weight = _share_within_groups(
        case, search.rng("metric weights").integers(1, 4, len(case)) * 0.5
    )
    group = {} if not case.metric.takes_groups else {"group": case.group}
    for some in (np.ones(len(case)), weight):
        with np.errstate(all="ignore"):
            expected = np.asarray(formula(case.y, case.t, some, **group), np.float64)
        _require_close(case, case.result(some), "", expected, "by its formula")


@metric_law("purity")
def check_purity(case: MetricCase, search: Search) -> None:
    """Arguments are not written to; repeated calls, lists and layouts give the same result."""
    y, t, whole = case.y.copy(), case.t.copy(), case.result()
    if not (np.array_equal(y, case.y) and np.array_equal(t, case.t)):
        raise case.refutation("prediction or target was written to. Change a copy.")
    others = {
        "in a second call": (y, t),
        "from lists": (y.tolist(), t.tolist()),
        "from arrays with gaps": (np.repeat(y, 2, axis=0)[::2], np.repeat(t, 2, axis=0)[::2]),
    }
    more = {"group": case.group} if case.metric.takes_groups else {}
    for name, (prediction, target) in others.items():
        try:
            found = case.metric(prediction, target, **more)
        except Exception as error:
            raise case.refutation(f"{name} it raises {type(error).__name__}: {error}") from error
        _require_same_bits(case, found, name, whole, "in the first call")


def _require_empty_refused(case: MetricCase) -> None:
    weight = np.zeros(len(case))
    for name, where in (("all weights are 0", None), ("all rows are masked", weight > 0)):
        try:
            found = case.metric.result(case.partial(weight if where is None else None, where))
        except EmptyReductionError:
            continue
        except Exception as error:
            raise case.refutation(
                f"{name}, and it raises {type(error).__name__}: {error}; expected an "
                "EmptyReductionError."
            ) from error
        raise case.refutation(
            f"{name}, and the metric is {found}; expected an EmptyReductionError."
        )


@metric_law("intervals")
def check_intervals(case: MetricCase, search: Search) -> None:
    """For intervals: without some units, the metric is that of the other rows."""
    if not isinstance(case.metric, RowwiseMetric):
        raise NotApplicable("it keeps no value per row, so it has no intervals")
    unit = np.arange(len(case)) % _UNITS if case.group is None else case.group % _UNITS
    sums = _unit_sums(case, unit)
    if sums is None:
        raise NotApplicable("its sums do not consist of one term per row")
    drawn = case.metric.from_resamples(sums, 1.0 - np.eye(_UNITS))
    left_out = case.metric.without_each(sums, sums.pool_cells(), _UNITS)
    for one in range(_UNITS):
        own = case.take(np.flatnonzero(unit != one)).result()
        for name, found in (("estimates", drawn), ("without_each", left_out)):
            some = np.asarray(found[one], np.float64)
            if case.metric.weight_factor == "multiplies":
                # Intervals are those of shares.
                some, own = some / some.sum(), own / own.sum()
            there = f"by {name} from the sums of units without unit {one}"
            _require_close(case, some, there, own, "from these rows")


def _unit_sums(case: MetricCase, unit: NDArray) -> CellSums | None:
    update = case.metric.observe(case.rows())
    return None if update.terms is None else update.terms.table(unit)

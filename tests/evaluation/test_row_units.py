"""Units of the rows of an evaluation, and groups: where they come from, and what a bad one says."""

import datetime

import numpy as np
import pytest

import lossfw
from lossfw import GroupLoss
from lossfw.data import Dataset
from lossfw.errors import ArgumentError, DataError, DomainError
from lossfw.evaluation.evaluate import evaluate
from lossfw.evaluation.intervals.freedom import degrees_of_freedom
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.intervals.units import Units
from lossfw.evaluation.plan import Plan
from lossfw.evaluation.slices import Slice
from lossfw.metrics import LossMetric

ROWS, PATIENTS = 5000, 40
RANDOM = np.random.default_rng(11)
WHO = np.repeat(np.arange(PATIENTS), ROWS // PATIENTS)
ERROR = RANDOM.normal(size=PATIENTS)[WHO] + 0.3 * RANDOM.normal(size=ROWS)


def plan(units, *, columns=None, error=ERROR, targets=None, metrics=(), method="jackknife", **more):
    columns = {"who": WHO, "row": np.arange(len(error))} | (columns or {})
    targets = np.zeros(len(error)) if targets is None else targets
    data = Dataset("visits", targets, columns=columns, groups=more.pop("groups", None))
    asked = Intervals(method=method, replicates=200, resample=Units.read(units) if units else None)
    loss = more.pop("loss", lossfw.loss("squared_error"))
    return Plan(data, loss, outputs=error, intervals=asked, metrics=metrics, **more)


def width(result):
    low, high = result.numbers.loss["interval"]
    return np.log(high / low)


def test_patients_have_wide_intervals_and_rows_narrow_ones():
    rows, patients = (evaluate(plan(units)) for units in ("rows", "column.who"))
    assert 5 < width(patients) / width(rows) < 15
    assert patients.numbers.intervals["count"] == PATIENTS
    assert patients.numbers.intervals["freedom"] == pytest.approx(PATIENTS - 1)
    assert rows.numbers.intervals["count"] == ROWS
    assert rows.numbers.intervals["neighbours"] > 0.5


@pytest.mark.parametrize(
    ("units", "columns", "said"),
    [
        ("column.patient", {}, "data 'visits' have no column 'patient'"),
        ("groups", {}, "data 'visits' have no groups, which resample: groups takes"),
        ({"time": "column.day"}, {"day": np.array(["a", "b"])[WHO % 2]}, "numbers or dates"),
    ],
)
def test_units_that_the_data_do_not_have(units, columns, said):
    with pytest.raises(ArgumentError, match=said):
        plan(units, columns=columns)


@pytest.mark.parametrize("missing", [np.nan, ""])
def test_a_row_without_a_unit_is_named(missing):
    who = WHO.astype(float) if isinstance(missing, float) else np.array([f"p{w}" for w in WHO])
    who[4321] = missing
    with pytest.raises(DataError, match="column 'who' has no value in row 4321, but intervals"):
        evaluate(plan("column.who", columns={"who": who}))
    # Units of one row each are worth a warning.
    warnings = evaluate(plan("column.row")).warnings
    assert any("column.row has another value in each of the 5,000 rows" in one for one in warnings)


def test_a_column_whose_rows_are_alike_is_told_with_the_key_to_write():
    (warning,) = evaluate(plan("rows", watched=("who",))).warnings
    assert warning.startswith("Rows of one who are alike (correlation 0.")
    assert warning.endswith("times too narrow. Write evaluate.intervals.resample: column.who.")
    by_unit, by_row = (width(evaluate(plan(units))) for units in ("column.who", "rows"))
    factor = float(warning.split("rows are ")[1].split(" times")[0])
    assert factor == pytest.approx(by_unit / by_row, rel=0.15)


def test_independent_rows_are_not_called_alike():
    """30 columns and 30 series of independent errors: chance warns once in 10,000."""
    for seed in range(30):
        error = np.random.default_rng(seed).standard_t(5, 2000)
        who = np.random.default_rng(seed + 100).integers(0, 200, 2000)
        found = evaluate(plan("rows", columns={"who": who}, error=error, watched=("who",)))
        assert found.warnings == ()
        assert "neighbours" not in found.numbers.intervals


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%Y-%m-%dT00:00", "%Y-%m-%dT00:00:00Z"])
def test_dates_are_times_as_their_days_are(form):
    day = np.random.default_rng(0).permutation(ROWS) // 50
    dates = [(datetime.date(1999, 12, 20) + datetime.timedelta(int(d))).strftime(form) for d in day]
    units = {"time": "column.day", "blocks": 10}
    by_day, by_date = (
        evaluate(plan(units, columns={"day": column})).numbers for column in (day, np.array(dates))
    )
    assert by_date == by_day


def test_a_series_shorter_than_its_memory_is_told():
    error = np.cumsum(np.random.default_rng(1).normal(size=3000))
    (warning,) = evaluate(plan({"time": "row"}, error=error, columns={"who": error})).warnings
    assert warning.startswith("8 blocks of time are still alike (0.")
    assert warning.endswith("more time is needed, some 15 times as long as errors last.")
    # Chance makes blocks of short series alike in half of them only: the memory tells too.
    random, error = np.random.default_rng(6), np.zeros(1000)
    for row in range(1, 1000):
        error[row] = 0.98 * error[row - 1] + random.normal()
    found = evaluate(plan({"time": "row"}, error=np.exp(error / 10), columns={"who": error}))
    assert found.numbers.intervals["alike"] < 0.1
    (warning,) = found.warnings
    assert warning.startswith("the series is some 14 times as long as errors last: the interval is")


SIZES = np.random.default_rng(0).integers(1, 9, 300)
stats = pytest.importorskip("scipy.stats")
GROUP = np.repeat(np.arange(len(SIZES)), SIZES)
GROUPED_ROWS = len(GROUP)


class Spread(GroupLoss):
    """The variance of the residuals of a group; all rows are one without groups."""

    needs_group = False

    def value(self, xp, y, t):
        r = y - t
        return xp.mean((r - xp.mean(r, axis=-1, keepdims=True)) ** 2, axis=-1)


def plan_of_groups(y, *, groups=GROUP, columns=None, weight=None, **options):
    t = np.random.default_rng(2).random(len(y))
    data = Dataset("d", targets=t, groups=groups, columns=columns or {}, sample_weight=weight)
    return Plan(data, options.pop("loss", Spread()), outputs=y, **options)


@pytest.fixture
def y():
    return np.random.default_rng(1).random(GROUPED_ROWS)


def test_the_units_of_an_interval_are_whole_groups(y):
    """The mean of losses of groups, and of rows, without each group; of which each is a unit."""
    made = plan_of_groups(
        y, intervals=Intervals(level=0.9), metrics=(LossMetric(of=lossfw.loss("huber")),)
    )
    numbers = evaluate(made).numbers
    losses = Spread()(y, made.data.targets, group=GROUP, reduction="none")
    of_rows = lossfw.loss("huber")(y, made.data.targets, reduction="none")
    sums = np.bincount(GROUP, of_rows)
    cases = [
        (numbers.loss, losses, np.ones(len(SIZES)), len(SIZES) - 1, False),
        (numbers.metrics["huber"], sums, SIZES, degrees_of_freedom(SIZES), True),
    ]
    for found, sums, size, freedom, claims in cases:
        mean = sums.sum() / size.sum()
        without = (sums.sum() - sums) / (size.sum() - size)
        error = np.sqrt((len(size) - 1) / len(size) * ((without - mean) ** 2).sum())
        half = stats.t.ppf(0.95, freedom) * error
        factor = np.exp(half / mean)
        # A loss that claims to be nonnegative is seen on the scale of its logarithm.
        ends = [mean / factor, mean * factor] if claims else [mean - half, mean + half]
        assert found["value"] == pytest.approx(mean)
        assert found["interval"] == pytest.approx(ends, rel=1e-10)


def test_slices_and_weights_that_split_a_group_are_refused(y):
    inside = np.flatnonzero(np.diff(GROUP) == 0)
    row, last = int(inside[0]), int(inside[-1]) + 1
    side, weight = np.arange(GROUPED_ROWS) % 2, np.ones(GROUPED_ROWS)
    with pytest.raises(ArgumentError, match=rf"slice 'side': .* rows {row} and {row + 1} of one"):
        evaluate(plan_of_groups(y, columns={"side": side}, slices=(Slice.of("column.side"),)))
    weight[last] = 2.0
    with pytest.raises(DomainError, match=rf"sample_weight\[{last}\] = 2"):
        evaluate(plan_of_groups(y, weight=weight, batch_size=7))

"""Intervals and slices of every metric: against plain definitions, and the same for any split."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

import lossfw
from lossfw import ArgumentError, DomainError, Metric
from lossfw.evaluation.accumulator import Accumulator
from lossfw.evaluation.batching import PredictedBatch
from lossfw.evaluation.intervals.freedom import degrees_of_freedom
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.intervals.unit_keys import hashed_numbers
from lossfw.evaluation.slices import Slice
from lossfw.metrics import LossMetric, MetricRows
from support.drawn import Drawn, data, each, metric
from support.interval_ends import each_pair, shares_of

EACH = each()
few = settings(max_examples=4)
JACKKNIFE, BOOTSTRAP = Intervals(level=0.9), Intervals(0.9, "bootstrap", replicates=100, seed=3)
SLICES = {
    "rows": (
        Slice.of("target"),
        Slice.of("prediction.argmax"),
        Slice("sure", "prediction.max", [0.4, 0.6]),
        Slice("mixed", "prediction.entropy", [0.5]),
        Slice("bad", "loss", [1.0]),
        Slice("heavy", "weight", [1.0]),
    ),
    "single": (Slice.of("target"), Slice("sure", "prediction.max", [0.75])),
    "numbers": (Slice("high", "target", [3.0]), Slice("low", "prediction", [0.0, 2.0])),
    "counts": (Slice("many", "target", [1.0]), Slice("low", "prediction", [0.25, 0.5])),
    "columns": (Slice("high", "target", [0.5]), Slice("bad", "loss", [1.0])),
}
LOSSES = {"rows": lossfw.loss("cross_entropy"), "columns": lossfw.loss("crps_normal")}
SQUARED = lossfw.loss("squared_error")


def tally(kind, spec, **options):
    return Accumulator(LOSSES.get(kind, SQUARED), [metric(spec)], **options)


def scored(rows, start=0):
    t = rows.t if rows.y.ndim > 1 else rows.t.astype(float)
    return PredictedBatch(start, rows.y, None, t, rows.weight)


def numbers(made, rows, edges=None):
    for a, b in pairwise(edges or (0, len(rows.t))):
        if b > a:
            made.add(scored(rows[a:b], a))
    return made.numbers()


def plain(found):
    """Return numbers that can be compared, NaN as text."""
    if isinstance(found, float):
        return repr(found)
    if isinstance(found, dict):
        return {key: plain(value) for key, value in found.items()}
    return [plain(item) for item in found] if isinstance(found, list | tuple) else found


@pytest.mark.turns(4)
@EACH
@few
@given(st.data())
def test_no_split_packing_interval_or_slice_changes_a_bit(case, data_):
    kind, spec = case
    rows = data_.draw(data(kind, most=150))
    edges = sorted({0, len(rows.t), *data_.draw(st.lists(st.integers(0, len(rows.t)), max_size=4))})
    asked = data_.draw(st.sampled_from([None, JACKKNIFE, BOOTSTRAP]))
    options = {"intervals": asked, "slices": SLICES[kind]}
    wanted = numbers(tally(kind, spec, **options), rows)
    made = tally(kind, spec, **options)
    for a, b in pairwise(edges):
        made.add(scored(rows[a:b], a))
        if data_.draw(st.booleans()):
            arrays = made.pack()
            assert all(array.dtype.kind in "iuf" for array in arrays.values())
            made = tally(kind, spec, **options)
            made.unpack(arrays)
    assert plain(vars(made.numbers())) == plain(vars(wanted))
    # Intervals and slices change no number.
    bare = numbers(tally(kind, spec), rows)
    assert plain(bare.loss["value"]) == plain(wanted.loss["value"])
    for name, found in bare.metrics.items():
        for part in ("value", "curve"):
            assert plain(found.get(part)) == plain(wanted.metrics[name].get(part))


def few_rows(case, data_, most, asked):
    """Draw rows; return them, a metric of them, its ends and values, and those without each row."""
    kind, spec = case
    rows, made = data_.draw(data(kind, least=3, most=most)), metric(spec)
    found = next(iter(numbers(tally(kind, spec, intervals=asked), rows).metrics.values()))
    ends, value = each_pair(found["interval"], found["value"])
    count = len(rows.t)
    others = [rows[np.arange(count) != row] for row in range(count)]
    left = np.array([made(o.y, o.t, sample_weight=o.weight) for o in others]).reshape(count, -1)
    if spec == "confusion_matrix":
        left = left * (value.sum() / left.sum(1, keepdims=True))
    return rows, made, ends, value, left


@EACH
@few
@given(st.data())
def test_the_jackknife_of_few_rows_leaves_each_out_once(case, data_):
    rows, made, ends, value, left = few_rows(case, data_, 12, JACKKNIFE)
    count = len(left)
    if count < 5:
        assert np.isnan(ends).all()
        return
    weight = np.ones(count) if rows.weight is None else rows.weight
    weight = weight.reshape(count, -1).sum(1)
    change, freedom = left - value, degrees_of_freedom(weight, weight**2)
    error = np.sqrt((count - 1) / count * (change**2).sum(0))
    if made.is_mean:
        # The change of a mean without a row, times the weight of the others, is w (l - m).
        rest = (weight.sum() - weight)[:, np.newaxis] / weight.sum()
        error = np.sqrt(count / (count - 1) * ((change * rest) ** 2).sum(0))
        freedom = max(1.0, (weight**2).sum() ** 2 / (weight**4).sum() - 1)
    if freedom < 2:
        assert np.isnan(ends).all()
        return
    half = student.ppf(0.95, freedom) * error
    wanted = np.array([value - half, value + half])
    if made.bounds == (0.0, np.inf):
        with np.errstate(all="ignore"):
            factor = np.exp(half / value)
            wanted = np.where(value > 0, [value / factor, value * factor], wanted)
    wanted = np.clip(wanted, *made.bounds)
    there = np.isfinite(wanted).all(0) & (half > 1e-9)
    np.testing.assert_allclose(ends[:, there], wanted[:, there], rtol=1e-7, atol=1e-9)
    assert np.isnan(ends[:, half == 0]).all()


@pytest.mark.turns(4)
@EACH
@few
@given(st.data())
def test_the_bootstrap_of_few_rows_weighs_them_by_how_often_they_were_drawn(case, data_):
    rows, made, ends, value, left = few_rows(case, data_, 8, BOOTSTRAP)
    count = len(left)
    every = np.ones(count) if rows.weight is None else rows.weight
    if np.isnan(ends).all() and (count < 6 or degrees_of_freedom(every, every**2) < 2):
        return
    draws = np.random.default_rng([3, count]).integers(count, size=(100, count))
    # Rows are drawn in the order of their keys.
    draws = np.argsort(hashed_numbers(np.arange(count)))[draws]
    weight = np.ones(count) if rows.weight is None else rows.weight
    results = []
    for draw in draws:
        times = weight * np.bincount(draw, minlength=count)
        result = np.ravel(made(rows.y, rows.t, sample_weight=times))
        if case[1] == "confusion_matrix":
            result = result * (value.sum() / result.sum())
        results.append(result)
    results = np.array(results)
    for number in range(value.size):
        known = results[:, number][~np.isnan(results[:, number])]
        if len(known) < 90 or np.isnan(value[number]):
            assert np.isnan(ends[:, number]).all()
            continue
        if np.abs(known).max() > 1e9:
            # A draw of equal targets alone: its R^2 has rounding errors for a divisor.
            continue
        wanted = np.quantile(known, shares_of(known, left[:, number], value[number], 0.9))
        if np.isnan(ends[0, number]):
            # The draws say nothing: nothing varies, or both ends are the same draw.
            assert np.ptp(known) < 1e-9 or np.ptp(wanted) == 0
            continue
        wanted = np.clip(wanted, *made.bounds)
        assert ends[:, number] == pytest.approx(wanted, rel=1e-6, abs=1e-9)


# Rows at the edge of a bin, which are gathered, have a large part in the spread of the last.
GATHERED = {"roc_auc": 0.02, "average_precision": 0.05, "calibration_error": 0.3}


@pytest.mark.parametrize(("name", "share"), GATHERED.items())
@pytest.mark.parametrize("asked", [JACKKNIFE, BOOTSTRAP], ids=["jackknife", "bootstrap"])
def test_gathering_scores_hardly_moves_an_interval(monkeypatch, name, share, asked):
    spec = {"name": name, "strategy": "quantile"} if name == "calibration_error" else name
    rng = np.random.default_rng(5)
    y = rng.random(2000)
    rows = Drawn(y, (rng.random(2000) < y**2).astype(int), rng.uniform(0.5, 2, 2000))
    exact = next(iter(numbers(tally("single", spec, intervals=asked), rows).metrics.values()))
    monkeypatch.setattr("lossfw.metrics.sums._MOST_COLUMNS", 1500)
    rough = next(iter(numbers(tally("single", spec, intervals=asked), rows).metrics.values()))
    assert rough["value"] == exact["value"]
    assert rough["interval"] != exact["interval"]
    width = np.diff(exact["interval"])[0]
    assert rough["interval"] == pytest.approx(exact["interval"], abs=share * width)


@EACH
@few
@given(st.data())
def test_a_slice_has_the_numbers_of_its_rows(case, data_):
    kind, spec = case
    rows = data_.draw(data(kind))
    made = tally(kind, spec, slices=SLICES[kind])
    found = numbers(made, rows)
    weight = np.ones(len(rows.t)) if rows.weight is None else rows.weight
    losses = row_losses(kind, rows)
    for part in SLICES[kind]:
        own = [entry for entry in found.slices if entry["name"] == part.name]
        assert sum(entry["count"] for entry in own) == len(rows.t)
        labels = labels_of(part, kind, rows, weight, losses)
        for entry in own:
            mask = labels == entry["value"]
            assert entry["by"] == part.by
            assert entry["count"] == mask.sum()
            assert entry["weight"] == pytest.approx(weight[mask].sum())
            (value,) = (m["value"] for m in entry["metrics"].values())
            if not mask.any():
                assert value is None
                assert entry["loss"]["value"] is None
                continue
            inside = rows[mask]
            wanted = np.asarray(metric(spec)(inside.y, inside.t, sample_weight=inside.weight))
            assert np.asarray(value) == pytest.approx(wanted, rel=1e-12, abs=1e-15, nan_ok=True)
            mean = np.average(losses[mask], weights=weight[mask])
            assert entry["loss"]["value"] == pytest.approx(mean)


def row_losses(kind, rows):
    t = rows.t if kind == "rows" else rows.t.astype(float)
    return LOSSES.get(kind, SQUARED)(rows.y, t, reduction="none")


def labels_of(part, kind, rows, weight, losses):
    y = rows.y
    if kind == "single":
        y = np.stack([1 - y, y], 1)
    by = {
        "target": lambda: rows.t,
        "prediction": lambda: y,
        "prediction.max": lambda: y.max(1),
        "prediction.argmax": lambda: y.argmax(1),
        "prediction.entropy": lambda: -(y * np.log(y)).sum(1),
        "loss": lambda: losses,
        "weight": lambda: weight,
    }[part.by]()
    if part.bins:
        return np.array(part.labels)[np.digitize(by, part.bins)]
    return np.array([str(int(value)) for value in by])


def test_a_slice_without_rows_is_shown_and_a_nan_has_a_part_of_its_own():
    y = np.array([[0.2, 0.8], [math.nan, 0.5]])
    slices = [Slice.of("target"), Slice.of("prediction.argmax"), Slice("s", "loss", [1.0])]
    made = tally("rows", "accuracy", intervals=JACKKNIFE, slices=slices)
    made.add(PredictedBatch(0, y, None, np.array([1, 1]), None))
    found = [(part["value"], part["count"]) for part in made.numbers().slices]
    by_prediction = [("0", 0), ("1", 1), ("nan", 1)]
    by_loss = [("< 1", 1), (">= 1", 0), ("nan", 1)]
    assert found == [("0", 0), ("1", 2), *by_prediction, *by_loss]
    empty = made.numbers().slices[0]
    assert empty["loss"] == empty["metrics"]["accuracy"] == {"value": None, "interval": None}


def test_metrics_and_slices_see_predictions_and_the_loss_its_logits():
    logits = np.array([[0.0, 3.0], [1.0, 0.0]])
    predictions = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    loss = lossfw.loss("cross_entropy", from_logits=True)
    more = [metric("calibration_error"), LossMetric(of="brier"), LossMetric(of=loss)]
    made = Accumulator(loss, more, slices=[Slice("sure", "prediction.max", [0.9])])
    targets = np.array([1, 1])
    made.add(PredictedBatch(0, logits, predictions, targets, None))
    found = made.numbers()
    assert found.loss["value"] == found.metrics["cross_entropy"]["value"]
    assert found.metrics["brier"]["value"] == lossfw.loss("brier")(predictions, targets)
    assert [part["count"] for part in found.slices] == [1, 1]
    # Logits alone do not tell rows apart as predictions do.
    rows = PredictedBatch(0, logits, None, targets, None)
    made = Accumulator(loss, [], slices=[Slice.of("prediction.argmax")])
    made.add(rows)
    assert [part["count"] for part in made.numbers().slices] == [1, 1]
    made = Accumulator(loss, [], slices=[Slice("s", "prediction.max", [0.5])])
    with pytest.raises(ArgumentError, match="needs predictions, but there are only logits"):
        made.add(rows)


@pytest.mark.parametrize(
    ("part", "y", "t", "message"),
    [
        (Slice.of("target"), [0.5, 0.5], [1.0, 0.5], r"target\[11\] = 0.5 is not a class: give"),
        (Slice("s", "prediction", [1.0]), np.eye(2), np.eye(2), "slice by: prediction.max"),
        (Slice("s", "prediction.max", [1.0]), [2.0, 0.5], [1.0, 0.0], r"prediction\[10\] = 2 is"),
        (Slice("s", "target", [1.0]), np.eye(2), np.eye(2), "one number for each row"),
        (Slice.of("target"), np.zeros(1001), np.arange(1001.0), "1001 parts; at most 1000"),
    ],
)
def test_what_does_not_tell_rows_apart_is_refused(part, y, t, message):
    made = Accumulator(SQUARED, [], slices=[part])
    with pytest.raises((ArgumentError, DomainError), match=message):
        made.add(PredictedBatch(10, np.asarray(y), None, np.asarray(t), None))


@pytest.mark.parametrize("weight", [None, (6,), (6, 3)], ids=str)
def test_a_row_of_several_elements_is_left_out_as_one(weight):
    rng = np.random.default_rng(2)
    y, t = rng.normal(size=(6, 3)), rng.normal(size=(6, 3))
    w = None if weight is None else rng.uniform(0.5, 2, weight)
    loss = lossfw.loss({"name": "masked", "of": "squared_error", "ignore": t[1, 2]})
    bad = Slice("bad", "loss", [1.5])
    made = Accumulator(loss, [metric("mse")], intervals=JACKKNIFE, slices=[bad])
    made.add(PredictedBatch(0, y, None, t, w))
    found = made.numbers()

    def mean(function, rows):
        return function(y[rows], t[rows], sample_weight=None if w is None else w[rows])

    every = np.arange(6)
    for function, numbers_ in ((loss, found.loss), (metric("mse"), found.metrics["mse"])):
        value = mean(function, every)
        assert numbers_["value"] == value
        # Rows of unequal weight have fewer degrees of freedom.
        assert numbers_["interval"][0] < value < numbers_["interval"][1]
        if weight is None and function is not loss:
            left = np.array([mean(function, every != row) for row in every])
            half = student.ppf(0.95, 5) * math.sqrt(5 / 6 * ((left - value) ** 2).sum())
            factor = math.exp(half / value)
            assert numbers_["interval"] == pytest.approx([value / factor, value * factor])
    single = np.array([mean(loss, [row]) for row in every])
    low, high = found.slices
    assert [low["count"], high["count"]] == [(single < 1.5).sum(), (single >= 1.5).sum()]
    assert high["loss"]["value"] == pytest.approx(mean(loss, single >= 1.5))
    assert high["metrics"]["mse"]["value"] == pytest.approx(mean(metric("mse"), single >= 1.5))
    assert low["weight"] + high["weight"] == pytest.approx(6 if w is None else w.sum())


def test_a_matrix_that_is_too_large_has_no_intervals(monkeypatch):
    monkeypatch.setattr("lossfw_std.metrics.confusion_matrix._MOST_NUMBERS", 10)
    rows = Drawn(np.array([0.1, 0.9, 0.8]), np.array([0, 1, 0]), None)
    found = numbers(tally("single", "confusion_matrix", intervals=JACKKNIFE), rows)
    assert found.metrics["confusion_matrix"]["interval"] == [[None, None], [None, None]]


def test_the_targets_mean_of_a_replicate_loses_no_digit():
    t = 1e8 + np.array([1.0, 2.0, 3.0, 5.0, 6.0])
    near = numbers(tally("numbers", "r2", intervals=JACKKNIFE), Drawn(t - 1e8 + 0.5, t - 1e8, None))
    far = numbers(tally("numbers", "r2", intervals=JACKKNIFE), Drawn(t + 0.5, t, None))
    assert far.metrics["r2"]["value"] == near.metrics["r2"]["value"]
    assert far.metrics["r2"]["interval"] == pytest.approx(near.metrics["r2"]["interval"], rel=1e-12)


class Kept(int):
    def merge(self, other):
        return Kept(self + other)


class Own(Metric):
    """A metric of an author who keeps nothing of single rows."""

    def partial(self, prediction, target, *, start=0, sample_weight=None, where=None):
        return Kept(len(prediction))

    def result(self, partial):
        return float(partial)


def test_a_metric_of_its_own_kind_has_no_intervals():
    rows = PredictedBatch(0, np.zeros(3), None, np.zeros(3), None)
    made = Accumulator(SQUARED, [Own()])
    made.add(rows)
    made.add(rows._replace(start=3))
    assert made.numbers().metrics == {"own": {"value": 6.0}}
    for asked in ({"intervals": JACKKNIFE}, {"slices": [Slice.of("target")]}):
        with pytest.raises(ArgumentError, match="value per row, which own does not keep"):
            Accumulator(SQUARED, [Own()], **asked)
    with pytest.raises(ArgumentError, match="value per row, which own does not keep"):
        Own().observe(MetricRows(np.zeros(3), np.zeros(3)))

"""Metrics of classes and of shares of rows, against formulas that are written otherwise."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossfw
from lossfw import DomainError, ShapeError
from support.drawn import EVERY, data, each, label, metric

EACH = each()


def same(found, wanted):
    np.testing.assert_array_equal(np.asarray(found), np.asarray(wanted))


@EACH
def test_a_nan_in_a_prediction_reaches_the_result(case):
    kind, spec = case
    made = metric(spec)
    rng = np.random.default_rng(1)
    if kind == "rows":
        y, t = rng.dirichlet(np.ones(3), 30), rng.integers(0, 3, 30)
        y[5, (t[5] + 1) % 3] = math.nan
    elif kind == "columns":
        y, t = rng.normal(size=(30, 2)), rng.normal(size=30)
        y[5, 0] = math.nan
    else:
        y, t = rng.random(30), rng.integers(0, 2, 30).astype(float)
        y[5] = math.nan
    found = np.asarray(made(y, t))
    if spec == "confusion_matrix" or (isinstance(spec, dict) and spec.get("name") == "recall"):
        if isinstance(spec, dict) and spec["average"] == "micro":
            assert np.isnan(found)
            return
        # Only of the target's class is anything not known.
        assert np.isnan(found[int(t[5])]).all()
        assert not np.isnan(np.delete(found, int(t[5]), 0)).any()
    else:
        assert np.isnan(found).all()


CLASS_CASES = [case for case in EVERY if case[0] in ("rows", "single")]


@pytest.mark.parametrize("case", CLASS_CASES, ids=label)
@pytest.mark.parametrize("masked", [False, True])
def test_a_target_that_is_no_class_is_named(case, masked):
    kind, spec = case
    y = np.full((9, 3), 1 / 3) if kind == "rows" else np.full(9, 0.5)
    t = np.zeros(9, int) if kind == "rows" else np.zeros(9)
    t[7] = 3 if kind == "rows" else 0.25
    where = None
    if masked:
        where = np.ones(9, bool)
        where[0] = False
    with pytest.raises(DomainError, match=r"target\[107\] = (3|0.25) is not a class"):
        metric(spec).partial(y, t, start=100, where=where)


@pytest.mark.parametrize("name", ["accuracy", "balanced_accuracy", "recall"])
def test_margins_are_judged_by_a_threshold(name):
    y, t = np.array([-3.0, 0.5, 2.0, -0.1]), np.array([-1, -1, 1, 1])
    wanted = metric(name)((y > 0).astype(float), (t > 0).astype(int))
    assert metric({"name": name, "threshold": 0})(y, t) == wanted


@given(data("single"))
def test_one_column_two_columns_and_one_hot_rows_agree(rows):
    two, hot = np.stack([1 - rows.y, rows.y], 1), np.eye(2)[rows.t]
    for spec in ("accuracy", "f1", "confusion_matrix", "roc_auc", "average_precision"):
        options = {"sample_weight": rows.weight}
        wanted = metric(spec)(rows.y, rows.t, **options)
        same(metric(spec)(rows.y[:, None], rows.t[:, None], **options), wanted)
        same(metric(spec)(rows.y, rows.t * 2 - 1, **options), wanted)
        if not (rows.y == 0.5).any() or spec in ("roc_auc", "average_precision"):
            same(metric(spec)(two, rows.t, **options), wanted)
            same(metric(spec)(two, hot, **options), wanted)


@given(data("single"), st.integers(1, 6))
def test_quantile_bins_have_numpy_s_quantiles_as_edges(rows, bins):
    winning = np.maximum(rows.y, 1 - rows.y)
    edges = np.quantile(
        winning, np.arange(1, bins) / bins, method="inverted_cdf", weights=rows.weight
    )
    right = (rows.y > 0.5) == rows.t
    weight = np.ones(len(winning)) if rows.weight is None else rows.weight
    number = np.searchsorted(edges, winning, side="left")
    wanted = (
        sum(abs((weight * (right - winning))[number == bin_].sum()) for bin_ in range(bins))
        / weight.sum()
    )
    spec = {"name": "calibration_error", "bins": bins, "strategy": "quantile"}
    found = metric(spec)(rows.y, rows.t, sample_weight=rows.weight)
    # Where a sum of real weights is a quantile but for rounding, either bin is right.
    if rows.weight is None or (rows.weight == np.round(rows.weight)).all():
        assert found == pytest.approx(wanted, rel=1e-12, abs=1e-12)


CLOSE = {"rel": 1e-10, "abs": 1e-10}


def weights_of(drawn):
    return np.ones(len(drawn.t)) if drawn.weight is None else drawn.weight


def pairs(order, t, w):
    """Return the sum over all pairs of w w' (t - t') where the order says that t is the larger."""
    both = w[:, None] * w * (t[:, None] - t)
    return (both * np.sign(order[:, None] - order)).sum()


@given(data("counts", least=2))
def test_gini_of_numbers_is_a_sum_over_pairs(drawn):
    weight = weights_of(drawn)
    found = lossfw.metric("gini")(drawn.y, drawn.t, sample_weight=drawn.weight)
    best = pairs(drawn.t, drawn.t, weight)
    if best == 0:
        assert np.isnan(found)
        return
    assert found == pytest.approx(pairs(drawn.y, drawn.t, weight) / best, **CLOSE)


def taken(y, t, w, wanted):
    """Return the mean target of the first rows, taken one after the other."""
    order = np.argsort(-y, kind="stable")
    got = mass = 0.0
    for value in np.unique(y[order])[::-1]:
        rows = y == value
        part = min(1.0, max(0.0, wanted - mass) / w[rows].sum())
        got += part * (w[rows] * t[rows]).sum()
        mass += w[rows].sum()
    return got / wanted


@given(data("counts", least=2))
def test_lift_takes_rows_until_the_share_is_full(drawn):
    weight = weights_of(drawn)
    mean = (weight * drawn.t).sum() / weight.sum()
    if mean == 0:
        return
    for spec, wanted in (
        ({"fraction": 0.25}, 0.25 * weight.sum()),
        ({"fraction": 1.0}, weight.sum()),
        ({"k": 2}, min(2.0, weight.sum())),
    ):
        found = lossfw.metric("lift", **spec)(drawn.y, drawn.t, sample_weight=drawn.weight)
        wanted = taken(drawn.y, drawn.t, weight, wanted) / mean
        assert found == pytest.approx(wanted, **CLOSE)


@given(data("numbers"))
def test_bias_is_the_ratio_of_the_sums(drawn):
    weight = weights_of(drawn)
    total = (weight * drawn.t).sum()
    if abs(total) < 1e-3:
        return
    found = lossfw.metric("bias")(drawn.y, drawn.t, sample_weight=drawn.weight)
    assert found == pytest.approx((weight * drawn.y).sum() / total, rel=1e-9)


@pytest.mark.parametrize("name", ["gini", "lift"])
def test_what_has_no_order_or_no_share_is_told(name):
    metric = lossfw.metric(name)
    with pytest.raises(ShapeError, match=f"{name} ranks the rows by one number.*roc_auc"):
        metric([[0.1, 0.2]], [[0.0, 1.0]])
    with pytest.raises(DomainError, match=r"target.* = -1 lies outside NONNEGATIVE"):
        metric([0.1, 0.2], [0.0, -1.0])
    assert np.isnan(metric([0.1, np.nan], [0.0, 1.0]))


def test_a_row_that_adds_nothing_to_the_sums_is_a_row():
    # Of each of the five rows one is left out: also of the first, whose terms are 0.
    y, t = np.array([0.0, 0.25, 0.75, 0.5, 0.25]), np.array([0.0, 2.0, 2.0, 0.0, 3.0])
    config = {
        "data": {"targets": t},
        "network": {"predictions": y},
        "loss": "squared_error",
        "evaluate": {"metrics": ["bias"], "intervals": {"level": 0.9}},
    }
    found = lossfw.run(config).numbers.metrics["bias"]["interval"]
    left = np.array([np.delete(y, i).sum() / np.delete(t, i).sum() for i in range(5)])
    spread = np.sqrt(4 / 5 * ((left - y.sum() / t.sum()) ** 2).sum())
    assert found[1] - found[0] == pytest.approx(2 * 2.13184678633629 * spread, rel=1e-9)
    assert np.isnan(lossfw.metric("bias")([0.0], [0.0]))

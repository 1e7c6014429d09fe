"""What metrics of classes refuse, and where NaN, columns and thresholds lead."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossfw import DomainError
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

"""Gini, lift and bias against formulas that are written otherwise."""

import numpy as np
import pytest
from hypothesis import given

import lossfw
from lossfw import DomainError, ShapeError
from support.drawn import data

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

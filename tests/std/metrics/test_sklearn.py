"""Values agree with scikit-learn's to 1e-12 on drawn data with weights."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.drawn import data, metric

sk = pytest.importorskip("sklearn.metrics")
calibration = pytest.importorskip("sklearn.calibration")

AVERAGES = ("macro", "micro", "none")
CLOSE = {"rel": 1e-12, "abs": 1e-12}


def columns(drawn):
    """Return predictions with a column for each class."""
    return drawn.y if drawn.y.ndim == 2 else np.stack([1 - drawn.y, drawn.y], 1)


def chosen(drawn):
    if drawn.y.ndim == 2:
        return drawn.y.argmax(1)
    return (drawn.y > 0.5).astype(int)


def ours(spec, drawn):
    return metric(spec)(drawn.y, drawn.t, sample_weight=drawn.weight)


def theirs(function, *arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of classes without rows, which are meant
        return function(*arguments, **options)


CLASSES = st.sampled_from(["rows", "single"]).flatmap(data)


@given(data("rows"), st.integers(1, 3))
def test_top_k(drawn, k):
    rng = np.random.default_rng(0)
    # Without ties, of which scikit-learn takes the last.
    y = drawn.y + rng.random(drawn.y.shape) * 1e-6
    classes = y.shape[1]
    if classes < 3 or k >= classes:
        return
    options = {"k": k, "labels": range(classes), "sample_weight": drawn.weight}
    wanted = theirs(sk.top_k_accuracy_score, drawn.t, y, **options)
    assert ours({"name": "top_k", "k": k}, drawn._replace(y=y)) == pytest.approx(wanted, **CLOSE)


@given(CLASSES, st.sampled_from(AVERAGES))
def test_precision_recall_and_f1(drawn, average):
    classes = columns(drawn).shape[1]
    options = {"average": None, "labels": range(classes)} if average == "none" else {}
    options |= {} if average == "none" else {"average": average}
    for name in ("precision", "recall", "f1"):
        wanted = getattr(sk, f"{name}_score")(
            drawn.t, chosen(drawn), sample_weight=drawn.weight, zero_division=0, **options
        )
        found = ours({"name": name, "average": average}, drawn)
        assert found == pytest.approx(wanted.tolist() if average == "none" else wanted, **CLOSE)


@given(CLASSES)
def test_the_confusion_matrix(drawn):
    options = {"labels": range(columns(drawn).shape[1]), "sample_weight": drawn.weight}
    wanted = sk.confusion_matrix(drawn.t, chosen(drawn), **options)
    np.testing.assert_allclose(ours("confusion_matrix", drawn), wanted, rtol=1e-12)


@given(CLASSES)
def test_areas(drawn):
    y, t = columns(drawn), drawn.t
    classes = range(y.shape[1]) if y.shape[1] > 2 else [1]
    sides = [(t == k).astype(int) for k in classes]
    complete = all(0 < side.sum() < len(side) for side in sides)
    if not complete:
        assert np.isnan(ours("roc_auc", drawn))
    if any(side.sum() == 0 for side in sides):
        assert np.isnan(ours("average_precision", drawn))
        return
    for name, function in (
        ("roc_auc", sk.roc_auc_score),
        ("average_precision", sk.average_precision_score),
    ):
        if name == "roc_auc" and not complete:
            continue
        each = zip(classes, sides, strict=True)
        wanted = np.mean([function(s, y[:, k], sample_weight=drawn.weight) for k, s in each])
        assert ours(name, drawn) == pytest.approx(wanted, **CLOSE)


REGRESSION = {
    "mse": sk.mean_squared_error,
    "rmse": sk.root_mean_squared_error,
    "mae": sk.mean_absolute_error,
    "r2": sk.r2_score,
}


@given(data("numbers", least=2))
def test_regression(drawn):
    t = np.stack([drawn.t, drawn.t[::-1] * 2], 1)
    several = drawn._replace(y=np.stack([drawn.y, drawn.y + 1], 1), t=t)
    for name, function in REGRESSION.items():
        # scikit-learn takes the mean of the roots of several columns.
        alone = name == "rmse" or len(drawn.t) < 4
        for one in (drawn,) if alone else (drawn, several):
            wanted = function(one.t, one.y, sample_weight=one.weight)
            assert ours(name, one) == pytest.approx(wanted, **CLOSE)


@given(data("single"), st.integers(1, 8))
def test_the_reliability_curve(drawn, bins):
    y = drawn.y
    winning, right = np.maximum(y, 1 - y), (chosen(drawn) == drawn.t).astype(int)
    spec = {"name": "calibration_error", "bins": bins}
    made = metric(spec)
    curve = made.curve(made.partial(y, drawn.t))
    share, confidence = calibration.calibration_curve(right, winning, n_bins=bins)
    np.testing.assert_allclose(curve["confidence"], confidence, rtol=1e-12)
    np.testing.assert_allclose(curve["accuracy"], share, rtol=1e-12)
    weight = np.array(curve["weight"])
    wanted = np.sum(weight * np.abs(share - confidence)) / weight.sum()
    assert made(y, drawn.t) == pytest.approx(wanted, **CLOSE)

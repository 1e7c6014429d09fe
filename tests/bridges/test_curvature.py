"""The curvature of a row: no rule explodes, and each does what it says."""

import numpy as np
import pytest

import lossfw
from lossfw.errors import ArgumentError, DivergenceError, DomainError, ShapeError
from lossfw.learning.curvature import LEAST
from lossfw.learning.derivatives import derivatives

RESIDUALS = np.array([-1e4, -30.0, -2.0, -0.3, 0.0, 1e-9, 0.2, 1.7, 50.0, 1e6])


@pytest.mark.parametrize(
    ("loss", "rule"),
    [
        ("squared_error", "exact"),
        ("expectile", "exact"),
        ("gaussian_nll", "exact"),
        ("logistic", "exact"),
        ("binary_cross_entropy", "exact"),
        ("huber", "bound"),
        ("absolute_error", "bound"),
        ("tukey", "bound"),
        ("absolute_percentage_error", "bound"),
        ({"name": "sum", "of": ["huber", "absolute_error"]}, "bound"),
        ("hinge", "gradient"),
        ("focal", "gradient"),
        ("poisson_deviance", "gradient"),
        ("categorical_focal", "gradient"),
        ("cross_entropy", "softmax"),
        ({"name": "label_smoothed", "of": "cross_entropy", "smoothing": 0.1}, "softmax"),
        ({"name": "class_weighted", "of": "cross_entropy", "weights": [1, 2, 3]}, "softmax"),
        ({"name": "scaled", "of": "cross_entropy", "scale": 3.0}, "softmax"),
    ],
)
def test_what_auto_makes_of_a_loss(loss, rule):
    assert derivatives(loss).rule == rule


@pytest.mark.parametrize(
    "loss",
    ["huber", "pseudo_huber", "log_cosh", "fair", "cauchy", "welsch", "tukey", "geman_mcclure"],
)
def test_the_bound_of_a_smooth_loss_of_the_residual_is_a_parabola_above_it(loss):
    loss = lossfw.loss(loss)
    t = np.full_like(RESIDUALS, 3.0)
    g, h = derivatives(loss, "bound")(RESIDUALS + t, t)
    value = loss(RESIDUALS + t, t, reduction="none")
    for move in (-1e3, -1.0, 0.5, 20.0):
        moved = loss(RESIDUALS + t + move, t, reduction="none")
        above = value + g * move + 0.5 * h * move * move
        assert (moved <= above + 1e-6 * (1 + above)).all()


@pytest.mark.parametrize("curvature", ["auto", "bound", "gradient", "one"])
@pytest.mark.parametrize("loss", ["absolute_error", "quantile", "epsilon_insensitive"])
def test_a_kinked_loss_has_finite_steps_above_zero(loss, curvature):
    g, h = derivatives(loss, curvature)(RESIDUALS, np.zeros_like(RESIDUALS))
    assert (h > 0).all()
    assert np.isfinite(g / h).all()


def test_the_gradient_rule_bounds_the_step_by_one_and_by_newtons():
    y, t = np.linspace(-40.0, 40.0, 81), np.ones(81)
    exact = lossfw.loss("savage").hessian(y, t, reduction="none")
    g, h = derivatives("savage", "gradient")(y, t)
    assert (np.abs(g) <= h * (1 + 1e-12)).all()
    assert (h >= exact).all()


def test_a_kink_gets_the_curvature_of_a_square_as_wide_as_a_typical_residual():
    # XGBoost 3.4 has the same for its absolute error: d / sqrt(d^2 + r^2), d = mean(sqrt|r|)^2.
    r, w = np.array([1.0, 4.0, 9.0]), np.array([1.0, 2.0, 1.0])
    typical = (np.sqrt(r) * w).sum() / w.sum()
    _, h = derivatives("absolute_error")(r, np.zeros(3), w)
    assert h == pytest.approx(w / np.hypot(r, typical**2))


def test_a_distance_whose_square_overflows_has_the_least_curvature():
    _, h = derivatives("absolute_error")(np.array([1e200, 2e200]), np.zeros(2))
    assert h.tolist() == [LEAST, LEAST]


def test_weights_multiply_gradients_and_curvatures_once():
    y, t, w = np.array([0.1, -2.0]), np.array([1.0, 0.5]), np.array([2.0, 0.0])
    for loss in ("huber", "squared_error", "savage"):
        labels = np.ones(2) if loss == "savage" else t
        alone, weighted = derivatives(loss)(y, labels), derivatives(loss)(y, labels, w)
        for one, other in zip(alone, weighted, strict=True):
            assert other == pytest.approx(one * w)


def test_labels_of_two_classes_have_either_code():
    y = np.array([0.3, -0.2, 2.0])
    for one, other in zip(
        derivatives("logistic")(y, np.array([0.0, 1.0, 1.0])),
        derivatives("logistic")(y, np.array([-1.0, 1.0, 1.0])),
        strict=True,
    ):
        assert one.tolist() == other.tolist()


@pytest.mark.parametrize(
    ("loss", "curvature", "words"),
    [
        ("quantile", "exact", "kinks"),
        ("poisson_deviance", "bound", "gradient_lipschitz"),
        ("huber", "newton", "choose one of auto, exact"),
        ("brier", "auto", "SIMPLEX"),
        ("zero_one", "auto", "no model can be trained"),
    ],
)
def test_what_cannot_be_used_is_refused_at_once(loss, curvature, words):
    with pytest.raises(ArgumentError, match=words):
        derivatives(loss, curvature)


@pytest.mark.parametrize(
    ("loss", "raw", "target", "error", "words"),
    [
        ("huber", [0.0, 1.0], [0.0, np.nan], DomainError, r"target\[1\] = nan"),
        ("exponential", [0.0, -1e4], [1.0, 1.0], DivergenceError, "row 1 has the raw prediction"),
        ("huber", [0.0, np.nan], [0.0, 1.0], DivergenceError, "row 1"),
        ("cross_entropy", [0.0, 1.0], [0.0, 1.0], ShapeError, "number of classes"),
        ("cross_entropy", np.zeros((2, 3)), [0.0, 1.5], DomainError, r"target\[1\] = 1.5"),
        ("cross_entropy", np.zeros((2, 3)), [0.0, 3.0], DomainError, "3"),
        ("poisson_deviance", [0.0, 1.0], [0.0, -1.0], DomainError, "NONNEGATIVE"),
    ],
)
def test_bad_rows_are_told_with_their_place(loss, raw, target, error, words):
    with pytest.raises(error, match=words):
        derivatives(loss)(np.array(raw), np.array(target))


def test_gradients_that_are_all_zero_are_warned_of():
    with pytest.warns(RuntimeWarning, match="every gradient of perceptron is 0"):
        derivatives("perceptron")(np.zeros(3), np.array([0.0, 1.0, 1.0]))

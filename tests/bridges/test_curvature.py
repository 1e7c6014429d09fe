"""Gradients and curvatures of rows: no rule explodes, and each does what it says."""

import numpy as np
import pytest

import lossfw
from lossfw import Claims, DistanceLoss
from lossfw.errors import ArgumentError, DivergenceError, DomainError, ShapeError
from lossfw.learning.curvature import LEAST
from lossfw.learning.derivatives import FIRST_ROWS, derivatives, has_zero_gradients
from lossfw.learning.secant import NEAR, secant, typical_distance
from lossfw.losses.engine.engine_mode import use_engine

RNG = np.random.default_rng(8)
RAW = RNG.normal(size=50).astype(np.float32)
LABEL = (RNG.random(50) < 0.4).astype(np.float32)
WEIGHT = RNG.random(50)
RESIDUALS = np.array([-1e4, -30.0, -2.0, -0.3, 0.0, 1e-9, 0.2, 1.7, 50.0, 1e6])


CLASSES = {"name": "class_weighted", "of": "cross_entropy", "weights": [1, 2, 3]}
RULES = {
    "exact": ("squared_error", "expectile", "gaussian_nll", "logistic", "binary_cross_entropy"),
    "bound": ("huber", "absolute_error", "tukey", "absolute_percentage_error",
              {"name": "sum", "of": ["huber", "absolute_error"]}),
    "gradient": ("hinge", "focal", "poisson_deviance", "categorical_focal"),
    "softmax": ("cross_entropy", CLASSES, {"name": "scaled", "of": "cross_entropy", "scale": 3.0},
                {"name": "label_smoothed", "of": "cross_entropy", "smoothing": 0.1}),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "losses"), RULES.items())
def test_what_auto_makes_of_a_loss(losses, rule):
    assert [derivatives(loss).rule for loss in losses] == [rule] * len(losses)


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
    # A distance whose square overflows has the least curvature.
    _, h = derivatives("absolute_error")(np.array([1e200, 2e200]), np.zeros(2))
    assert h.tolist() == [LEAST, LEAST]


def test_weights_multiply_gradients_and_curvatures_once():
    y, t, w = np.array([0.1, -2.0]), np.array([1.0, 0.5]), np.array([2.0, 0.0])
    for loss in ("huber", "squared_error", "savage"):
        labels = np.ones(2) if loss == "savage" else t
        alone, weighted = derivatives(loss)(y, labels), derivatives(loss)(y, labels, w)
        for one, other in zip(alone, weighted, strict=True):
            assert other == pytest.approx(one * w)
    # Labels of two classes have either code.
    codes = (np.array([low, 1.0]) for low in (0.0, -1.0))
    for one, other in zip(*(derivatives("logistic")(y, code) for code in codes), strict=True):
        assert one.tolist() == other.tolist()
    with pytest.warns(RuntimeWarning, match="every gradient of perceptron is 0"):
        derivatives("perceptron")(np.zeros(3), np.array([0.0, 1.0, 1.0]))


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


@pytest.mark.parametrize("loss", ["squared_error", "binary_cross_entropy", "logistic"])
@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_float32_is_kept_where_second_derivatives_are_taken_as_they_are(loss, weight):
    of = derivatives(loss)
    narrow = of(RAW, of.prepare_targets(LABEL, weight, narrow=True))
    wide = of(RAW, LABEL, weight)
    assert narrow[0].dtype == np.float32
    assert wide[0].dtype == wide[1].dtype == np.float64
    for found, expected in zip(narrow, wide, strict=True):
        # Four units in the last place of float32.
        np.testing.assert_allclose(found, expected, rtol=4 * 2.0**-23)
    # Differences of gradients are taken in float64.
    of = derivatives("absolute_error")
    assert of.rule == "bound"
    assert {x.dtype for x in of(RAW, of.prepare_targets(LABEL, narrow=True))} == {np.dtype("f8")}


def test_targets_made_once_give_what_they_give_in_each_call_and_carry_the_weights():
    for loss in ("huber", "hinge", "poisson_deviance", "squared_error"):
        of = derivatives(loss)
        once = of(RAW, of.prepare_targets(LABEL, WEIGHT))
        for found, expected in zip(once, of(RAW, LABEL, WEIGHT), strict=True):
            np.testing.assert_array_equal(found, expected)
    with pytest.raises(DomainError, match="target\\[0\\]"):
        derivatives("hinge").prepare_targets([2.0])
    for loss in ({"name": "squared_error", "factor": 0.5}, "gaussian_nll"):
        of = derivatives(loss)
        assert of.rule == "exact"
        known = of.prepare_targets(LABEL, WEIGHT, narrow=True)
        assert of(RAW, known)[1] is of(-RAW, known)[1]
        expected = of.loss.hessian(
            np.float64(RAW), np.float64(LABEL), sample_weight=WEIGHT, reduction="none"
        )
        np.testing.assert_array_equal(of(RAW, LABEL, WEIGHT)[1], expected)


def test_a_start_is_dead_only_if_no_row_asks_for_a_step():
    of, target = derivatives("tukey"), np.full(2 * FIRST_ROWS, 1000.0)
    assert has_zero_gradients(of, 0.0, target)
    target[-1] = 1.0
    assert not has_zero_gradients(of, 0.0, target)
    assert has_zero_gradients(of, 0.0, target, np.where(target == 1.0, 0.0, 1.0))


# The secant of a mirrored loss, from the gradients that a round has computed already.

GRADIENTS = []


class Lopsided(DistanceLoss):
    skew: float = 2.0

    def value(self, xp, r):
        return xp.where(r > 0, self.skew * (xp.sqrt(1.0 + r * r) - 1.0), xp.log1p(r * r))

    def derivative(self, xp, r):
        GRADIENTS.append(r.size)
        return xp.where(r > 0, self.skew * r / xp.sqrt(1.0 + r * r), 2.0 * r / (1.0 + r * r))

    def second_derivative(self, xp, r):
        return xp.ones_like(r)


class Symmetric(Lopsided):
    def value(self, xp, r):
        return xp.log1p(r * r)

    def derivative(self, xp, r):
        GRADIENTS.append(r.size)
        return 2.0 * r / (1.0 + r * r)

    def claims(self):
        return Claims(symmetric=True, nonnegative=True)


def rows():
    """Return predictions beside targets, some of them as good as equal, and some weights of 0."""
    rng = np.random.default_rng(0)
    t = rng.normal(size=600)
    y = t + np.exp(2.0 * rng.normal(size=600)) * rng.choice([-1.0, 1.0], 600)
    y[:20] = t[:20]
    y[20:40] = t[20:40] * (1.0 + 1e-12)
    return y, t, np.where(np.arange(600) % 5, rng.random(600), 0.0)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", [Lopsided(), Symmetric(), lossfw.loss("quantile", q=0.8)])
def test_a_round_has_the_secant_of_both_sides(loss, weighted):
    y, t, w = rows()
    made = derivatives(loss, "bound")
    given = made.prepare_rows(y, t, w if weighted else None)
    gradients = given.compute(loss, "gradient")
    for has_kinks in (False, True):
        symmetric = isinstance(loss, Symmetric)
        found = secant(loss, given, gradients, symmetric=symmetric, has_kinks=has_kinks)
        a = np.maximum(np.abs(y - t), NEAR * (1.0 + np.abs(t)))
        up, down = (loss.gradient(t + side * a, t, reduction="none") for side in (1.0, -1.0))
        steepness = 0.5 * np.abs(up - down) * (w if weighted else 1.0)
        typical = typical_distance(a, steepness) if has_kinks else 0.0
        np.testing.assert_allclose(found, steepness / np.hypot(a, typical), rtol=1e-7)


@pytest.mark.parametrize(("loss", "times"), [(Lopsided(), 2), (Symmetric(), 1)])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_round_asks_for_each_gradient_once(loss, times, weighted):
    y, t, w = (x[40:] for x in rows())
    made = derivatives(loss, "bound")
    targets = made.prepare_targets(t, w + 0.5 if weighted else None)
    GRADIENTS.clear()
    with use_engine("tiles"):
        made(y, targets)
    assert sum(GRADIENTS) == times * len(y)


def test_an_infinite_prediction_does_not_hide_its_row():
    y, t, _ = rows()
    y[77] = np.inf
    with pytest.raises(lossfw.errors.DivergenceError, match="row 77"):
        derivatives(Lopsided(), "bound")(y, t)

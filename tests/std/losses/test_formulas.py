"""Formulas of the papers, bounds of parameters, distributions and quantiles of built-in losses."""

import math
from statistics import NormalDist

import mpmath as mp
import numpy as np
import pytest

import lossfw
from lossfw import ParameterError, ShapeError
from lossfw.losses.wrappers.base import Wrapper
from support.formulas import DIGITS, DISTANCES, MARGINS, PAIRS, ROWS, paper_value
from support.loss_settings import ALL, arguments
from support.reference_cases import NAMES


def test_every_built_in_loss_has_a_formula_here():
    registry = lossfw.registry()
    entries = [e for e in registry.entries("loss") if e.plugin.builtin]
    losses = {e.name for e in entries if not issubclass(registry.class_of(e), Wrapper)}
    assert losses - NAMES == {*DISTANCES, *MARGINS, *PAIRS, *ROWS}


@pytest.mark.parametrize("loss", ALL, ids=repr)
def test_the_formula_is_that_of_the_paper(loss):
    y, t = arguments(loss)
    values = loss(y, t, reduction="none")
    with mp.workdps(DIGITS):
        for one, other, exact, value in zip(y, t, loss.exact(y, t), values, strict=True):
            wanted = paper_value(loss, one, other)
            # mpmath before 1.4 finds two infinities unlike.
            same = mp.mpf(exact) == wanted or mp.almosteq(mp.mpf(exact), wanted, 1e-50, 1e-60)
            assert same, (one, other)
            # lossfw check holds it to its digits; this finds another formula.
            assert value == pytest.approx(float(wanted), rel=1e-7, abs=1e-12), (one, other)


inf, nan = math.inf, math.nan


SCALES = ("cauchy.c", "charbonnier.c", "fair.c", "geman_mcclure.c", "tukey.c", "welsch.c",
          "huber.delta", "pseudo_huber.delta", "gaussian_nll.variance", "hinge.margin",
          "squared_hinge.margin", "smoothed_hinge.gamma", "dwd.q",
          "absolute_percentage_error.floor", "binary_cross_entropy.pos_weight",
          "hinge_embedding.margin", "multiclass_hinge.margin")  # fmt: skip
SHARES = ("quantile.q", "expectile.q", "binary_cross_entropy.delta", "cross_entropy.delta",
          "kl_divergence.delta", "js_divergence.delta")  # fmt: skip
AT_LEAST_0 = ("epsilon_insensitive.epsilon", "focal.gamma", "categorical_focal.gamma",
              "categorical_focal.alpha", "tversky.alpha", "tversky.beta", "dice.smooth",
              "jaccard.smooth")  # fmt: skip


@pytest.mark.parametrize(
    ("parameter", "wrong"),
    [
        *((name, (0, -1, nan, inf, "1")) for name in SCALES),
        *((name, (0, 1, -0.1, 1.1)) for name in SHARES),
        *((name, (-0.5, nan)) for name in AT_LEAST_0),
        *((f"{name}.guard", ("clip",)) for name in ("binary_cross_entropy", "cross_entropy")),
        *((f"{name}_divergence.guard", ("clip",)) for name in ("kl", "js")),
        ("focal.alpha", (1.5,)),
        ("categorical_focal.alpha", ((1.0, -1.0), ())),
        ("cross_entropy.label_smoothing", (1.0, -0.1)),
        ("binary_cross_entropy.label_smoothing", (1.0, -0.1)),
        ("multiclass_hinge.power", (0, 3, 1.5)),
        ("poisson_nll.link", ("sqrt",)),
        ("cross_entropy.from_logits", (1,)),
        ("generalised_cross_entropy.q", (0.0, 1.1)),
        ("poly_cross_entropy.epsilon", (-1.5,)),
        ("multiclass_hinge.form", ("lee",)),
        ("cosine_distance.zero", ("none", -0.1, 2.5, None)),
        ("gamma_deviance.link", ("sqrt",)),
        ("tweedie_deviance.power", (0.5, 1e-9, 1 - 1e-9)),
    ],
)
def test_a_parameter_out_of_bounds_is_named(parameter, wrong):
    name, field = parameter.split(".")
    for value in wrong:
        with pytest.raises(ParameterError, match=field):
            lossfw.loss(name, **{field: value})


def test_an_alias_is_the_loss_that_it_names():
    entries = lossfw.registry().entries("loss")
    pairs = [(e.name, alias) for e in entries if e.plugin.builtin for alias in e.aliases]
    assert ("squared_error", "mse") in pairs
    assert all(lossfw.loss(alias) == lossfw.loss(name) for name, alias in pairs)


RNG = np.random.default_rng(5)


def test_vectors_have_one_size():
    with pytest.raises(ShapeError, match="vectors of 3 numbers, but target has 2"):
        lossfw.loss("energy_score")(np.zeros((5, 4, 3)), np.zeros((5, 2)))
    with pytest.raises(ShapeError, match=r"prediction has shape \(5, 3\)"):
        lossfw.loss("energy_score")(np.zeros((5, 3)), np.zeros((5, 3)))


@pytest.mark.parametrize("fair", [False, True])
def test_equal_members_share_the_derivative_of_both_sides(fair):
    loss = lossfw.loss("crps_ensemble", fair=fair)
    y, t = np.array([[1.0, 1.0, 2.0, 1.0, 0.5]]), np.array([1.0])
    derivatives = loss.gradient(y, t)
    np.testing.assert_allclose(
        derivatives, loss.exact(y, t, derivative=1).astype(float), rtol=1e-15
    )
    assert derivatives[0, 0] == derivatives[0, 1] == derivatives[0, 3]


def test_the_distribution_of_a_prediction():
    y = [[1.0, math.log(2.0)], [0.0, 0.0]]
    levels = [0.01, 0.5, 0.9]
    normal = [[NormalDist(m, math.exp(s)).inv_cdf(p) for p in levels] for m, s in y]
    np.testing.assert_allclose(lossfw.loss("crps_normal").quantiles(y, levels), normal, rtol=1e-12)
    logistic = [[m + math.exp(s) * math.log(p / (1 - p)) for p in levels] for m, s in y]
    np.testing.assert_allclose(lossfw.loss("crps_logistic").quantiles(y, levels), logistic)
    squares = [[m, 2 * s] for m, s in y]
    likelihood = lossfw.loss("heteroscedastic_gaussian_nll")
    np.testing.assert_allclose(likelihood.quantiles(squares, levels), normal, rtol=1e-12)
    ensemble = lossfw.loss("crps_ensemble")
    assert ensemble.quantiles([[3.0, 1.0, 2.0, 4.0]], [0.25, 0.26, 0.99]).tolist() == [[1, 2, 4]]
    assert ensemble.probabilities([[3.0, 1.0, 2.0, 4.0]], 3.0).tolist() == [0.75]


@pytest.mark.parametrize("levels", [[0.5, 0.5], [0.9, 0.1], [], [0.0, 0.5], [5, 95]])
def test_levels_increase_between_0_and_1(levels):
    with pytest.raises(ParameterError, match="levels"):
        lossfw.loss("multi_quantile", levels=levels)


def test_there_is_a_column_for_each_level():
    loss = lossfw.loss("multi_quantile", levels=[0.1, 0.9])
    with pytest.raises(ShapeError, match="3 columns; expected 2"):
        loss(np.zeros((4, 3)), np.zeros(4))
    halves = [lossfw.loss("quantile", q=q) for q in loss.levels]
    y, t = RNG.normal(size=(50, 2)), RNG.normal(size=50)
    mean = (halves[0](y[:, 0], t) + halves[1](y[:, 1], t)) / 2
    assert loss(y, t) == pytest.approx(mean)
    interval = lossfw.loss("interval_score", alpha=0.2)
    assert interval(y, t) == pytest.approx(mean * 2 * 2 / 0.2)

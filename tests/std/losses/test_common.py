"""Laws of every built-in loss, at all parameters of the settings."""

import math

import numpy as np
import pytest

import lossfw
from lossfw import DomainError, ParameterError
from lossfw.components.spaces import CLASS_INDEX, LOGITS, REAL, SIMPLEX
from lossfw.numerics.dual.derivatives import derivatives
from support.formulas import ROWS
from support.loss_settings import ALL, arguments

each = pytest.mark.parametrize("loss", ALL, ids=repr)
OF_CLASSES = [loss for loss in ALL if loss.target_space is CLASS_INDEX]
each_of_classes = pytest.mark.parametrize("loss", OF_CLASSES, ids=repr)
inf, nan = math.inf, math.nan


def predictions(loss):
    """Return six rows of three classes, well inside."""
    y = np.random.default_rng(5).dirichlet(np.ones(3), 6)
    return np.log(y) if loss.prediction_space in (LOGITS, REAL) else y


@each
def test_nan_stays_in_its_element_or_row(loss):
    y, t = (x[:3] for x in arguments(loss))
    for column in range(y.shape[-1] if loss.name in ROWS else 1):
        spoilt = y.copy()
        spoilt[(1, column) if loss.name in ROWS else 1] = nan
        for function in (loss, loss.gradient, loss.hessian):
            spoils = np.isnan(function(spoilt, t, reduction="none")).reshape(3, -1)
            assert spoils.any(axis=1).tolist() == [False, True, False]


@pytest.mark.parametrize("loss", [one for one in ALL if one.takes_rows], ids=repr)
def test_dual_numbers_through_a_slope_give_the_second_derivative_also_at_ties(loss):
    y, t = arguments(loss)
    if loss.prediction_space in (LOGITS, REAL):
        y, t = np.concatenate([y, np.zeros_like(y)]), np.concatenate([t, t])
    inner = y.min(axis=-1) > 0 if loss.prediction_space is SIMPLEX else np.full(len(y), True)
    if loss.name == "kl_divergence":
        inner &= t.min(axis=-1) > 0  # the slope to a target of 0 may be infinite
    y, t = y[inner], t[inner]
    columns = np.eye(y.shape[-1])

    def slope(xp, y):
        return loss.unreduced_gradient(xp, y, t)

    units = [np.broadcast_to(unit, y.shape) for unit in columns]
    matrix = [derivatives(slope, np, y, order=1, direction=unit)[1] for unit in units]
    diagonal = np.stack([row[:, k] for k, row in enumerate(matrix)], axis=-1)
    with np.errstate(all="ignore"):
        wanted = loss.unreduced_hessian(np, y, t)
    np.testing.assert_allclose(diagonal, wanted, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(matrix, np.transpose(matrix, (2, 1, 0)), rtol=1e-6, atol=1e-9)


@each_of_classes
def test_an_index_is_its_one_hot_row_and_one_row_is_a_row(loss):
    y, index = predictions(loss), np.arange(6) % 3
    hot = np.eye(3)[index]
    for function in (loss, loss.gradient, loss.hessian):
        found = function(y, index, reduction="none")
        assert found == pytest.approx(function(y, hot, reduction="none"), rel=1e-12, abs=1e-14)
        assert function(y[1], index[1], reduction="none") == pytest.approx(found[1], rel=1e-12)


@each_of_classes
def test_a_soft_target_is_the_mean_of_its_classes(loss):
    y, t = predictions(loss), np.random.default_rng(6).dirichlet(np.ones(3), 6)
    assert loss.claims().linear_in_target
    classes = [loss(y, np.full(6, k), reduction="none") for k in range(3)]
    mean = (np.stack(classes, -1) * t).sum(-1)
    assert loss(y, t, reduction="none") == pytest.approx(mean, rel=1e-12, abs=1e-14)


@each_of_classes
def test_a_sure_and_right_prediction_costs_nothing_where_that_is_claimed(loss):
    if loss.prediction_space is SIMPLEX and loss.claims().zero_at_target:
        assert loss(np.eye(3), np.arange(3), reduction="none").tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    "loss", [loss for loss in ALL if loss.prediction_space is SIMPLEX], ids=repr
)
def test_a_prediction_that_is_no_distribution_is_refused(loss):
    with pytest.raises(DomainError, match=r"prediction\[0\]"):
        loss([[2.0, 1.0, 0.0]], [[1.0, 0.0, 0.0]])


SCALES = ("cauchy.c", "charbonnier.c", "fair.c", "geman_mcclure.c", "tukey.c", "welsch.c",
          "huber.delta", "pseudo_huber.delta", "gaussian_nll.variance", "hinge.margin",
          "squared_hinge.margin", "smoothed_hinge.gamma", "dwd.q",
          "absolute_percentage_error.floor")  # fmt: skip
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


def test_messages_say_what_is_allowed():
    for name, wrong, words in (
        ("quantile", {"q": 0}, "q should be"),
        ("epsilon_insensitive", {"epsilon": -1}, "epsilon should be at least 0"),
        ("absolute_percentage_error", {"floor": -1}, "floor should be greater than 0"),
        ("gamma_deviance", {"link": "sqrt"}, "link should be 'identity' or 'log'"),
        ("tweedie_deviance", {"power": 0.5}, "power should be a number at or below 0, or at"),
    ):
        with pytest.raises(ParameterError, match=words):
            lossfw.loss(name, **wrong)


ALIASES = {
    "absolute_error": "l1 mae mean_absolute_error",
    "absolute_percentage_error": "mape mean_absolute_percentage_error",
    "binary_cross_entropy": "bce binary_crossentropy",
    "cross_entropy": "categorical_crossentropy softmax_cross_entropy",
    "dwd": "distance_weighted_discrimination",
    "generalised_cross_entropy": "gce generalized_cross_entropy",
    "hinge": "l1_hinge",
    "jaccard": "iou",
    "kl_divergence": "kl kld",
    "log_cosh": "logcosh",
    "logistic": "soft_margin",
    "quantile": "pinball",
    "smoothed_hinge": "smooth_hinge",
    "squared_error": "l2 mean_squared_error mse",
    "squared_hinge": "l2_hinge",
    "squared_log_error": "mean_squared_log_error msle",
    "tukey": "bisquare biweight",
}


def test_aliases():
    entries = lossfw.registry().entries("loss")
    known = {e.name: " ".join(sorted(e.aliases)) for e in entries if e.aliases and e.plugin.builtin}
    assert known == ALIASES
    for name, aliases in ALIASES.items():
        assert all(lossfw.loss(alias) == lossfw.loss(name) for alias in aliases.split())

"""Laws of every built-in loss, at all parameters of the settings."""

import math

import numpy as np
import pytest

import lossfw
from lossfw import ParameterError
from lossfw.components.spaces import LOGITS, REAL, SIMPLEX
from lossfw.numerics.dual.derivatives import derivatives
from support.loss_settings import ALL, arguments

inf, nan = math.inf, math.nan


@pytest.mark.parametrize("loss", [one for one in ALL if one.takes_rows], ids=repr)
def test_dual_numbers_through_a_derivative_give_the_second_derivative_also_at_ties(loss):
    y, t = arguments(loss)
    if loss.prediction_space in (LOGITS, REAL):
        y, t = np.concatenate([y, np.zeros_like(y)]), np.concatenate([t, t])
    inner = y.min(axis=-1) > 0 if loss.prediction_space is SIMPLEX else np.full(len(y), True)
    if loss.name == "kl_divergence":
        inner &= t.min(axis=-1) > 0  # the derivative to a target of 0 may be infinite
    y, t = y[inner], t[inner]
    columns = np.eye(y.shape[-1])

    def derivative(xp, y):
        return loss._unreduced_gradient(xp, y, t)

    units = [np.broadcast_to(unit, y.shape) for unit in columns]
    matrix = [derivatives(derivative, np, y, order=1, direction=unit)[1] for unit in units]
    diagonal = np.stack([row[:, k] for k, row in enumerate(matrix)], axis=-1)
    with np.errstate(all="ignore"):
        wanted = loss._unreduced_hessian(np, y, t)
    np.testing.assert_allclose(diagonal, wanted, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(matrix, np.transpose(matrix, (2, 1, 0)), rtol=1e-6, atol=1e-9)


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


def test_an_alias_is_the_loss_that_it_names():
    entries = lossfw.registry().entries("loss")
    pairs = [(e.name, alias) for e in entries if e.plugin.builtin for alias in e.aliases]
    assert ("squared_error", "mse") in pairs
    assert all(lossfw.loss(alias) == lossfw.loss(name) for name, alias in pairs)

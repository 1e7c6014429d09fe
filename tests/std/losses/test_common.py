"""Laws of every built-in loss, at all parameters of the settings."""

import math

import pytest

import lossfw
from lossfw import ParameterError

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

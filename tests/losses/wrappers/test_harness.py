"""Truth-tellers: whatever is put together from built-in losses, the harness refutes nothing."""

import re

import pytest
from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis import strategies as st

import lossfw
from lossfw.check import check
from lossfw.errors import LossfwError

# Losses that can stand beside each other in a sum.
FAMILIES = {
    "residuals": (
        "squared_error", "absolute_error", "huber", "quantile", "expectile", "log_cosh",
        "pseudo_huber", "epsilon_insensitive", "charbonnier", "cauchy", "fair", "welsch", "tukey",
        "geman_mcclure", "gaussian_nll",
    ),
    "margins": (
        "hinge", "squared_hinge", "smoothed_hinge", "logistic", "exponential", "perceptron",
        "modified_huber", "savage", "ramp", "zero_one", "dwd",
    ),
    "means": ("poisson_deviance", "gamma_deviance", "tweedie_deviance"),
    "probabilities": (
        "binary_cross_entropy",
        "focal",
        {"name": "binary_cross_entropy", "guard": "none"},
        {"name": "binary_cross_entropy", "guard": "additive", "delta": 1e-3},
    ),
    "classes": (
        "cross_entropy", "brier", "poly_cross_entropy", "generalised_cross_entropy",
        "categorical_focal", "js_divergence", "kl_divergence",
        {"name": "cross_entropy", "guard": "none"},
        {"name": "cross_entropy", "guard": "additive", "delta": 1e-3},
        {"name": "cross_entropy", "guard": "floor", "delta": 1e-3},
        {"name": "cross_entropy", "label_smoothing": 0.2},
    ),
    "logits": (
        {"name": "cross_entropy", "from_logits": True},
        {"name": "categorical_focal", "from_logits": True, "gamma": 1.5},
        "multiclass_hinge",
        {"name": "multiclass_hinge", "form": "weston_watkins"},
    ),
}  # fmt: skip

FACTORS = (-3.0, -1.0, 0.25, 1.0, 2.0)
WEIGHTS = ((1.0, 2.0, 0.5), (0.0, 1.0, 1.0), (2.0, 2.0, 2.0), (1.0, 4.0))


def wrapped(inner):
    """Return a strategy for a loss in a wrapper, given one for losses of the same family."""

    def made(name, of=inner, **parameters):
        return st.builds(dict, name=st.just(name), of=of, **parameters)

    return st.one_of(
        made("scaled", scale=st.sampled_from(FACTORS)),
        made("sum", of=st.lists(inner, min_size=2, max_size=3)),
        made("masked", ignore=st.sampled_from((0.0, 1.0, -1.0))),
        made("class_weighted", weights=st.sampled_from(WEIGHTS),
             in_denominator=st.booleans()),
        made("label_smoothed", epsilon=st.sampled_from((0.0, 0.1, 1.0))),
        made("focal_modulated", gamma=st.sampled_from((0.0, 0.5, 1.0, 2.0))),
    )  # fmt: skip


@st.composite
def losses(draw):
    """Draw a loss: a built-in one in up to two wrappers, now and then summed over rows."""
    family = FAMILIES[draw(st.sampled_from(sorted(FAMILIES)))]
    leaf = st.sampled_from(family)
    spec = draw(st.one_of(wrapped(leaf), wrapped(st.one_of(leaf, wrapped(leaf)))))
    try:
        loss = lossfw.loss(spec)
        if len(set(re.findall(r"weights=(\(.*?\))", repr(loss)))) > 1:
            # For different numbers of classes there is no prediction.
            reject()
        return loss.replace(per="row") if draw(st.booleans()) and not loss.takes_rows else loss
    except LossfwError:
        # Not everything fits into everything.
        reject()


@pytest.mark.slow
@settings(
    # What is drawn is simple as it is, and to make it simpler takes minutes.
    phases=[Phase.generate], max_examples=30,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)  # fmt: skip
@given(losses())
def test_what_is_put_together_is_not_refuted(loss):
    report = check(loss, examples=20)
    assert report.passed
    assert not report.refuted, str(report)

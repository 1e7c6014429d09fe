"""Losses at ends, ties, zeros and infinities, and guards: what no reference case shows."""

import decimal
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossfw
from lossfw import DomainError, ShapeError

INF = math.inf
GUARDS = ("normalised", "additive", "floor", "none")


@given(st.floats(1e-12, 0.99))
def test_what_guards_cost_at_the_ends(delta):
    of_zero = -math.log(delta)
    costs = {
        "normalised": (math.log1p(1 / delta), 0.0),
        "additive": (of_zero, -math.log1p(delta)),
        "floor": (of_zero, 0.0),
        "none": (INF, 0.0),
    }
    for guard in GUARDS:
        binary = lossfw.loss("binary_cross_entropy", guard=guard, delta=delta)
        rows = lossfw.loss("cross_entropy", guard=guard, delta=delta)
        for found in (
            binary([0, 1], [1, 1], reduction="none"),
            binary([1, 0], [0, 0], reduction="none"),
            rows([[0.0, 1.0], [1.0, 0.0]], [0, 0], reduction="none"),
        ):
            assert found == pytest.approx(costs[guard])
            assert not (np.signbit(found) & (found == 0)).any()


def test_the_floor_has_no_derivative_below_delta_and_the_others_do():
    derivatives = {
        guard: lossfw.loss("cross_entropy", guard=guard, delta=1e-3).gradient([1e-4, 1 - 1e-4], 0)
        for guard in GUARDS
    }
    assert derivatives["floor"][0] == 0
    assert derivatives["none"][0] == pytest.approx(-1e4)
    assert derivatives["normalised"][0] == pytest.approx(-1 / 1.1e-3)
    assert derivatives["additive"][0] == pytest.approx(-1 / 1.1e-3)


# Loss, predictions, targets: values, gradients and second derivatives of the elements.
AT_ENDS = [
    ("binary_cross_entropy", {"guard": "none"}, [0, 1, 0, 1, 0.0], [0, 1, 1, 0, 0.5],
     [0, 0, INF, INF, INF], [1, -1, -INF, INF, -INF], [1, 1, INF, INF, INF]),
    # From (1 - s)^(gamma - 1) gamma (gamma + 1) near s = 1.
    *(
        ("focal", {"gamma": gamma}, [1, 0], [1, 0], [0, 0], [first, -first], [second, second])
        for gamma, first, second in ((0.0, -1, 1), (0.5, 0, INF), (1.0, 0, 2), (2.0, 0, 0))
    ),
    *(
        ("focal", {"gamma": gamma, "from_logits": True}, [INF, -INF, -INF, INF], [1, 0, 1, 0],
         [0, 0, INF, INF], [0, 0, -1, 1], [0, 0, 0, 0])
        for gamma in (0.0, 0.5, 2.0)
    ),
    ("poisson_deviance", {"link": "log"}, [-INF, -INF], [0.0, 1.0], [0, INF], None, None),
    ("hinge_embedding", {}, [1.0, 1.0], [-1, 1], [0, 1], [0, 1], None)
]  # fmt: skip


@pytest.mark.parametrize(("name", "parameters", "y", "t", "value", "first", "second"), AT_ENDS)
def test_elements_have_their_limits(name, parameters, y, t, value, first, second):
    loss = lossfw.loss(name, **parameters)
    found = (loss, loss.gradient, loss.hessian)
    for call, wanted in zip(found, (value, first, second), strict=True):
        if wanted is not None:
            assert call(y, t, reduction="none") == pytest.approx(wanted)


# Logits: the cross-entropy of the first class with its gradient, and both forms of the hinge.
FAR = [
    ([INF, 0, 0], 0.0, [0, 0, 0], 0, 0),
    ([0, INF, 0], INF, [-1, 1, 0], INF, INF),
    ([0, -INF, 0], math.log(2), [-0.5, 0, 0.5], 1, 1),
    ([-INF, 0, 0], INF, [-1, 0.5, 0.5], INF, INF),
    ([0, -INF, -INF], 0.0, [0, 0, 0], 0, 0),
    # Equal infinities are equal logits.
    ([INF, INF, 0], math.log(2), [-0.5, 0.5, 0], 1, 1),
    ([-INF, -INF, -INF], math.log(3), [-2 / 3, 1 / 3, 1 / 3], 1, 2),
]


@pytest.mark.parametrize(("row", "value", "gradient", "worst", "every"), FAR)
@pytest.mark.parametrize("target", [0, [1.0, 0.0, 0.0]])
def test_infinite_logits_have_their_limits(row, value, gradient, worst, every, target):
    entropy = lossfw.loss("cross_entropy", from_logits=True)
    assert entropy(row, target) == pytest.approx(value)
    assert entropy.gradient(row, target) == pytest.approx(np.array(gradient, float), abs=1e-15)
    assert np.isfinite(entropy.hessian(row, target)).all()
    for form, wanted in (("crammer_singer", worst), ("weston_watkins", every)):
        hinge = lossfw.loss("multiclass_hinge", form=form)
        assert hinge(row, target) == wanted
        assert np.isfinite(hinge.gradient(row, target)).all()


# Loss, a row, its target: the value, and the gradient.
ROWS = [
    ("generalised_cross_entropy", {"q": 0.3}, [0.0, 1.0], [1.0, 0.0], None, [-INF, 0]),
    ("generalised_cross_entropy", {"q": 0.3}, [1.0, 0.0], [1.0, 0.0], None, [-1, 0]),
    ("kl_divergence", {"guard": "none"}, [0.0, 1.0], [0.0, 1.0], 0, [0, -1]),
    ("kl_divergence", {"guard": "none"}, [0.5, 0.5], [0.0, 1.0], math.log(2), None),
    ("kl_divergence", {"guard": "none"}, [0.0, 1.0], [0.5, 0.5], INF, [-INF, -0.5]),
    ("kl_divergence", {"guard": "none"}, [1e-300, 1.0], [1.0, 0.0], -math.log(1e-300), None),
    ("kl_divergence", {"guard": "none", "reverse": True}, [0.0, 1.0], [0.5, 0.5], math.log(2),
     None),
    ("kl_divergence", {"guard": "none", "reverse": True}, [0.5, 0.5], [0.0, 1.0], INF, None),
    ("js_divergence", {"guard": "none"}, [1e-300, 1.0], [1.0, 0.0], math.log(2), None),
    # One member found, one of each mistake: 1 - 1 / (1 + alpha + beta).
    ("tversky", {"alpha": 0.25, "beta": 0.75}, [1, 1, 0], [1, 0, 1], 0.5, None),
    ("tversky", {"alpha": 1.0, "beta": 0.0}, [1, 1], [1, 0], 0.5, None),
    ("tversky", {"alpha": 1.0, "beta": 0.0}, [1, 0], [1, 1], 0, None),
    *((name, {}, [0.0, 0.0], [0.0, 0.0], 0, [0, 0]) for name in ("tversky", "dice", "jaccard")),
    *((name, {}, [0.0, 0.0], [1.0, 0.0], 1, None) for name in ("tversky", "dice", "jaccard")),
    *(("cosine_distance", {"zero": zero}, [0.0, 0.0], [1.0, 1.0], zero, [0, 0])
      for zero in (0.0, 1.0, 2.0)),
    ("cosine_distance", {"zero": 1.0}, [3.0, 4.0], [4.0, 3.0], 0.04, None)
]  # fmt: skip


@pytest.mark.parametrize(("name", "parameters", "y", "t", "value", "gradient"), ROWS)
def test_rows_have_their_limits(name, parameters, y, t, value, gradient):
    loss = lossfw.loss(name, **parameters)
    if value is not None:
        assert loss(y, t) == pytest.approx(value)
    if gradient is not None:
        assert loss.gradient(y, t) == pytest.approx(gradient)


# Loss, predictions, targets that are refused, and words of the error.
REFUSED = [
    ("cosine_distance", [[1.0, 2.0], [0.0, 0.0]], [[1.0, 2.0]] * 2, DomainError,
     r"prediction\[1\] is a row of zeros.*zero="),
    ("cosine_distance", [[1.0, 2.0]], [[0.0, -0.0]], DomainError, r"target\[0\]"),
    ("absolute_percentage_error", [1.0, 1.0], [2.0, 0.0], DomainError,
     r"target\[1\] = 0 lies outside .*floor"),
    ("hinge_embedding", [-0.5], [1], DomainError, "NONNEGATIVE"),
    ("heteroscedastic_gaussian_nll", np.zeros((4, 3)), np.zeros(4), ShapeError,
     "expected 2: mean, log_variance"),
    *(("heteroscedastic_gaussian_nll", np.zeros((4, 2)), np.zeros(shape), ShapeError,
       r"prediction has shape \(4, 2\) and target") for shape in ((4, 2), (3,), ()))
]  # fmt: skip


@pytest.mark.parametrize(("name", "y", "t", "error", "words"), REFUSED)
def test_arguments_without_a_loss_are_refused_in_words(name, y, t, error, words):
    with pytest.raises(error, match=words):
        lossfw.loss(name)(y, t)


def test_a_row_of_zeros_that_does_not_count_is_none():
    y, t = [[1.0, 2.0], [0.0, 0.0]], [[1.0, 2.0], [1.0, 2.0]]
    loss = lossfw.loss("cosine_distance")
    assert loss(y, t, where=[True, False]) == 0
    assert loss(y, t, sample_weight=[1.0, 0.0]) == 0


@pytest.mark.parametrize("form", ["crammer_singer", "weston_watkins"])
def test_derivatives_of_an_index_and_of_its_row_are_the_same_at_ties_too(form):
    loss = lossfw.loss("multiclass_hinge", form=form)
    z = np.random.default_rng(7).integers(-2, 3, (200, 4)) * 0.5
    index = np.arange(200) % 4
    by_index = loss.gradient(z, index, reduction="none")
    assert np.array_equal(by_index, loss.gradient(z, np.eye(4)[index], reduction="none"))
    assert by_index.sum(-1).tolist() == [0] * 200
    assert not loss.hessian(z, index).any()


@pytest.mark.parametrize(
    ("name", "value"), [("nt_xent", 4.83849628e-18), ("supervised_contrastive", 3.22566419e-18)]
)
def test_rows_that_are_nearly_an_axis_keep_small_numbers_of_their_gradients(name, value):
    # By the formula in exact numbers.
    y = [[0.0, 821025.5832673551], [2.0249440298235633, 866482.7916497597],
         [0.0, 378944.20318311476], [1.0, 613883.6690997328]]  # fmt: skip
    found = lossfw.loss(name).gradient(y, [0.0, 1.4608989580162268, 0.0, 0.0], reduction="sum")
    assert found[1, 1] == pytest.approx(value, rel=1e-8, abs=0)


@pytest.mark.parametrize("x", [1e-12, 0.3, 3.0])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("absent", [0, 2])
def test_the_listnet_gradient_of_two_rows_is_half_a_hyperbolic_tangent(x, dtype, absent):
    # softmax((0, x))_2 - 1/2 = tanh(x / 2) / 2.
    y = np.array([0.0, x, *[5.0] * absent], dtype)
    t = np.array([0.0, 0.0, *[-np.inf] * absent], dtype)
    loss = lossfw.loss("listnet")
    expected = np.tanh(y[1].astype("float64") / 2) / 2 * np.array([-1, 1, *[0] * absent])
    for find in (loss.gradient, lambda *x, **how: loss.value_and_gradient(*x, **how)[1]):
        found = find(y, t, group=["a"] * len(y), reduction="sum")
        np.testing.assert_allclose(found, expected, rtol=4 * np.finfo(dtype).eps)


def test_a_row_that_leads_in_listnet_has_the_derivatives_of_the_others():
    y, t = np.array([-29.0, 12.0]), np.array([-29.0, 11.75])
    found = lossfw.loss("listnet").gradient(y, t, group=["a", "a"], reduction="sum")
    # 1 / (1 + e^41) - 1 / (1 + e^40.75), of which the 1 is below rounding.
    expected = np.exp(-40.75) * np.expm1(-0.25)
    np.testing.assert_allclose(found, [expected, -expected], rtol=1e-14)


def test_scikit_learn_has_the_same_deviance_of_targets_below_0():
    metrics = pytest.importorskip("sklearn.metrics")
    y, t = np.array([0.5, 2.0, 1.0, 3.0]), np.array([-1.5, 2.5, -0.25, 0.0])
    for power in (-3.0, -1.5, -0.3):
        wanted = pytest.approx(metrics.mean_tweedie_deviance(t, y, power=power), rel=1e-14)
        assert lossfw.loss("tweedie_deviance", power=power)(y, t) == wanted
        assert lossfw.loss("tweedie_deviance", power=power, link="log")(np.log(y), t) == wanted


@pytest.mark.parametrize("name", ["censored_weibull_nll", "aft_nll"])
def test_probabilities_are_the_inverse_of_quantiles(name):
    loss, y = lossfw.loss(name), np.array([[0.5, -0.3], [2.0, 1.0]])
    for level in (1e-6, 0.3, 0.5, 0.99):
        x = loss.quantiles(y, [level])[:, 0]
        np.testing.assert_allclose(loss.probabilities(y, x), level, rtol=1e-12)


@pytest.mark.parametrize(("log_shape", "t"), [(0.01, "1e-8"), (-0.01, "1e27"), (1e-7, "1e30")])
def test_weibulls_likelihood_keeps_its_digits_next_to_a_shape_of_one(log_shape, t):
    with decimal.localcontext(prec=60):
        time, k = decimal.Decimal(float(t)), decimal.Decimal(log_shape)
        w = time ** k.exp()
        expected = w - w.ln() - k + time.ln()
    found = lossfw.loss("weibull_nll")([[0.0, log_shape]], [float(t)])
    assert found == pytest.approx(float(expected), rel=2e-15)

"""Losses of censored times and of ordered classes: tails, narrow intervals, ties, refusals."""

import math

import numpy as np
import pytest

import lossfw
from lossfw.errors import LossfwError

# distribution, sigma, prediction, lower, upper; value and derivative by mpmath with 400 digits.
TIMES = [
    ("normal", 1.0, -30.0, 2.0, np.inf, 475.37867855853835, -30.72565893922961),
    ("normal", 0.25, 4.0, 1.0, 1.0000001, 143.6507366724577, 63.99999919999919),
    ("normal", 0.5, 1.0, 0.0, 1e8, 2.8772463858125554e-266, 2.0065925451907967e-264),
    ("normal", 2.0, 0.0, 1e-300, 1e300, 0.0, 0.0),
    ("normal", 0.1, 0.0, 1.5, 1.5000000000000002, 43.28556963209422, -40.54651081081644),
    ("normal", 0.01, 0.0, 1.2, 1.200000001, 183.4251067771624, -1823.2155721062118),
    ("logistic", 0.1, 3.0, 0.0, 1.0, 30.000000000000092, 9.999999999999064),
    ("logistic", 0.1, -3.0, 0.0, 1e3, 9.357622968840227e-44, 9.357622968840225e-43),
    ("logistic", 1.0, 0.5, 2.0, 2.0000000000000004, 37.4392597473925, -0.09627447624478797),
    ("logistic", 3.0, 40.0, 1e-8, 7.0, 12.685826601217467, 0.3333322994476919),
    ("extreme", 0.5, -6.0, 64.0, np.inf, 666643625.65224, -1333287251.30448),
    ("extreme", 0.5, 0.0, 0.0, 6.0, 2.3195228302435696e-16, 1.6700564377753703e-14),
    ("extreme", 0.25, 30.0, 0.0, 2.0, 117.22741127776023, 4.0),
    ("extreme", 1.0, 2.0, 7.0, 7.000000000000001, 37.60470601065355, 0.0526530173437111),
    ("extreme", 2.0, 1.0, 5.0, 5.0, 3.354109922332237, -0.1781218927776207),
    ("extreme", 0.1, 0.0, 1.2, 1.3, 6.192239955551185, -61.87911571981546),
]


@pytest.mark.parametrize(
    ("distribution", "sigma", "y", "lower", "upper", "value", "derivative"), TIMES
)
def test_a_probability_of_times_keeps_its_digits(
    distribution, sigma, y, lower, upper, value, derivative
):
    loss = lossfw.loss("aft", distribution=distribution, sigma=sigma)
    found = loss.value_and_gradient([y], [[lower, upper]], reduction="sum")
    # In a tail the last digits of a time are many of the loss.
    assert found[0] == pytest.approx(value, rel=1e-12, abs=0)
    assert found[1][0] == pytest.approx(derivative, rel=1e-12, abs=0)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_tied_events_of_nearly_equal_hazards_keep_the_digits_of_their_derivatives(ties):
    # Two rows alone: 2 exp(y_1) / (exp(y_1) + exp(y_2)) - 1.
    derivatives = lossfw.loss("cox", ties=ties).gradient(
        [0.0, -0.01], [[3, 1], [3, 1]], reduction="sum"
    )
    assert derivatives == pytest.approx(math.tanh(0.005) * np.array([1, -1]), rel=1e-15, abs=0)


@pytest.mark.parametrize(
    ("spec", "y", "t", "message"),
    [
        ("aft", [0.0], [[3.0, 2.0]], r"target.lower\[0\] = 3 is above target.upper\[0\] = 2"),
        ("aft", [0.0], [[0.0, 0.0]], r"target.upper\[0\] = 0 lies outside POSITIVE"),
        ("aft", [0.0], [[np.inf, np.inf]], r"target.lower\[0\] = inf: expected the last time"),
        ("cox", [0.0], [[-1.0, 1.0]], r"target.time\[0\] = -1 lies outside NONNEGATIVE"),
        ("cox", [0.0], [[1.0, 2.0]], r"target.event\[0\] = 2 lies outside BINARY, the set {0, 1}"),
        ("discrete_hazard", [[0.0]], [[0.5, 1.0]], r"target.interval\[0\] = 0.5 lies"),
        ("cumulative_link", [0.0], [2], r"target\[0\] = 2 lies outside CLASSES, the classes 0"),
        ({"name": "cumulative_link", "cuts": [1.0, 1.0]}, [], [], "expected increasing numbers")
    ]
)  # fmt: skip
def test_targets_that_make_no_sense_are_refused_in_words(spec, y, t, message):
    with pytest.raises(LossfwError, match=message):
        lossfw.loss(spec)(y, np.array(t))

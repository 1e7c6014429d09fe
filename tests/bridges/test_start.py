"""The start of a model: the constant of least mean loss."""

import numpy as np
import pytest

import lossfw
from lossfw import REAL, SIGN, CategoricalLoss
from lossfw.errors import ArgumentError, DomainError, ShapeError
from lossfw.learning.raw_form import raw_loss_of, refusal
from lossfw.learning.start import best_constant

RNG = np.random.default_rng(5)
TARGETS = {
    "SIGN": RNG.integers(0, 2, 301),
    "UNIT": (RNG.random(301) < 0.3).astype(float),
    "POSITIVE": RNG.gamma(2.0, 2.0, 301),
    "NONNEGATIVE": RNG.poisson(2.0, 301),
    "CLASSES": RNG.integers(0, 2, 301),
}
NUMBERS = RNG.normal(100.0, 30.0, 301)
WEIGHT = RNG.random(301)
LABELS = np.repeat([0, 1, 2], [1, 2, 5])
LOGS = np.log([1.0, 2.0, 5.0]) - np.log([1.0, 2.0, 5.0]).mean()


def single(loss):
    return refusal(loss) is None and not loss.takes_rows and not loss.takes_groups


LOSSES = [
    name
    for name in sorted(entry.name for entry in lossfw.registry().entries("loss"))
    if not {"of"} & set(lossfw.registry().component_class("loss", name).model_fields)
    and single(lossfw.loss(name))
]


@pytest.mark.parametrize("name", LOSSES)
def test_no_constant_nearby_has_less_loss(name):
    loss = raw_loss_of(name)
    target = TARGETS.get(loss.target_space.name, NUMBERS)
    begin = best_constant(name, target, WEIGHT)
    if name in ("ramp", "perceptron"):
        # The least loss is on a plateau, or 0 for any model that says nothing.
        assert abs(begin) < 1e-20
        return
    signs = np.where(target > 0, 1.0, -1.0) if loss.target_space is SIGN else target

    def mean(z):
        return loss(np.full(len(target), z), signs, sample_weight=WEIGHT)

    # A loss that is not convex may have a deeper minimum farther off.
    for step in (1e-3, 1e-1, 1.0) if loss.claims().convex else (1e-3, 1e-2):
        assert mean(begin) <= min(mean(begin - step), mean(begin + step)) * (1 + 1e-12)


@pytest.mark.parametrize(
    ("loss", "target", "weight", "expected"),
    [
        ("squared_error", [1.0, 2.0, 6.0], None, 3.0),
        ("squared_error", [1.0, 2.0, 6.0], [1, 1, 2], 3.75),
        ("absolute_error", [1.0, 2.0, 4.0, 8.0], None, 3.0),
        ("absolute_error", [1.0, 2.0, 4.0, 8.0], [5, 1, 1, 1], 1.0),
        ({"name": "quantile", "q": 0.3}, np.arange(10.0), None, 2.5),
        ("poisson_deviance", [1.0, 3.0], None, np.log(2.0)),
        ("gamma_deviance", [1e-20, 3e-20], None, np.log(2e-20)),
        ("binary_cross_entropy", [0, 0, 0, 1], None, -np.log(3.0)),
        ("logistic", [0, 0, 0, 1], None, -np.log(3.0)),
        ("logistic", [-1, -1, -1, 1], None, -np.log(3.0)),
        ("hinge", [1, 1], None, 1.0),
        ("huber", [7.0, 7.0], None, 7.0),
        # A class that never occurs has the share 1e-15.
        ("binary_cross_entropy", [1, 1], None, np.log(1e15)),
        ("poisson_deviance", [0, 0], None, -np.log(1e15)),
        # In float32, as libraries keep labels.
        ("squared_error", np.array([0.1, 0.3], np.float32), None, 0.2),
        ("absolute_error", [[1.0, 10.0], [2.0, 20.0], [3.0, 90.0]], None, [2.0, 20.0]),
        # The centred logarithm of shares, and the mean and variance, wherever they are.
        ("cross_entropy", LABELS, None, LOGS),
        ("cross_entropy", LABELS.astype(np.float32), None, LOGS),
        *(
            (
                "heteroscedastic_gaussian_nll",
                far + NUMBERS,
                None,
                [(far + NUMBERS).mean(), np.log(NUMBERS.var())],
            )
            for far in (0.0, 20.0, 1e4)
        ),
    ],
)
def test_known_starts(loss, target, weight, expected):
    assert best_constant(loss, target, weight) == pytest.approx(expected, rel=1e-6)


def test_the_number_of_classes_may_be_given_or_fixed():
    wider = best_constant("cross_entropy", LABELS, classes=4)
    assert wider.sum() == pytest.approx(0.0, abs=1e-12)
    assert np.exp(wider)[3] / np.exp(wider).sum() == pytest.approx(1e-15)
    with pytest.raises(DomainError, match=r"target\[2\] = 3 .* 3 classes"):
        best_constant("cross_entropy", [0, 1, 3], classes=3)
    fixed = {"name": "class_weighted", "of": "cross_entropy", "weights": [1.0, 0.5, 3.0]}
    assert len(best_constant(fixed, [0, 1, 1])) == 3
    with pytest.raises(ArgumentError, match="3 classes"):
        best_constant(fixed, [0, 1, 1], classes=4)


@pytest.mark.parametrize(
    "loss",
    [
        {"name": "label_smoothed", "of": "cross_entropy", "smoothing": 0.2},
        {"name": "class_weighted", "of": "cross_entropy", "weights": [1.0, 0.5, 3.0]},
        "categorical_focal",
        "multiclass_hinge",
    ],
)
def test_the_start_of_other_losses_of_classes_is_a_minimum(loss):
    labels = RNG.integers(0, 3, 200)
    begin, form = best_constant(loss, labels), raw_loss_of(loss)

    def mean(z):
        return form(np.tile(z, (200, 1)), labels)

    for k in range(3):
        for step in (1e-2, -1e-2):
            assert mean(begin) <= mean(begin + step * np.eye(3)[k]) + 1e-9


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (("huber", [1.0, np.nan]), DomainError, r"target\[1\] = nan"),
        (("huber", []), ShapeError, "shape"),
        (("huber", [1.0, 2.0], [1.0]), ShapeError, "sample_weight"),
        (("huber", [1.0, 2.0], [1.0, -1.0]), ArgumentError, "negative"),
        (("logistic", [0, 1, 2]), DomainError, "takes 0 and 1, or -1 and 1"),
        (("cross_entropy", [0.5, 1.0]), DomainError, "whole numbers"),
        (("cross_entropy", [0, -1]), DomainError, "numpy.unique"),
        (("brier", [0, 1]), ArgumentError, "SIMPLEX"),
        (("zero_one", [0, 1]), ArgumentError, "gradient of zero_one is 0"),
    ],
)
def test_what_has_no_start_is_told(arguments, error, words):
    with pytest.raises(error, match=words):
        best_constant(*arguments)


def test_a_loss_of_a_third_party_of_the_softmax_form_is_known_for_one():
    class Mine(CategoricalLoss):
        """Logarithm of the softmax, written anew."""

        prediction = REAL
        output_activation = "softmax"

        def value(self, xp, y, t):
            top = xp.max(y, axis=-1, keepdims=True)
            return xp.log(xp.sum(xp.exp(y - top), axis=-1)) - xp.sum((y - top) * t, axis=-1)

    assert best_constant(Mine(), LABELS) == pytest.approx(LOGS)

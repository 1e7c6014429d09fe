"""What a check owes an author whom nobody knows: true findings, with their cause and cure."""

import numpy as np
import pytest

from lossfw import (
    NONNEGATIVE,
    POSITIVE,
    REAL,
    Claims,
    Columns,
    DistanceLoss,
    GroupLoss,
    PointwiseLoss,
)
from lossfw.check import check, check_function


class Silent:
    """Claims nothing."""

    def claims(self):
        return Claims()


BOX = Columns.of(width=POSITIVE, height=POSITIVE)


class OfBoxes(Silent, PointwiseLoss):
    """0 / 0 for the target itself."""

    prediction, target = BOX, BOX

    def value(self, xp, y, t):
        width, height = (y.width - t.width) ** 2, (y.height - t.height) ** 2
        return width * width / (width + height)


class OfGroups(Silent, GroupLoss):
    """0 / 0 for a group that is predicted without an error."""

    prediction, target = REAL, REAL

    def value(self, xp, y, t):
        square = xp.sum((y - t) ** 2, axis=-1)
        return square * square / square


@pytest.mark.parametrize("loss", [OfBoxes(), OfGroups()], ids=repr)
def test_a_nan_of_value_and_formula_at_the_target_is_found(loss):
    report = check(loss, examples=20, only=["nan:legal", "value"])
    assert not report.ok
    first = report.causes[0].first
    assert np.array_equal(first.inputs["y"], first.inputs["t"])
    assert "nan" in first.message.lower()


def cross_entropy_in_float32(y, t):
    y = np.asarray(y, np.float32)
    y = y - y.max(-1, keepdims=True)
    return np.log(np.exp(y).sum(-1)) - np.take_along_axis(y, np.asarray(t)[:, None], 1)[:, 0]


def derivative_of_cross_entropy(y, t):
    y = np.asarray(y, float)
    e = np.exp(y - y.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True) - np.eye(y.shape[-1])[np.asarray(t)]


def test_a_right_derivative_of_a_function_that_answers_in_float32_is_right():
    spaces = {"kind": "categorical", "prediction": "LOGITS", "target": "CLASS_INDEX"}
    options = {**spaces, "only": ["gradient"], "examples": 50}
    right, value = derivative_of_cross_entropy, cross_entropy_in_float32
    assert check_function(value, gradient=right, **options).refuted == []
    wrong = check_function(value, gradient=lambda y, t: 1.05 * right(y, t), **options)
    (found,) = wrong.refuted
    assert found.grade == "wrong"
    assert "the values of float64 arguments are float32" in found.message


class MeanSquare(Silent, GroupLoss):
    """Its neutral row counts in the mean."""

    prediction, target = REAL, NONNEGATIVE
    neutral = (-1e300, 0.0)

    def value(self, xp, y, t):
        return xp.mean((y - t) ** 2, axis=-1)


@pytest.mark.parametrize(
    ("neutral", "words"),
    [
        ((-np.inf, 0.0), r"has the prediction -inf, which is not in REAL: groups are filled up"),
        ((np.nan, 0.0), "has the prediction nan, which is not in REAL"),
        (0.0, r"is 0.0; expected two numbers or rows, a prediction and a target"),
    ],
)
def test_a_neutral_row_outside_of_its_space_is_refused_at_the_class(neutral, words):
    with pytest.raises(TypeError, match=f"neutral of Padded {words}"):
        type("Padded", (MeanSquare,), {"neutral": neutral, "__module__": __name__})


class Tie(Silent, DistanceLoss):
    """At its tie, and only there, dual numbers take the other branch."""

    def formula(self, xp, r):
        return r

    def value(self, xp, r):
        return xp.where(r != 0, r, 0 * r)


def test_an_error_at_a_tie_alone_has_the_hint():
    (found,) = check(Tie(), examples=20, only=["gradient"]).refuted
    assert found.inputs["y"] == found.inputs["t"]
    assert "At a tie of where, maximum or abs it depends on the branch" in found.message


class BatchMean(Silent, DistanceLoss):
    """It divides by a mean over the batch."""

    def value(self, xp, r):
        return r * r / (1 + xp.mean(r * r))


def test_a_body_that_looks_at_its_batch_is_one_cause():
    report = check(BatchMean(), examples=20)
    assert len(report.refuted) > 4
    (cause,) = report.causes
    assert cause.first.check == "purity:companions"
    assert cause.first.inputs["y"].size < 10


def test_an_error_behind_the_ninth_digit_is_a_note():
    (found,) = check_function(
        lambda y, t: (np.asarray(y) - t) ** 2 * (1 + 1e-10), against="squared_error",
        only=["value"], examples=20
    ).refuted  # fmt: skip
    assert (found.grade, found.error) == ("digits", "digits")

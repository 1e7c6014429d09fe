"""Parts that do not fit are found before anything is computed, each with what mends it."""

import numpy as np
import pytest

from lossfw.components.spaces import BINARY, COUNT, LOGITS, POSITIVE, REAL, SIMPLEX, UNIT
from lossfw.config.plan.compatibility import LOOKED_AT, within
from support.configs import SAVED

NETWORK = """\
lossfw: 1
data: {name: inline, inputs: [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], targets: [0, 1, 2]}
network:
  layers:
    - {units: 4, activation: tanh}
    - {units: 3, activation: softmax}
  weights: w.npz
loss: cross_entropy
evaluate: {metrics: [accuracy]}
"""

SAVED_LOGITS = f"{SAVED.replace('predictions', 'logits')}evaluate: {{metrics: [accuracy]}}\n"


@pytest.fixture(autouse=True)
def weights(folder):
    shapes = {"W1": (2, 4), "b1": 4, "W2": (4, 3), "b2": 3}
    np.savez(folder / "w.npz", **{key: np.ones(shape) for key, shape in shapes.items()})


@pytest.mark.parametrize(
    ("inner", "outer", "answer"),
    [
        (UNIT, UNIT, True),
        (SIMPLEX, UNIT, True),
        (UNIT, SIMPLEX, True),
        (BINARY, UNIT, True),
        (UNIT, REAL, True),
        (LOGITS, REAL, True),
        (REAL, UNIT, False),
        (POSITIVE, UNIT, False),
        (REAL, POSITIVE, False),
        # A bound may be touched: a rectifier is tried before a loss of positive numbers.
        (UNIT, POSITIVE, True),
        (COUNT, UNIT, False),
    ],
)
def test_what_is_far_from_a_space(inner, outer, answer):
    assert within(inner, outer) is answer


def test_the_good_ones_are_good(problems):
    assert problems(NETWORK) == []
    assert problems(SAVED_LOGITS) == []


def test_the_last_layer_against_the_classes(problems):
    ((where, what, hint),) = problems(NETWORK.replace("targets: [0, 1, 2]", "targets: [0, 1, 4]"))
    assert where == "run.yaml:6:15"
    assert what == (
        "data 'inline': target[2] = 4 is not a class: the prediction has 3 columns, so classes are "
        "0 .. 2"
    )
    assert hint == "write units: 5, one for each class"


def test_the_last_layer_against_rows_of_targets(problem):
    text = NETWORK.replace("[0, 1, 2]", "[[1, 0], [0, 1], [1, 0]]").replace("accuracy", "")
    where, what, hint = problem(text)
    assert where == "run.yaml:6:15"
    assert "(3, 3)" in what
    assert "(3, 2)" in what
    assert hint == "write units: 2, as wide as the targets"


def test_softmax_before_from_logits(refused):
    refused(
        NETWORK,
        "loss.from_logits=true",
        at="6:30",
        what=["set to take logits", "softmax makes probabilities"],
        hint="activation: identity",
    )


@pytest.mark.parametrize("loss", ["hinge", "logistic"])
def test_a_loss_for_signs_and_class_indices(loss, problem):
    text = NETWORK.replace("softmax", "identity").replace("[accuracy]", "[]")
    where, what, hint = problem(text.replace("cross_entropy", loss))
    assert where == "run.yaml:8:7"
    assert what == (
        f"the loss {loss} takes targets in SIGN, the set {{-1, +1}}, and the data 'inline' have "
        "the class indices 0 to 2"
    )
    assert "cross_entropy" in hint
    assert hint.endswith(f"in place of {loss}")


def test_a_loss_for_signs_and_zeros_and_ones(problem):
    text = SAVED_LOGITS.replace("logits: [[0.25, 0.75], [0.5, 0.5]]", "predictions: [0.5, -0.5]")
    where, _, hint = problem(text.replace("cross_entropy", "hinge").replace("accuracy", ""))
    assert where == "run.yaml:4:7"
    assert hint.startswith("write data.map_targets: {0: -1, 1: 1}; or take ")


def test_a_loss_of_numbers_and_class_indices(problem):
    text = NETWORK.replace("cross_entropy", "squared_error").replace("[accuracy]", "[]")
    where, what, hint = problem(text)
    assert where == "run.yaml:6:15"
    assert "(3, 3)" in what
    assert hint.startswith("if the targets are class indices, take ")


def test_a_metric_that_needs_probabilities_and_logits(problem):
    where, what, hint = problem(SAVED_LOGITS, "evaluate.metrics+=calibration_error")
    assert where == "-o evaluate.metrics+=calibration_error"
    assert what == "the metric calibration_error takes predictions, and its input would be logits"
    assert hint == "leave it out, or give predictions"


@pytest.mark.parametrize("metric", ["calibration_error", "brier", "cross_entropy"])
def test_a_metric_that_needs_probabilities_and_real_numbers(metric, problems):
    text = NETWORK.replace("softmax", "identity").replace("accuracy", f"accuracy, {metric}")
    found = problems(text.replace("loss: cross_entropy", "loss: multiclass_hinge"))
    assert [where for where, _, _ in found] == ["run.yaml:9:32"]
    ((_, what, hint),) = found
    assert what.startswith(f"the metric {metric} takes predictions in SIMPLEX")
    assert "softmax" in hint


@pytest.mark.parametrize(
    ("activation", "loss", "hint"),
    [
        ("identity", "cross_entropy", "make the last activation softmax, or take another loss"),
        ("tanh", "brier", "make the last activation softmax or sparsemax, or take another loss"),
        ("relu", "cross_entropy", "make the last activation softmax, or take another loss"),
    ],
)
def test_a_last_activation_that_leaves_the_losss_space(activation, loss, hint, problem):
    text = NETWORK.replace("softmax", activation).replace("loss: cross_entropy", f"loss: {loss}")
    where, what, told = problem(text)
    assert where == "run.yaml:6:30"
    assert "takes predictions in SIMPLEX" in what
    assert told == hint


def test_a_target_outside_is_told_at_the_data(refused):
    text = SAVED_LOGITS.replace("targets: [0, 1]", "targets: [[0.5, 0.6], [1, 0]]")
    refused(text.replace("[accuracy]", "[]"), at="2:7", what="target[0] = [0.5, 0.6]")


def test_what_does_not_fit_is_told_beside_what_is_wrong_elsewhere(problems):
    """A misspelt metric, an unknown key and a wrong batch size hide no misfit."""
    text = NETWORK.replace("softmax", "identity").replace("[accuracy]", "[acuracy, brier]")
    found = problems(text.replace("evaluate: {", "sed: 3\nevaluate: {batch_size: 0, "))
    assert [where for where, _, _ in found] == [
        "run.yaml:6:30",
        "run.yaml:9:1",
        "run.yaml:10:24",
        "run.yaml:10:37",
        "run.yaml:10:46",
    ]


def test_weights_that_do_not_fit_hide_nothing(problems):
    text = NETWORK.replace("units: 3", "units: 2")
    assert [where for where, _, _ in problems(text)] == ["run.yaml:6:15", "run.yaml:7:12"]


def test_of_mapped_targets_the_first_are_looked_at(problem, plan, folder):
    targets = np.zeros(LOOKED_AT + 10, dtype=np.int64)
    targets[3] = 7
    np.save(folder / "t.npy", targets)
    np.save(folder / "y.npy", np.full((len(targets), 2), 0.5))
    text = SAVED_LOGITS.replace("{name: inline, targets: [0, 1]}", "{name: arrays, targets: t.npy}")
    text = text.replace("logits: [[0.25, 0.75], [0.5, 0.5]]", "predictions: y.npy")
    assert "target[3] = 7" in problem(text)[1]


def test_a_mask_counts(problems):
    text = SAVED_LOGITS.replace("loss: cross_entropy", "loss: {name: masked, of: cross_entropy}")
    text = text.replace("targets: [0, 1]", "targets: [0, -100]").replace("[accuracy]", "[]")
    assert problems(text, "loss.ignore=-100") == []


ONE_OUTPUT = """\
lossfw: 1
data: {name: inline, targets: [0, 1, 1]}
network: {logits: [[0.5], [0.2], [0.7]]}
loss: cross_entropy
evaluate: {metrics: [accuracy]}
"""


def test_classes_beside_one_output_get_losses_of_one_output(problem):
    where, what, hint = problem(ONE_OUTPUT)
    assert where == "run.yaml:2:7"
    assert what.endswith("the prediction has 1 column, so the only class is 0")
    assert hint == "take binary_cross_entropy or focal, which have one output"


def test_a_loss_beside_one_that_does_not_fit_waits_for_its_end(problem):
    text = ONE_OUTPUT.replace("[[0.5], [0.2], [0.7]]", "[[1.0], [1.0], [1.0]]")
    text = text.replace("logits", "predictions").replace("[accuracy]", "[squared_error]")
    assert problem(text)[0] == "run.yaml:2:7"


def test_other_numbers_of_outputs_and_rows_are_told_once(problem):
    where, what, hint = problem(ONE_OUTPUT.replace("[0.7]", "[0.7], [0.1]"))
    assert where == "run.yaml:3:19"
    assert what == "the number of logits is 4, and that of the rows of the data 'inline' is 3"
    assert hint == "each row of the data needs the outputs for it, in the same order"


def test_numbers_in_place_of_rows_are_told_once(refused):
    text = ONE_OUTPUT.replace("logits: [[0.5], [0.2], [0.7]]", "predictions: [0.5, 0.2, 0.7]")
    refused(text, what="cross_entropy takes rows of numbers")


PRICES = """\
lossfw: 1
data: {name: arrays, file: prices.csv, targets_key: price}
network: {layers: [{units: 1, activation: identity}], weights: p.npz}
loss: squared_error
"""


@pytest.fixture
def prices(folder):
    """A column of numbers with a slip in one cell."""
    (folder / "prices.csv").write_text("rooms,price\n1,95\n2,15O\n3,210\n")
    np.savez(folder / "p.npz", W1=np.ones((1, 1)), b1=np.zeros(1))


def test_a_slip_in_a_number_makes_no_labels_of_a_column(problem, prices):
    where, what, hint = problem(PRICES)
    assert where == "run.yaml:4:7"
    assert what.startswith("the loss squared_error takes numbers, and target[1] of the data ")
    assert what.endswith("is the text '15O'")
    assert "data.map_targets" in hint


@pytest.mark.parametrize(
    "meant",
    [
        ["data.classes=found"],
        ["data.map_targets={95: 95, 15O: 150, 210: 210}"],
        ["loss=binary_cross_entropy", "network.layers.0.activation=sigmoid", "data.file=two.csv"],
    ],
)
def test_texts_that_are_meant_are_labels(meant, problems, prices, folder):
    (folder / "two.csv").write_text("rooms,price\n1,high\n2,low\n")
    assert problems(PRICES, *meant) == []

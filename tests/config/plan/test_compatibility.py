"""Parts that do not fit are found before anything is computed, each with what mends it."""

import numpy as np
import pytest

from lossfw.components.spaces import BINARY, COUNT, LOGITS, POSITIVE, REAL, SIMPLEX, UNIT
from lossfw.config.plan.compatibility import is_within
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

INLINE = "raw_outputs: [[0.5], [0.2], [0.7]]"
SAVED_LOGITS = f"{SAVED.replace('predictions', 'raw_outputs')}evaluate: {{metrics: [accuracy]}}\n"


ONE_OUTPUT = """\
lossfw: 1
data: {name: inline, targets: [0, 1, 1]}
network: {raw_outputs: [[0.5], [0.2], [0.7]]}
loss: cross_entropy
evaluate: {metrics: [accuracy]}
"""


PRICES = """\
lossfw: 1
data: {name: arrays, file: prices.csv, targets_key: price}
network: {layers: [{units: 1, activation: identity}], weights: p.npz}
loss: squared_error
"""


@pytest.fixture(autouse=True)
def weights(folder):
    shapes = {"W1": (2, 4), "b1": 4, "W2": (4, 3), "b2": 3}
    np.savez(folder / "w.npz", **{key: np.ones(shape) for key, shape in shapes.items()})


def test_what_is_far_from_a_space():
    # A bound may be touched: a rectifier is tried before a loss of positive numbers.
    within = [(SIMPLEX, UNIT), (UNIT, SIMPLEX), (BINARY, UNIT), (LOGITS, REAL), (UNIT, POSITIVE)]
    assert all(is_within(*pair) for pair in within)
    beyond = [(REAL, UNIT), (POSITIVE, UNIT), (COUNT, UNIT), (REAL, POSITIVE)]
    assert not any(is_within(*pair) for pair in beyond)


BARE = NETWORK.replace("softmax", "identity").replace("[accuracy]", "[]")


def activated(last, loss):
    return NETWORK.replace("softmax", last).replace("loss: cross_entropy", f"loss: {loss}")


@pytest.mark.parametrize(
    ("text", "at", "what", "hint"),
    [
        (NETWORK.replace("[0, 1, 2]", "[0, 1, 4]"), "6:15",
         ["data 'inline': target[2] = 4 is not a class", "3 columns, so classes are 0 .. 2"],
         "write units: 5, one for each class"),
        (NETWORK.replace("[0, 1, 2]", "[[1, 0], [0, 1], [1, 0]]").replace("accuracy", ""), "6:15",
         ["(3, 3)", "(3, 2)"], "write units: 2, the number of columns of the targets"),
        (activated("softmax", "{name: cross_entropy, from_logits: true}"), "6:30",
         ["configured to take logits", "softmax turns them into probabilities"],
         "activation: identity"),
        *((BARE.replace("cross_entropy", loss), "8:7",
           [f"the loss {loss} takes targets in SIGN, the set {{-1, +1}}, but the data 'inline'",
            "have the class indices 0 to 2"], ["cross_entropy", f"instead of {loss}"])
          for loss in ("hinge", "logistic")),
        (SAVED.replace("[[0.25, 0.75], [0.5, 0.5]]", "[0.5, -0.5]").replace(
            "cross_entropy", "hinge"), "4:7", "SIGN",
         "write data.map_targets: {0: -1, 1: 1}; or take "),
        (activated("softmax", "squared_error").replace("[accuracy]", "[]"), "6:15", "(3, 3)",
         "if the targets are class indices, take "),
        (SAVED_LOGITS.replace("accuracy", "accuracy, calibration_error"), "5:32",
         "the metric calibration_error takes predictions, but its input would be logits",
         "leave it out, or give predictions"),
        *((activated("identity", "multiclass_hinge").replace("accuracy", f"accuracy, {metric}"),
           "9:32", f"the metric {metric} takes predictions in SIMPLEX", "softmax")
          for metric in ("calibration_error", "brier", "cross_entropy")),
        *((activated(last, loss), "6:30", "takes predictions in SIMPLEX",
           f"make the last activation {better}, or take another loss")
          for last, loss, better in (("identity", "cross_entropy", "softmax"),
                                     ("tanh", "brier", "softmax or sparsemax"),
                                     ("relu", "cross_entropy", "softmax"))),
        (SAVED_LOGITS.replace("targets: [0, 1]", "targets: [[0.5, 0.6], [1, 0]]").replace(
            "accuracy", ""), "2:7", "target[0] = [0.5, 0.6]", ""),
        (ONE_OUTPUT, "2:7", "the prediction has 1 column, so the only class is 0",
         "take binary_cross_entropy or focal, which have one output"),
        # A loss beside one that does not fit waits for its end.
        (ONE_OUTPUT.replace(INLINE, "predictions: [[1.0], [1.0], [1.0]]")
         .replace("[accuracy]", "[squared_error]"), "2:7", "", ""),
        (ONE_OUTPUT.replace("[0.7]", "[0.7], [0.1]"), "3:24",
         "the number of raw outputs is 4, and that of the rows of the data 'inline' is 3",
         "give the outputs of each row of the data, in the same order"),
        (ONE_OUTPUT.replace(INLINE, "predictions: [0.5, 0.2, 0.7]"), None,
         "cross_entropy takes rows of numbers", ""),
        # A slip in one cell makes no labels of a column of numbers.
        (PRICES, "4:7", ["the loss squared_error takes numbers, but target[1] of the data ",
                         "is the text '15O'"], "data.map_targets"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_once_with_what_mends_it(text, at, what, hint, prices, refused):
    refused(text, at=at, what=what, hint=hint)


def test_what_does_not_fit_is_told_beside_what_is_wrong_elsewhere(problems):
    """A misspelt metric, an unknown key and a wrong batch size hide no misfit."""
    text = NETWORK.replace("softmax", "identity").replace("[accuracy]", "[acuracy, brier]")
    found = problems(text.replace("evaluate: {", "sed: 3\nevaluate: {batch_size: 0, "))
    wanted = "6:30 9:1 10:24 10:37 10:46"
    assert [where for where, _, _ in found] == [f"run.yaml:{place}" for place in wanted.split()]


@pytest.fixture
def prices(folder):
    """A column of numbers with a slip in one cell."""
    (folder / "prices.csv").write_text("rooms,price\n1,95\n2,15O\n3,210\n")
    np.savez(folder / "p.npz", W1=np.ones((1, 1)), b1=np.zeros(1))


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

"""`model:`: what makes the predictions is a component, whose file has learnt."""

import json

import numpy as np
import pytest

import lossfw
from lossfw.models import Card
from lossfw.models.card import sha256

# A model of a plugin file: one matrix, in JSON.
LINEAR = '''
import json

import numpy as np

from lossfw.errors import DataError
from lossfw.models import Model, Predictor


class Linear(Model):
    """A matrix, in JSON."""

    ending = ".json"
    learns = "once"
    gain: float = 1.0

    def load(self, content, card):
        try:
            weights = np.array(json.loads(content), float) * self.gain
        except ValueError:
            raise DataError(f"{self.file} is not a matrix in JSON.") from None
        link = card.link if card is not None else self.link
        width, units = weights.shape
        return Predictor("linear", content, (width,), units, lambda x: x @ weights, link, pads=True)
'''
TEXT = """\
lossfw: 1
plugins: [linear.py]
data: {name: inline, inputs: [[1.0, 2.0], [3.0, 0.5]], targets: [0, 1]}
model: {name: linear, file: m.json}
loss: cross_entropy
"""
LOGITS = np.array([[1.0, 2.0], [3.0, 0.5]]) @ [[1.0, 0.0], [0.0, 1.0]]
SOFTMAX = np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)


@pytest.fixture(autouse=True)
def files(folder):
    (folder / "linear.py").write_text(LINEAR)
    (folder / "m.json").write_text("[[1, 0], [0, 1]]")
    return folder


def with_card(folder, link="softmax", **changes):
    content = (folder / "m.json").read_bytes()
    card = Card(link, 2, "numpy 2", sha256(content))
    plain = card.to_dict("m.json") | changes
    (folder / "model.json").write_text(json.dumps(plain))


def written(text):
    return text.replace("file: m.json}", "file: m.json, link: softmax}")


def test_the_loss_is_fused_with_the_link(plan):
    made = plan(written(TEXT))
    assert made.outputs_form == "logits"
    expected = -np.log(SOFTMAX[[0, 1], [0, 1]]).mean()
    assert lossfw.evaluate(made).loss == pytest.approx(expected, rel=1e-14)


def test_the_card_beside_the_file_tells_the_link(plan, files):
    with_card(files)
    assert plan(TEXT).digest == plan(written(TEXT)).digest


def test_without_a_link_outputs_are_predictions(plan, files):
    (files / "m.json").write_text("[[0.25, 0.75], [0, 0]]")
    made = plan(TEXT.replace("[3.0, 0.5]", "[1.0, 2.0]"))
    assert made.outputs_form == "prediction"
    assert lossfw.evaluate(made).loss == pytest.approx(-np.log([0.25, 0.75]).mean())


def test_the_first_rows_show_that_outputs_are_not_predictions(refused):
    refused(TEXT, at="5:7", what="prediction[0]", hint="outputs of the model")


@pytest.mark.parametrize(
    ("old", "new", "at", "what", "hint"),
    [
        (
            "model: {name: linear, file: m.json}\n",
            "",
            "1:1",
            "neither a model nor a network",
            "model:",
        ),
        (
            "model:",
            "network: {predictions: [[1, 0]]}\nmodel:",
            "4:1",
            "network and model",
            "leave one",
        ),
        (", file: m.json", "", "4:8", "linear has no file", "FOLDER/model.json"),
        ("linear, f", "linaer, f", "4:15", "no model 'linaer'", "'linear'"),
        (", file", ", gian: 2, file", "4:23", "no parameter 'gian'", "'gain'"),
        ("m.json", "no.json", "4:29", "no.json", ""),
        ("m.json", "linear.py", "4:29", "linear.py is not a matrix in JSON", ""),
        ("file: m.json", "file: m.json, link: tanh", "4:43", "link tanh gives", "link softmax"),
        ("file: m.json", "file: m.json, link: softmaxx", "4:43", "softmaxx", "'softmax'"),
        ("[[1.0, 2.0], [3.0, 0.5]]", "[[1.0], [3.0]]", "3:7", "(N, 2)", ""),
        ("targets: [0, 1]", "targets: [0, 2]", "3:7", "target[1] = 2", ""),
    ],
)
def test_a_mistake_is_told_at_its_place(refused, old, new, at, what, hint):
    refused(TEXT.replace(old, new), at=at, what=what, hint=hint)


def test_a_link_against_the_card_is_a_mistake(refused, files):
    with_card(files, "sigmoid")
    refused(written(TEXT), at="4:43", what=["sigmoid", "softmax"], hint="leave link out")


def test_columns_classes_and_divisor_of_the_card_bind_the_data(refused, files):
    with_card(files, divisor=255.0)
    refused(TEXT, at="3:7", what="scale: 255")


def test_the_name_of_the_file_does_not_reach_the_digest(plan, files):
    (files / "other.json").write_bytes((files / "m.json").read_bytes())
    digests = [
        plan(written(TEXT)).digest,
        plan(written(TEXT).replace("m.json", "other.json")).digest,
        plan(written(TEXT).replace("file: m", "gain: 2, file: m")).digest,
    ]
    (files / "m.json").write_text("[[1, 0], [0, 2]]")
    digests.append(plan(written(TEXT)).digest)
    assert len(set(digests)) == 3
    assert digests[0] == digests[1]

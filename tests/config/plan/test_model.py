"""`model:`: what makes the predictions is a component, trained before."""

import json
import pickle

import numpy as np
import pytest

import lossfw
from lossfw.data.data_record import DataRecord
from lossfw.errors import DataError
from lossfw.models import Card
from lossfw.models.card import sha256
from support.configs import resolved_text
from support.linear_model import LINEAR

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


def with_card(folder, output_activation="softmax", **recorded):
    content = (folder / "m.json").read_bytes()
    card = Card(output_activation, 2, "linear", sha256(content), DataRecord(**recorded))
    (folder / "model.json").write_text(json.dumps(card.to_dict("m.json")))


def written(text):
    return text.replace("file: m.json}", "file: m.json, output_activation: softmax}")


@pytest.mark.parametrize(
    ("old", "new", "at", "what", "hint"),
    [
        ("model: {name: linear, file: m.json}\n", "", "1:1", "neither a model nor a", "model:"),
        ("model:", "network: {predictions: y}\nmodel:", "4:1", "give network or model, not", ""),
        (", file: m.json", "", "4:8", "linear has no file", "FOLDER/linear.json"),
        ("linear, f", "linaer, f", "4:15", "no model 'linaer'", "'linear'"),
        (", file", ", gian: 2, file", "4:23", "no parameter 'gian'", "'gain'"),
        ("m.json", "no.json", "4:29", "no.json", ""),
        ("m.json", "linear.py", "4:29", "linear.py is not a matrix in JSON", ""),
        ("m.json", "broken.txt", "4:8", "load() of the model linear raised Zero", "in Linear.load"),
        ("file: m.json", "file: .", "4:29", "{name: trained, folder: ", ""),
        ("m.json", "m.json, output_activation: tanh", "4:56", "output activation tanh gives",
         "output activation softmax"),
        ("m.json", "m.json, output_activation: softmaxx", "4:56", "softmaxx", "'softmax'"),
        ("[[1.0, 2.0], [3.0, 0.5]]", "[[1.0], [3.0]]", "3:7", "(N, 2)", ""),
        ("targets: [0, 1]", "targets: [0, 2]", "3:7", "target[1] = 2", ""),
    ],
)  # fmt: skip
def test_a_mistake_is_told_at_its_place(refused, files, old, new, at, what, hint):
    (files / "broken.txt").write_text("broken")
    refused(TEXT.replace(old, new), at=at, what=what, hint=hint)


def test_outputs_that_are_no_predictions_and_a_link_against_the_card_are_told(refused, files):
    refused(TEXT, at="5:7", what="prediction[0]", hint="outputs of the model")
    with_card(files, "sigmoid")
    refused(written(TEXT), at="4:56", what=["sigmoid", "softmax", "leave output_activation out"])


SAVED = """\
lossfw: 1
data: {name: inline, targets: [0, 1]}
model: {name: predictions, file: saved.npy}
loss: cross_entropy
evaluate: {metrics: [brier]}
"""


BINARY = SAVED.replace("cross_entropy", "binary_cross_entropy").replace("[brier]", "[]")


@pytest.mark.parametrize(
    ("name", "column"), [("s.npy", 1), ("s.npz", 1), ("s.csv", 1), ("s.csv", "b")]
)
def test_one_column_of_saved_predictions_counts(plan, files, name, column):
    np.save(files / "s.npy", SOFTMAX)
    np.savez(files / "s.npz", predictions=SOFTMAX)
    np.savetxt(files / "s.csv", SOFTMAX, "%.17g", ",", header="a,b", comments="")
    made = plan(BINARY.replace("saved.npy", f"{name}, output_column: {column}"))
    expected = -np.log([1 - SOFTMAX[0, 1], SOFTMAX[1, 1]]).mean()
    assert lossfw.evaluate(made).loss == pytest.approx(expected)


@pytest.mark.parametrize(
    ("old", "new", "at", "what", "hint"),
    [
        (", file: saved.npy", "", "3:1", "predictions needs the parameter 'file'", ""),
        ("saved.npy", "saved.npy, output_activation: sofmax", "3:64", "sofmax", "'softmax'"),
        ("saved.npy", "saved.npy, output_activation: softmax", "3:64",
         "is configured to take logits", "identity"),
        ("saved.npy", "saved.npy, output_column: 2", "3:60", "from 0 to 1", ""),
        ("saved.npy", "saved.npy, output_column: -1", "3:60", "from 0 to 1", ""),
        ("cross_entropy", "binary_cross_entropy", "3:34", "(2, 2)", "model.output_column: 1"),
        ("[0, 1]", "[0, 1, 1]", "3:34", "is 2, and that of the rows", "same order"),
    ],
)  # fmt: skip
def test_a_mistake_beside_saved_outputs_is_told(refused, files, old, new, at, what, hint):
    np.save(files / "saved.npy", SOFTMAX)
    text = SAVED.replace("loss: cross_entropy", FROM_LOGITS) if "softmax" in new else SAVED
    refused(text.replace(old, new), at=at, what=what, hint=hint)


FROM_LOGITS = "loss: {name: cross_entropy, from_logits: true}"
TRAINED = TEXT.replace("{name: linear, file: m.json}", "{name: trained, folder: runs/a}")


@pytest.fixture
def trained(files):
    """Write the folder of a training, which is moved after it."""
    folder = files / "runs/a"
    folder.mkdir(parents=True)
    (files / "m.json").replace(folder / "m.json")
    with_card(folder)
    training = TEXT.replace("linear.py", f"{files}/linear.py").replace("file: m.json", "gain: 2")
    (folder / "config.yaml").write_text(f"{training}train: {{}}\n")
    return folder


def test_trained_stands_for_the_model_in_a_folder(plan, trained):
    written = "{name: linear, gain: 2, file: runs/a/m.json}"
    made = plan(TRAINED)
    assert made.digest == plan(TRAINED.replace("{name: trained, folder: runs/a}", written)).digest
    assert made.outputs_form == "logits"
    assert resolved_text("run.yaml").count(str(trained / "m.json")) == 1


def test_trained_layers_are_their_weights(plan, files):
    (files / "net").mkdir()
    for file in ("w.npz", "net/weights.npz"):
        np.savez(files / file, W1=np.eye(2), b1=np.zeros(2))
    layers = "layers: [{units: 2, activation: softmax}]"
    (files / "net/config.yaml").write_text(of_layers(f"network: {{{layers}}}") + "train: {}\n")
    short = plan(of_layers(f"network: {{{layers}, weights: w.npz}}"))
    assert plan(of_layers("model: {name: trained, folder: net}")).digest == short.digest


@pytest.mark.parametrize(
    ("file", "content", "what", "hint"),
    [
        ("config.yaml", None, "is not a training folder", "--out"),
        ("m.json", None, "holds an unfinished training: it has no m.json", "--resume"),
        ("model.json", None, "has no model.json", "--resume"),
        ("config.yaml", "a: [", "config.yaml:1", ""),
    ],
)
def test_a_folder_without_a_model_is_told(refused, trained, file, content, what, hint):
    (trained / file).unlink()
    if content is not None:
        (trained / file).write_text(content)
    refused(TRAINED, at="4:32", what=what, hint=hint)
    # Another key beside the folder is a mistake.
    refused(TRAINED.replace("runs/a", "runs/a, gain: 3"), at="4:40", what="no parameter 'gain'")


@pytest.mark.parametrize(
    ("matrix", "output_activation", "is_noted"),
    [
        ([[0.25, 0.75], [0.5, 0.5]], "softmax", True),
        ([[0.25, 0.75], [0.5, 0.5]], None, False),
        ([[0.5, 0.25], [0.125, 0.125]], "softmax", False),
        ([[2, 0], [0, 1]], "softmax", False),
    ],
)
def test_softmax_of_probabilities_is_noted(plan, files, matrix, output_activation, is_noted):
    (files / "m.json").write_text(json.dumps(matrix))
    rows = "[[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]], targets: [0, 1, 1]"
    text = TEXT.replace("[[1.0, 2.0], [3.0, 0.5]], targets: [0, 1]", rows)
    made = plan(written(text) if output_activation else text)
    assert any("applied to them again" in note for note in made.warnings) == is_noted


def test_a_missing_library_and_another_result_of_load_are_told(refused, files):
    source = LINEAR.replace(
        "    ending", '    library = "no_such_library"\n    extra = "none"\n    ending'
    )
    source = source.replace("        try:", "        self.imported()\n        try:", 1)
    (files / "linear.py").write_text(source)
    refused(TEXT, at="4:8", what="linear needs no_such_library", hint="")
    source = LINEAR.replace("activation, pads=True)", "activation, pads=True).description")
    (files / "linear.py").write_text(source)
    refused(TEXT, at="4:29", what=["load() of the model linear returned str", "Predictor"])


def test_a_large_file_is_read_where_it_is_needed(plan, files, monkeypatch):
    monkeypatch.setattr("lossfw.models.predictor._SENT_BYTES", 1)
    made = plan(written(TEXT)).model
    content = pickle.dumps(made)
    assert pickle.loads(content).digest == made.digest
    (files / "m.json").write_text("[[2, 0], [0, 1]]")
    with pytest.raises(DataError, match="is another file here"):
        pickle.loads(content)


LAYERS = "layers: [{units: 3, activation: relu}, {units: 2, activation: softmax}]"


def of_layers(section):
    """Return a text whose model, or network, is the one given."""
    text = TEXT.replace("plugins: [linear.py]\n", "")
    return text.replace("model: {name: linear, file: m.json}", section)


@pytest.fixture
def dense(files):
    random = np.random.default_rng(0)
    shapes = {"W1": (2, 3), "b1": 3, "W2": (3, 2), "b2": 2}
    np.savez(files / "w.npz", **{name: random.normal(size=shape) for name, shape in shapes.items()})
    return of_layers


def test_dense_is_a_network(plan, dense):
    made = plan(dense(f"model: {{name: dense, {LAYERS}, file: w.npz}}"))
    short = plan(dense(f"network: {{{LAYERS}, weights: w.npz}}"))
    assert made.digest == short.digest
    assert str(made.model) == "2-3-2, relu, softmax, float64"


@pytest.mark.parametrize(
    ("section", "at", "what"),
    [
        ("model: {name: dense, file: w.npz}", "3:1", "dense needs the parameter 'layers'"),
        (f"model: {{name: dense, {LAYERS}, file: v.npz}}", "3:101", "no file 'v.npz'"),
        (f"model: {{name: dense, {LAYERS}}}", "3:22", "weights is missing"),
        (f"model: {{name: dense, {LAYERS.replace('relu', 'rleu')}, file: w.npz}}", "3:54", "rleu"),
    ],
)
def test_a_mistake_in_dense_is_told(refused, dense, section, at, what):
    refused(dense(section), at=at, what=what, hint="")

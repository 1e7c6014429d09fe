"""Runs whose predictions a model makes: their folder, and how two of them are compared."""

import json

import numpy as np
import pytest

import lossfw
from support.linear_model import LINEAR

TEXT = """\
lossfw: 1
plugins: [linear.py]
data: {name: arrays, file: data.npz}
model: {name: linear, file: FILE, output_activation: softmax}
loss: cross_entropy
evaluate: {metrics: [accuracy], save_rows: true}
"""


@pytest.fixture
def ran(folder):
    """Run the model in a file, and return its folder."""
    random = np.random.default_rng(0)
    np.savez(folder / "data.npz", inputs=random.normal(size=(600, 2)), targets=np.arange(600) % 2)
    (folder / "linear.py").write_text(LINEAR)

    def run(name, matrix="[[1, 0.5], [0.5, 1]]", **options):
        (folder / f"{name}.json").write_text(matrix)
        (folder / f"{name}.yaml").write_text(TEXT.replace("FILE", f"{name}.json"))
        lossfw.run(f"{name}.yaml", out=name, **options)
        return folder / name

    return run


def test_the_record_says_what_made_the_predictions(ran):
    record = json.loads((ran("a") / "run.json").read_text())
    assert record["model"] == {"is": "linear, 2 inputs, 2 raw outputs, softmax", "library": None}
    assert len(record["weights"]) == 64


def test_the_name_of_a_model_file_is_no_difference(ran):
    same = lossfw.compare(ran("a"), ran("b"), trust=True)
    assert same.settings == {}
    other = lossfw.compare(ran("a"), ran("c", "[[1, 0], [0, 1]]"), trust=True)
    assert other.settings == {}
    assert "model" in other.surroundings


def test_the_size_of_batches_leaves_the_bits(ran):
    expected = (ran("a") / "metrics.json").read_bytes()
    small = ran("a7", overrides=["evaluate.batch_size=7"])
    assert (small / "metrics.json").read_bytes() == expected


def test_a_model_of_one_output_is_paired_with_its_saved_outputs(ran, folder):
    text = TEXT.replace("cross_entropy", "binary_cross_entropy").replace("softmax", "sigmoid")
    (folder / "m.json").write_text("[[1], [0.5]]")
    ran("other")
    (folder / "one.yaml").write_text(text.replace("FILE", "m.json").replace("[accuracy]", "[]"))
    inputs = np.load(folder / "data.npz")["inputs"]
    np.save(folder / "raw.npy", inputs @ [1.0, 0.5])
    saved = "model={name: predictions, file: raw.npy, output_activation: sigmoid}"
    for name, overrides in (("one", []), ("saved", [saved])):
        lossfw.run("one.yaml", overrides=overrides, out=name)
    made = lossfw.compare("one", "saved", trust=True)
    assert made.notes == ()
    assert made.paired

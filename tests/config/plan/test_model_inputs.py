"""Missing values, categories and rows in files reach a model that takes them, and no other."""

import json

import numpy as np
import pytest

from lossfw.config.plan import training
from lossfw.config.schema.checked import read_config
from lossfw.config.text.mapping import NAME, MappingConfig
from lossfw.config.text.source import ConfigSource
from lossfw.data.data_record import DataRecord
from lossfw.data.lazy_arrays import is_file_backed
from lossfw.errors import ConfigError
from lossfw.models import Card
from lossfw.models.card import sha256

# The sum of the inputs; 100 for each that is missing.
ADDING = '''
import numpy as np

from lossfw.models import Model, Predictor


class Finite(Model):
    """The sum of the inputs."""

    def load(self, content, card):
        return Predictor("sum", content, (2,), 1, lambda x: np.nan_to_num(x, nan=100).sum(axis=1))


class Classes(Model):
    """Two columns."""

    output_column: int | None = None

    def load(self, content, card):
        return Predictor("two", content, (2,), 2, lambda x: x, None)


class Adding(Finite):
    """The sum of the inputs, 100 for one that is missing."""

    accepted_inputs = frozenset({"missing", "categories"})


class Mean(Finite):
    """The mean of the targets, which needs no inputs."""

    ending = ".txt"
    training_mode = "once"

    def fit(self, leg):
        leg.report_round(np.full(len(leg.data), leg.targets.mean()), None)
        return str(leg.targets.mean()).encode()


class Streaming(Mean):
    reads_in_batches = True
'''
TEXT = """\
lossfw: 1
plugins: [adding.py]
data: {name: arrays, file: c.csv, targets_key: paid, categories: [kind], missing: keep}
model: {name: adding, file: m.txt, output_activation: identity}
loss: absolute_error
"""


@pytest.fixture(autouse=True)
def files(folder):
    (folder / "adding.py").write_text(ADDING)
    (folder / "m.txt").write_text("a model")
    (folder / "c.csv").write_text("kind,age,paid\ncar,10,0\nbus,,0\n,30,0\n")
    return folder


def with_card(folder, *labels, columns=("kind", "age")):
    record = DataRecord(columns=columns, categories={"kind": labels})
    card = Card("identity", 1, "adding", sha256((folder / "m.txt").read_bytes()), record)
    (folder / "model.json").write_text(json.dumps(card.to_dict("m.txt")))


@pytest.mark.parametrize("change", ["missing: keep", "missing: drop, unknown: missing"])
@pytest.mark.parametrize("model", [
    "model: {name: finite, file: m.txt, output_activation: identity}",
    "network: {layers: [{units: 1, activation: identity}], weights: w.npz}",
])  # fmt: skip
def test_other_models_refuse_missing_values(plan, files, change, model):
    np.savez(files / "w.npz", **{"layer 0 weights": np.ones((1, 3)), "layer 0 bias": np.zeros(1)})
    text = TEXT.replace("model: {name: adding, file: m.txt, output_activation: identity}", model)
    text = text.replace("missing: keep", change)
    who = "the model finite" if "finite" in model else "a network"
    told = rf"(?s)leaves NaN among the inputs, which {who} does not t(?=.*xgboost).*missing: drop"
    with pytest.raises(ConfigError, match=told):
        plan(text)


def test_another_name_in_the_place_of_a_column_is_noted(plan, files):
    with_card(files, "bus", "car", columns=("kind", "years"))
    (note,) = plan(TEXT).warnings
    assert note.endswith("input columns that the training did not have: age instead of years")


def test_codes_are_no_measurements(plan):
    for key in ("scale: 2", "standardize: true"):
        with pytest.raises(ConfigError, match="changes every input, but categories are codes"):
            plan(TEXT.replace("keep}", f"keep, {key}}}"))
    text = TEXT.replace("categories: [kind]", "exclude: [kind]")
    with pytest.raises(ConfigError, match="some may be missing"):
        plan(text.replace("keep}", "keep, standardize: true}"))


def test_both_classes_before_a_loss_of_one_output_lead_to_the_column(plan, files):
    (files / "c.csv").write_text("a,b,targets\n0.5,0.5,1\n0.25,0.75,0\n")
    text = TEXT.replace(", targets_key: paid, categories: [kind], missing: keep", "")
    text = text.replace("adding, file: m.txt, output_activation: identity", "classes, file: m.txt")
    with pytest.raises(ConfigError, match=r"model\.output_column: 1, as binary_cross_entropy tak"):
        plan(text.replace("absolute_error", "binary_cross_entropy"))


@pytest.mark.parametrize("hold_out", [{"fraction": 0.25}, {"folds": 3, "fold": 1}])
@pytest.mark.parametrize("model", ["mean", "streaming"])
def test_inputs_of_a_model_that_reads_batches_stay_in_their_file(
    folder, monkeypatch, model, hold_out
):
    np.save(folder / "inputs.npy", np.arange(40.0).reshape(20, 2))
    np.save(folder / "targets.npy", np.arange(20.0))
    monkeypatch.setattr(training, "_READ_ONCE_BYTES", 100)
    files = {role: str(folder / f"{role}.npy") for role in ("inputs", "targets")}
    given = {
        "lossfw": 1,
        "plugins": [str(folder / "adding.py")],
        "data": {"name": "arrays", **files},
        "model": model,
        "loss": "squared_error",
        "train": {"hold_out": hold_out},
    }
    config = read_config(ConfigSource(NAME, given=MappingConfig.of(given)))
    made = training.training_of(config)
    assert is_file_backed(made.data.inputs) == (model == "streaming")
    assert not is_file_backed(made.data.targets)
    rows = np.arange(40.0).reshape(20, 2)
    for part in (made.data, made.held_out):
        np.testing.assert_array_equal(part.inputs, rows[part.rows])
        np.testing.assert_array_equal(part.targets[:, 0], part.rows)

"""Missing values and categories reach a model that takes them, and no other."""

import json

import numpy as np
import pytest

from lossfw.data.data_record import DataRecord
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


@pytest.mark.parametrize("key", ["scale: 2", "standardize: true"])
def test_codes_are_no_measurements(plan, key):
    with pytest.raises(ConfigError, match="changes every input, but categories are codes"):
        plan(TEXT.replace("keep}", f"keep, {key}}}"))
    wanted = {"scale: 2": None, "standardize: true": "some may be missing"}[key]
    if wanted is not None:
        text = TEXT.replace("categories: [kind]", "exclude: [kind]")
        with pytest.raises(ConfigError, match=wanted):
            plan(text.replace("keep}", f"keep, {key}}}"))


def test_both_classes_before_a_loss_of_one_output_lead_to_the_column(plan, files):
    (files / "c.csv").write_text("a,b,targets\n0.5,0.5,1\n0.25,0.75,0\n")
    text = TEXT.replace(", targets_key: paid, categories: [kind], missing: keep", "")
    text = text.replace("adding, file: m.txt, output_activation: identity", "classes, file: m.txt")
    with pytest.raises(ConfigError, match=r"model\.output_column: 1, as binary_cross_entropy tak"):
        plan(text.replace("absolute_error", "binary_cross_entropy"))

"""Cards next to models: a card that does not fit is refused with the way out, never passed over."""

import json

import numpy as np
import pytest

import lossfw
from lossfw.data.data_record import DataRecord
from lossfw.data.standardisation import Standardisation
from lossfw.errors import DataError
from lossfw.models import Card, Model, Predictor
from lossfw.models.card import _digest, sha256

RECORD = DataRecord(
    classes=("ant", "bee"),
    columns=("a", "b"),
    divisor=2.0,
    categories={},
    standardisation=Standardisation(np.array([1.0, 2.0]), np.array([3.0, 4.0])),
)


class Two(Model):
    """A model of two inputs and two raw outputs."""

    def load(self, content, card):
        return Predictor("two", content, (2,), 2, lambda x: x, self.activation_with(card))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "m.bin").write_bytes(b"weights")
    card = Card("softmax", 2, Two().library_version, sha256(b"weights"), RECORD)
    write(tmp_path, card.to_dict("m.bin"))
    return tmp_path


def write(folder, plain):
    (folder / "model.json").write_text(json.dumps(plain))


def read(folder):
    return json.loads((folder / "model.json").read_text())


def signed(plain):
    return plain | {"digest": _digest(plain)}


def loaded(folder, **parameters):
    return Two(file=folder / "m.bin", **parameters).load_predictor()


def test_a_card_is_read_as_it_was_written(folder):
    card = loaded(folder).card
    assert (card.output_activation, card.units, card.file) == ("softmax", 2, "m.bin")
    assert card.record.classes == RECORD.classes
    assert card.record.columns == RECORD.columns
    assert card.record.divisor == 2.0
    assert card.record.standardisation.scale.tolist() == [3.0, 4.0]
    assert card.to_dict("m.bin") == read(folder)


def test_a_file_that_was_saved_again_is_refused_with_the_way_out(folder):
    (folder / "m.bin").write_bytes(b"weights.")
    with pytest.raises(DataError, match=r"m\.bin has different content.*card: ignore"):
        loaded(folder)
    assert loaded(folder, card="ignore").card is None


def test_another_model_next_to_a_card_is_refused_with_the_way_out(folder):
    (folder / "other.bin").write_bytes(b"other weights")
    with pytest.raises(DataError, match=r"is the card of m\.bin .*card: ignore"):
        Two(file=folder / "other.bin").load_predictor()
    assert Two(file=folder / "other.bin", card="ignore").load_predictor().card is None


def test_the_same_content_under_another_name_keeps_its_card(folder):
    (folder / "m.bin").rename(folder / "best.bin")
    assert Two(file=folder / "best.bin").load_predictor().card is not None


CHANGED = {
    "classes in another order": {"classes": ["bee", "ant"]},
    "output_activation": {"output_activation": "identity"},
    "a key of another kind": {"more": 1},
}


@pytest.mark.parametrize("change", CHANGED.values(), ids=CHANGED)
def test_a_card_that_was_changed_by_hand_is_refused(folder, change):
    write(folder, read(folder) | change)
    with pytest.raises(DataError, match=r"changed after the training.*card: ignore"):
        loaded(folder)
    assert loaded(folder, card="ignore").card is None


WRONG = {
    "version from the future": ({"lossfw_card": 99}, "version 99, but this lossfw reads 1"),
    "units of another number": ({"units": 7}, "7 raw outputs per row, but the model has 2"),
    "too few columns": ({"columns": ["a"]}, "1 columns, but the model takes 2 inputs"),
    "another library": ({"library": "catboost 9"}, "catboost 9 model, but this is"),
    "divisor of 0": ({"divisor": 0}, "divisor:"),
    "endless divisor": ({"divisor": float("inf")}, "divisor:"),
    "categories of numbers": ({"categories": {"a": [1]}}, r"categories\.a\.0:"),
    "an unknown key": ({"more": 1}, "more:"),
    "mean of texts": ({"inputs_mean": ["1", "2"]}, "inputs_mean and inputs_scale"),
    "ragged mean": ({"inputs_mean": [1, [2]]}, "inhomogeneous"),
    "mean of a number": ({"inputs_mean": 1.0, "inputs_scale": 1.0}, r"scales rows of shape \(\)"),
}


@pytest.mark.parametrize(("change", "words"), WRONG.values(), ids=WRONG)
def test_every_field_is_checked(folder, change, words):
    write(folder, signed(read(folder) | change))
    with pytest.raises(DataError, match=words) as caught:
        loaded(folder)
    assert "card: ignore" in str(caught.value)
    assert loaded(folder, card="ignore").card is None


@pytest.mark.parametrize("key", ["sha256", "units", "columns", "divisor"])
def test_a_key_that_is_missing_is_named(folder, key):
    plain = read(folder)
    del plain[key]
    write(folder, signed(plain))
    with pytest.raises(DataError, match=f"{key}: Field required"):
        loaded(folder)


def test_a_card_that_was_cut_off_is_refused(folder):
    text = (folder / "model.json").read_text()
    (folder / "model.json").write_text(text[: len(text) // 2])
    with pytest.raises(DataError, match=r"is not JSON.*card: ignore"):
        loaded(folder)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"lossfw": 1}', "junk", '["lossfw_card"]'])
def test_another_file_of_that_name_is_not_a_card(folder, content):
    (folder / "model.json").write_text(content)
    assert loaded(folder).card is None


@pytest.mark.parametrize("name", ["xgboost", "catboost"])
def test_a_model_of_a_library_with_the_name_of_a_card_is_read(tmp_path, name):
    library = pytest.importorskip(name)
    x = np.random.default_rng(0).normal(size=(60, 2))
    y = (x[:, 0] > 0).astype(int)
    path = tmp_path / "model.json"
    if name == "xgboost":
        trained = library.XGBClassifier(n_estimators=3).fit(x, y)
        trained.save_model(path)
    else:
        trained = library.CatBoostClassifier(iterations=3, verbose=False, allow_writing_files=False)
        trained.fit(x, y).save_model(str(path), format="json")
    (tmp_path / "m.bin").write_bytes(b"another model")
    assert Two(file=tmp_path / "m.bin").load_predictor().card is None
    result = lossfw.run(
        {
            "data": {"inputs": x, "targets": y},
            "model": {"name": name, "file": str(path)},
            "loss": "binary_cross_entropy",
            "evaluate": {"metrics": ["accuracy"]},
        }
    )
    assert result.metrics["accuracy"] == trained.score(x, y)


def test_the_folder_of_a_training_whose_model_was_saved_again(tmp_path, monkeypatch):
    xgboost = pytest.importorskip("xgboost")
    monkeypatch.chdir(tmp_path)
    x = np.random.default_rng(0).normal(5, 3, size=(80, 2))
    config = {
        "data": {"inputs": x, "targets": (x[:, 0] > 5).astype(int), "standardize": True},
        "model": {"name": "xgboost"},
        "loss": "binary_cross_entropy",
        "train": {"rounds": 3},
    }
    lossfw.train(config, out="tr")
    trained = {**config, "model": {"name": "trained", "folder": "tr"}}
    del trained["train"]
    before = lossfw.run(trained).loss
    booster = xgboost.Booster(model_file="tr/model.ubj")
    booster.set_attr(note="mine")
    booster.save_model("tr/model.ubj")
    with pytest.raises(lossfw.LossfwError, match=r"saved again.*card: ignore"):
        lossfw.run(trained)
    raw = {**trained["data"], "inputs": (x - x.mean(axis=0)) / x.std(axis=0), "standardize": False}
    ignored = {"name": "trained", "folder": "tr", "card": "ignore", "output_activation": "sigmoid"}
    assert lossfw.run({**trained, "data": raw, "model": ignored}).loss == pytest.approx(before)
    model = {**ignored, "name": "xgboost", "file": "tr/model.ubj"}
    del model["folder"]
    assert lossfw.run({**trained, "data": raw, "model": model}).loss == pytest.approx(before)

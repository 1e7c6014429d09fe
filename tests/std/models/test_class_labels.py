"""Labels of classes in model files: matched with those of the data by value, or refused.

The accuracy of lossfw is that of the library itself, for every kind of model that can hold labels
and for labels of every type. Kinds whose files hold none keep them in the card of a training.
"""

import json
import os
from functools import cache

import numpy as np
import pytest

import lossfw

RANDOM = np.random.default_rng(0)
INPUTS = RANDOM.normal(size=(120, 3)).astype(np.float32)
NUMBERS = (INPUTS[:, 0] > 0).astype(int) + (INPUTS[:, 1] > 0.4)
# Labels of three classes, and of two, as they are given to the library.
LABELS = {
    "texts": ["ant", "bee", "cow"],
    "texts in another order": ["cow", "ant", "bee"],
    "negative numbers": [-1, 0, 5],
    "numbers in another order": [2, 0, 1],
    "fractions": [0.5, 1.5, 2.0],
    "texts of numbers": ["1", "2", "10"],
}
PAIRS = {"two texts": ["yes", "no"], "signs": [-1, 1], "Booleans": [False, True]}
EVERY = LABELS | PAIRS

# How data write the labels: a table, and arrays of numbers where they are some.
FORMS = ["table", "numbers"]
# Kinds whose own files hold labels, and kinds that need the card of a training.
OF_FILES = ["catboost", "sklearn", "forest", "hist_gradient_boosting", "onnx"]
OF_CARDS = ["xgboost", "lightgbm", "catboost", "hist_gradient_boosting", "keras", "torch", "dense"]
# How long a training is; of rounds where nothing else is said.
LENGTHS = {
    "keras": {"epochs": 20},
    "torch": {"epochs": 20},
    "dense": {"epochs": 20, "optimizer": {"name": "sgd", "learning_rate": 0.5}},
}
CODE = {
    "torch": "import torch\ndef make():\n    return torch.nn.Sequential(torch.nn.Linear(3, 3))\n",
    "keras": """\
import keras

def make():
    return keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(3)])
""",
}

# Keras hands its tensors to NumPy in the way of NumPy 1.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def needs(kind):
    """Skip the test if a library is missing."""
    modules = {
        "catboost": ["catboost"],
        "onnx": ["skl2onnx", "onnxruntime"],
        "keras": ["keras", "torch"],
        "torch": ["torch", "safetensors"],
        "xgboost": ["xgboost"],
        "lightgbm": ["lightgbm"],
    }
    if kind == "keras":
        os.environ.setdefault("KERAS_BACKEND", "torch")
    for module in modules.get(kind, [] if kind == "dense" else ["sklearn", "skops"]):
        pytest.importorskip(module)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("labels")


def numbers_of(labels):
    return NUMBERS if len(labels) == 3 else np.minimum(NUMBERS, 1)


@cache
def fitted(kind, name, folder):
    """Return the model section of a file that the library wrote, and what the library predicts."""
    labels = EVERY[name]
    targets = np.array(labels)[numbers_of(labels)]
    folder = folder / f"{kind} {name}"
    folder.mkdir()
    if kind == "catboost":
        import catboost

        quiet = {"iterations": 20, "verbose": False, "allow_writing_files": False}
        options = {} if name in PAIRS else {"loss_function": "MultiClass"}
        options |= {} if name == "Booleans" else {"class_names": labels}
        model = catboost.CatBoostClassifier(thread_count=1, **quiet, **options)
        model.fit(INPUTS, targets).save_model(str(folder / "m.cbm"))
        own = np.ravel(model.predict(INPUTS))
        own = own.astype(str) == "True" if name == "Booleans" else own.astype(targets.dtype)
        return {"name": "catboost", "file": str(folder / "m.cbm")}, own
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression

    model = {
        "forest": lambda: RandomForestClassifier(10, random_state=0),
        "hist_gradient_boosting": lambda: HistGradientBoostingClassifier(max_iter=10),
    }.get(kind, LogisticRegression)()
    model.fit(INPUTS, targets)
    own = model.predict(INPUTS)
    if kind == "onnx":
        import skl2onnx

        options = {id(model): {"zipmap": False}}
        content = skl2onnx.to_onnx(model, INPUTS[:1], options=options).SerializeToString()
        (folder / "m.onnx").write_bytes(content)
        section = {"name": "onnx", "file": str(folder / "m.onnx"), "output": "probabilities"}
        return section, own
    import skops.io

    skops.io.dump(model, folder / "m.skops")
    name = kind if kind == "hist_gradient_boosting" else "sklearn"
    return {"name": name, "file": str(folder / "m.skops")}, own


def table(targets, folder, inputs=INPUTS):
    """Return rows of a table whose targets are written as they are."""
    rows = zip(inputs.astype(float).tolist(), targets, strict=True)
    path = folder / f"{abs(hash(tuple(map(str, targets))))}.csv"
    path.write_text("\n".join(["a,b,c,t", *(",".join(map(str, [*x, t])) for x, t in rows)]) + "\n")
    return {"name": "arrays", "file": str(path), "targets_key": "t"}


def run(data, model, classes=3):
    if classes == 2 and model["name"] in ("sklearn", "onnx"):
        model = model | {"output_column": 1}
    loss = "binary_cross_entropy" if classes == 2 else "cross_entropy"
    config = {"data": data, "model": model, "loss": loss, "evaluate": {"metrics": ["accuracy"]}}
    return lossfw.run(config).metrics["accuracy"]


def skip_without(kind, name=""):
    needs(kind)
    if name == "fractions" and kind != "catboost":
        pytest.skip("scikit-learn takes fractions for measurements")


@pytest.mark.turns(3)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("kind", OF_FILES)
def test_the_accuracy_is_that_of_the_library(kind, name, form, folder):
    skip_without(kind, name)
    labels = EVERY[name]
    if form == "numbers" and isinstance(labels[0], str):
        pytest.skip("texts are not numbers")
    model, own = fitted(kind, name, folder)
    targets = np.array(labels)[numbers_of(labels)]
    data = table(targets, folder)
    if form == "numbers":
        data = {"inputs": INPUTS, "targets": targets + 0}  # also of Booleans
    expected = float((own == targets).mean())
    assert expected > 0.6
    assert run(data, model, len(labels)) == pytest.approx(expected)


@pytest.mark.turns(3)
@pytest.mark.parametrize("name", LABELS)
@pytest.mark.parametrize("kind", OF_FILES)
def test_a_label_that_the_model_does_not_have_is_refused(kind, name, folder):
    skip_without(kind, name)
    model, _ = fitted(kind, name, folder)
    labels = LABELS[name]
    targets = np.array(labels, object)[NUMBERS]
    targets[7] = "dog" if labels[0] in ("ant", "cow") else 7
    with pytest.raises(lossfw.LossfwError, match=r"dog|\b7\b"):
        run(table(targets, folder), model)


@pytest.mark.parametrize("kind", OF_FILES)
def test_numbers_for_labels_of_text_are_refused_with_the_way_out(kind, folder):
    needs(kind)
    model, own = fitted(kind, "texts in another order", folder)
    labels = list(LABELS["texts in another order"])
    data = {"inputs": INPUTS, "targets": NUMBERS}
    with pytest.raises(lossfw.LossfwError, match=r"map_targets: \{0: 0, 1: 1, 2: 2\}"):
        run(data, model)
    order = sorted(labels) if kind != "catboost" else labels
    mapped = {str(i): order.index(label) for i, label in enumerate(labels)}
    expected = float((own == np.array(labels)[NUMBERS]).mean())
    assert run({**data, "map_targets": mapped}, model) == pytest.approx(expected)


def trained_by(kind, folder):
    """Return the section of a small model that lossfw trains."""
    if kind == "dense":
        return {"name": "dense", "layers": [{"units": 3, "activation": "softmax"}]}
    if kind not in CODE:
        return {"name": kind}
    (folder / f"{kind}_net.py").write_text(CODE[kind])
    return {"name": kind, "module": str(folder / f"{kind}_net.py:make"), "learning_rate": 0.1}


@pytest.mark.turns(3)
@pytest.mark.parametrize("name", LABELS)
@pytest.mark.parametrize("kind", OF_CARDS)
def test_the_card_of_a_training_holds_the_labels(kind, name, folder):
    needs(kind)
    labels, where = LABELS[name], folder / f"trained {kind} {name}"
    where.mkdir()
    targets = np.array(labels)[NUMBERS]
    data = table(targets, folder)
    config = {
        "data": {**data, "classes": labels},
        "model": trained_by(kind, folder),
        "loss": "cross_entropy",
        "train": LENGTHS.get(kind, {"rounds": 10}),
    }
    result = lossfw.train(config, out=where)
    if kind != "dense":  # whose labels are next to its weights
        card = json.loads((where / "model.json").read_text())
        assert card["classes"] == [str(x) for x in labels]
    own = np.array(labels)[result.predict(INPUTS).argmax(axis=1)]
    expected = float((own == targets).mean())
    assert expected > 0.6
    model = {"name": "trained", "folder": str(where)}
    assert run(data, model) == pytest.approx(expected)
    # Also of rows that lack a class.
    some = NUMBERS > 0
    part, expected = targets[some], pytest.approx(float((own[some] == targets[some]).mean()))
    assert run(table(part, folder, INPUTS[some]), model) == expected
    if not isinstance(labels[0], str):
        assert run({"inputs": INPUTS[some], "targets": part}, model) == expected
    other = np.where(np.arange(120) == 3, "dog", targets.astype(str))
    with pytest.raises(lossfw.LossfwError, match="dog"):
        run(table(other, folder), model)


@pytest.mark.parametrize("kind", ["xgboost", "lightgbm"])
def test_a_file_without_labels_has_a_note(kind, folder):
    needs(kind)
    if kind == "xgboost":
        import xgboost

        xgboost.XGBClassifier(n_estimators=3).fit(INPUTS, NUMBERS).save_model(folder / "m.ubj")
        model = {"name": "xgboost", "file": str(folder / "m.ubj")}
    else:
        import lightgbm

        fit = lightgbm.LGBMClassifier(n_estimators=3, verbosity=-1).fit(INPUTS, NUMBERS + 1)
        fit.booster_.save_model(folder / "m.txt")
        model = {"name": "lightgbm", "file": str(folder / "m.txt")}
    texts = table(np.array(["ant", "bee", "cow"])[NUMBERS], folder)
    (note,) = lossfw.run({"data": texts, "model": model, "loss": "cross_entropy"}).warnings
    assert "numbered in ascending order, ant, bee, cow" in note
    kept = NUMBERS < 2
    rows = {"inputs": INPUTS[kept], "targets": NUMBERS[kept] + 1}
    result = lossfw.run({"data": rows, "model": model, "loss": "cross_entropy"})
    assert any("none of them is 0" in note for note in result.warnings)
    named = {**texts, "classes": ["ant", "bee", "cow"]}
    assert run(named, model) == run({"inputs": INPUTS, "targets": NUMBERS}, model)
    two = table(np.array(["ant", "bee"])[np.minimum(NUMBERS, 1)], folder)
    with pytest.raises(lossfw.LossfwError, match=r"2 labels ant, bee, .* 3 outputs"):
        run(two, model)

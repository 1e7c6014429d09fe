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
    "numbers": [1, 2, 3],
    "negative numbers": [-1, 0, 5],
    "numbers in another order": [2, 0, 1],
    "fractions": [0.5, 1.5, 2.0],
    "texts of numbers": ["1", "2", "10"],
    "indices": [0, 1, 2],
}
PAIRS = {
    "two texts": ["yes", "no"],
    "two numbers": [1, 2],
    "signs": [-1, 1],
    "Booleans": [False, True],
    "two indices in another order": [1, 0],
}


# How data write the labels: a table, and arrays of numbers where they are some.
def slow(*values):
    return pytest.param(*values, marks=pytest.mark.slow)


FORMS = ["table", "numbers", slow("floats")]
# Kinds whose own files hold labels, and kinds that need the card of a training.
OF_FILES = ["catboost", "sklearn", "forest", "hist_gradient_boosting", "onnx"]
# How long a training is; of rounds where nothing else is said.
LENGTHS = {
    "keras": {"epochs": 20},
    "torch": {"epochs": 20},
    "dense": {"epochs": 20, "optimizer": {"name": "sgd", "learning_rate": 0.5}},
}
SOME = [
    name if name in ("texts in another order", "negative numbers") else slow(name)
    for name in LABELS
]
OF_CARDS = ["xgboost", "lightgbm", "catboost", "hist_gradient_boosting", "keras", "torch", "dense"]

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
    labels = (LABELS | PAIRS)[name]
    targets = np.array(labels)[numbers_of(labels)]
    folder = folder / f"{kind} {name}"
    folder.mkdir()
    if kind == "catboost":
        import catboost

        options = {"loss_function": "MultiClass"} if len(labels) == 3 else {}
        model = catboost.CatBoostClassifier(
            iterations=20,
            verbose=False,
            allow_writing_files=False,
            thread_count=1,
            class_names=None if name == "Booleans" else labels,
            **options,
        )
        model.fit(INPUTS, targets).save_model(str(folder / "m.cbm"))
        own = np.ravel(model.predict(INPUTS))
        if name == "Booleans":
            own = own.astype(str) == "True"
        return {"name": "catboost", "file": str(folder / "m.cbm")}, own.astype(targets.dtype)
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


def data_of(targets, form, folder):
    """Return rows whose targets are written in a form; None if they cannot be."""
    if form == "table":
        lines = [
            ",".join([*map(repr, map(float, x)), str(t)])
            for x, t in zip(INPUTS, targets, strict=True)
        ]
        path = folder / f"{abs(hash(tuple(map(str, targets))))}.csv"
        path.write_text("\n".join(["a,b,c,t", *lines]) + "\n")
        return {"name": "arrays", "file": str(path), "targets_key": "t"}
    try:
        numbers = targets.astype(float)
    except ValueError:
        return None
    if form == "numbers" and (numbers == np.floor(numbers)).all():
        numbers = numbers.astype(int)
    return {"inputs": INPUTS, "targets": numbers}


def run(data, model, classes=3, rows=None):
    two = {"loss": "binary_cross_entropy"}
    loss = {"loss": "cross_entropy"}
    if classes == 2:
        loss = two
        if model["name"] in ("sklearn", "onnx"):
            model = model | {"output_column": 1}
    config = {"data": data, "model": model, "evaluate": {"metrics": ["accuracy"]}, **loss}
    return lossfw.run(config).metrics["accuracy"]


@pytest.mark.turns(3)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", [*LABELS, *PAIRS])
@pytest.mark.parametrize("kind", OF_FILES)
def test_the_accuracy_is_that_of_the_library(kind, name, form, folder):
    needs(kind)
    if name == "fractions" and kind != "catboost":
        pytest.skip("scikit-learn takes fractions for measurements")
    labels = (LABELS | PAIRS)[name]
    model, own = fitted(kind, name, folder)
    targets = np.array(labels)[numbers_of(labels)]
    data = data_of(targets, form, folder)
    if data is None:
        pytest.skip("texts are not numbers")
    expected = float((own == targets).mean())
    assert expected > 0.6
    assert run(data, model, len(labels)) == pytest.approx(expected)


@pytest.mark.parametrize("name", SOME)
@pytest.mark.parametrize("kind", OF_FILES)
def test_a_label_that_the_model_does_not_have_is_refused(kind, name, folder):
    needs(kind)
    if name == "fractions" and kind != "catboost":
        pytest.skip("scikit-learn takes fractions for measurements")
    model, _ = fitted(kind, name, folder)
    labels = LABELS[name]
    targets = np.array(labels, object)[numbers_of(labels)]
    targets[7] = "dog" if labels[0] in ("ant", "cow") else 7
    data = data_of(targets, "table", folder)
    with pytest.raises(lossfw.LossfwError, match=r"dog|\b7\b"):
        run(data, model)


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


def trained_by(kind, folder, outputs=3):
    """Return the section of a small model that lossfw trains."""
    if kind == "dense":
        layer = {"units": outputs, "activation": "softmax" if outputs > 1 else "sigmoid"}
        return {"name": "dense", "layers": [layer]}
    if kind in ("keras", "torch"):
        code = {
            "torch": (
                "import torch\n"
                "def make():\n"
                "    return torch.nn.Sequential(torch.nn.Linear(3, OUTPUTS))\n"
            ),
            "keras": (
                "import keras\n"
                "def make():\n"
                "    first = keras.layers.Input((3,))\n"
                "    return keras.Sequential([first, keras.layers.Dense(OUTPUTS)])\n"
            ),
        }[kind]
        name = f"{kind}_net{outputs}.py"
        (folder / name).write_text(code.replace("OUTPUTS", str(outputs)))
        return {"name": kind, "module": str(folder / f"{name}:make"), "learning_rate": 0.1}
    return {"name": kind}


@pytest.mark.parametrize("name", SOME)
@pytest.mark.parametrize("kind", OF_CARDS)
def test_the_card_of_a_training_holds_the_labels(kind, name, folder):
    needs(kind)
    labels = LABELS[name]
    where = folder / f"trained {kind} {name}"
    where.mkdir()
    targets = np.array(labels)[NUMBERS]
    data = data_of(targets, "table", folder)
    length = LENGTHS.get(kind, {"rounds": 10})
    config = {
        "data": {**data, "classes": labels},
        "model": trained_by(kind, folder),
        "loss": "cross_entropy",
        "train": length,
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
    kept = NUMBERS > 0
    some = targets[kept]
    lines = [
        ",".join([*map(repr, map(float, x)), str(t)])
        for x, t in zip(INPUTS[kept], some, strict=True)
    ]
    (folder / "some.csv").write_text("\n".join(["a,b,c,t", *lines]) + "\n")
    part = {"name": "arrays", "file": str(folder / "some.csv"), "targets_key": "t"}
    assert run(part, model) == pytest.approx(float((own[kept] == some).mean()))
    if not isinstance(labels[0], str):
        numbers = {"inputs": INPUTS[kept], "targets": some}
        assert run(numbers, model) == pytest.approx(float((own[kept] == some).mean()))
    other = np.where(np.arange(120) == 3, "dog", targets.astype(str))
    with pytest.raises(lossfw.LossfwError, match="dog"):
        run(data_of(other, "table", folder), model)


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
    table = data_of(np.array(["ant", "bee", "cow"])[NUMBERS], "table", folder)
    (note,) = lossfw.run({"data": table, "model": model, "loss": "cross_entropy"}).warnings
    assert "numbered in ascending order, ant, bee, cow" in note
    kept = NUMBERS < 2
    rows = {"inputs": INPUTS[kept], "targets": NUMBERS[kept] + 1}
    result = lossfw.run({"data": rows, "model": model, "loss": "cross_entropy"})
    assert any("none of them is 0" in note for note in result.warnings)
    named = {**table, "classes": ["ant", "bee", "cow"]}
    assert run(named, model) == run({"inputs": INPUTS, "targets": NUMBERS}, model)
    two = data_of(np.array(["ant", "bee"])[np.minimum(NUMBERS, 1)], "table", folder)
    with pytest.raises(lossfw.LossfwError, match=r"2 labels ant, bee, .* 3 outputs"):
        run(two, model)

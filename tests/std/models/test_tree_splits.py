"""Trees of files that split by inputs which rows do not have, and rounds up to the best one."""

import io
import json
import re
import zipfile
from contextlib import suppress

import numpy as np
import pytest

import lossfw
from lossfw.errors import DataError

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(200, 4)).astype(np.float32)
Y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0.4)


def loaded(name, content, **parameters):
    model = lossfw.registry().create("model", {"name": name, **parameters})
    return model.load_predictor(content)


def of_xgboost(**options):
    xgboost = pytest.importorskip("xgboost")
    model = xgboost.XGBClassifier(n_estimators=4, max_depth=3, **options).fit(X, Y)
    return model.get_booster()


@pytest.mark.turns(3)
@pytest.mark.parametrize("form", ["json", "ubj"])
@pytest.mark.parametrize("options", [{}, {"gamma": 5.0}, {"multi_strategy": "multi_output_tree"}])
def test_a_split_of_xgboost_beyond_the_inputs_is_refused(form, options):
    xgboost = pytest.importorskip("xgboost")
    booster = of_xgboost(tree_method="hist", **options)
    # Pruned nodes, which have a split by no input, are not looked at.
    assert loaded("xgboost", bytes(booster.save_raw(form))).units == 3
    plain = json.loads(bytes(booster.save_raw("json")))
    trees = plain["learner"]["gradient_booster"]["model"]["trees"]
    tree = next(tree for tree in trees if tree["left_children"][0] >= 0)
    for value in (8, 4, 2**31 - 2):
        tree["split_indices"][0] = value
        damaged = xgboost.Booster(model_file=bytearray(json.dumps(plain).encode()))
        with pytest.raises(DataError, match=f"splits by input {value}, but a row has 4 inputs"):
            loaded("xgboost", bytes(damaged.save_raw(form)))


def of_lightgbm(**options):
    lightgbm = pytest.importorskip("lightgbm")
    model = lightgbm.LGBMClassifier(n_estimators=3, num_leaves=5, verbosity=-1, **options)
    return model.fit(X, Y).booster_.model_to_string()


@pytest.mark.turns(4)
@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("split_feature", "8", "splits by input 8, but a row has 4 inputs"),
        ("split_feature", "-1", "splits by input -1"),
        ("left_child", "77", "continues at a node that it does not have"),
        ("left_child", "-77", "continues at a node that it does not have"),
        ("left_child", "0", "two parents"),
        ("right_child", "1 1", "different lengths"),
        ("split_feature", "x", "something other than integers"),
    ],
)
def test_a_damaged_tree_of_lightgbm_is_refused(key, value, words):
    text = of_lightgbm()
    assert loaded("lightgbm", text.encode()).units == 3
    damaged = re.sub(rf"^{key}=\S+", f"{key}={value}", text, count=1, flags=re.MULTILINE)
    with pytest.raises(DataError, match=words):
        loaded("lightgbm", damaged.encode())


def test_a_leaf_of_lightgbm_that_takes_another_input_is_refused():
    text = of_lightgbm(linear_tree=True)
    assert loaded("lightgbm", text.encode()).units == 3
    damaged = re.sub(r"^(leaf_features=.*)\d", r"\g<1>9", text, count=1, flags=re.MULTILINE)
    with pytest.raises(DataError, match="a leaf uses input 9, but a row has 4"):
        loaded("lightgbm", damaged.encode())


def with_changed_arrays(content, change):
    """Return a file of skops whose structured arrays were changed."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith(".npy"):
                array = np.load(io.BytesIO(data))
                if array.dtype.names:
                    change(array)
                    stream = io.BytesIO()
                    np.save(stream, array)
                    data = stream.getvalue()
            new.writestr(name, data)
    return made.getvalue()


@pytest.mark.parametrize("kind", ["tree", "forest", "boosting", "hist"])
def test_a_tree_of_scikit_learn_beyond_the_inputs_is_refused(kind):
    skops = pytest.importorskip("skops.io")
    ensemble = pytest.importorskip("sklearn.ensemble")
    tree = pytest.importorskip("sklearn.tree")
    model = {
        "tree": lambda: tree.DecisionTreeClassifier(max_depth=3),
        "forest": lambda: ensemble.RandomForestClassifier(3, max_depth=3),
        "boosting": lambda: ensemble.GradientBoostingClassifier(n_estimators=3),
        "hist": lambda: ensemble.HistGradientBoostingClassifier(max_iter=3),
    }[kind]()
    content = skops.dumps(model.fit(X, Y))
    assert loaded("sklearn", content).units == 3
    split = "feature_idx" if kind == "hist" else "feature"
    left = "left" if kind == "hist" else "left_child"

    def beyond(nodes):
        nodes[split][0] = 9

    def around(nodes):
        nodes[left][0] = 0

    def outside(nodes):
        nodes[left][0] = 10**6

    for change, words in ((beyond, "splits by input 9"), (around, "two"), (outside, "continues")):
        with pytest.raises(DataError, match=f"is damaged: .*{words}"):
            loaded("sklearn", with_changed_arrays(content, change))
    if kind == "hist":
        with pytest.raises(DataError, match="is damaged"):
            loaded("hist_gradient_boosting", with_changed_arrays(content, beyond))


# One letter of a file, which CatBoost finds when it predicts.
DAMAGE = [(b'"class_label_type"', b'"class_laben_type"'), (b'"MultiClass"', b'"MultiCliss"')]


@pytest.mark.parametrize("form", ["cbm", "json"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_of_catboost_is_refused_in_words(form, damage, tmp_path):
    catboost = pytest.importorskip("catboost")
    model = catboost.CatBoostClassifier(
        iterations=3, depth=3, verbose=False, allow_writing_files=False, loss_function="MultiClass"
    )
    path = tmp_path / f"m.{form}"
    model.fit(X, Y).save_model(str(path), format=form)
    content = path.read_bytes()
    damaged = content.replace(*damage)
    if form == "json":  # its metadata are a text within a text
        damaged = content.replace(*(part.replace(b'"', rb"\"") for part in damage))
        damaged = content.replace(*damage) if damaged == content else damaged
    if damaged == content:
        pytest.skip("the file writes it in another way")
    with suppress(DataError):  # and nothing else
        loaded("catboost", damaged)
    for kept in (0.3, 0.8, 0.99):
        with pytest.raises(DataError, match="is not a model of CatBoost"):
            loaded("catboost", content[: int(kept * len(content))])


def stopped_early(name, folder):
    """Return a model of a library with rounds after its best one, and its own predictions."""
    start, held_out = slice(0, 100), slice(100, None)
    noisy = np.where(RANDOM.random(200) < 0.3, 2 - Y, Y)
    if name == "xgboost":
        xgboost = pytest.importorskip("xgboost")
        model = xgboost.XGBClassifier(n_estimators=60, early_stopping_rounds=5, learning_rate=0.5)
        model.fit(X[start], Y[start], eval_set=[(X[held_out], noisy[held_out])], verbose=False)
        model.save_model(folder / "m.ubj")
        again = xgboost.XGBClassifier()
        again.load_model(folder / "m.ubj")
        total = again.get_booster().num_boosted_rounds()
        return folder / "m.ubj", again.predict_proba(X), again.best_iteration + 1, total
    catboost = pytest.importorskip("catboost")
    model = catboost.CatBoostClassifier(
        iterations=60,
        learning_rate=0.5,
        verbose=False,
        allow_writing_files=False,
        loss_function="MultiClass",
        use_best_model=False,
        early_stopping_rounds=5,
    )
    model.fit(X[start], Y[start], eval_set=(X[held_out], noisy[held_out]))
    model.save_model(str(folder / "m.cbm"))
    best = model.best_iteration_ + 1
    own = model.predict_proba(X, ntree_end=best)
    return folder / "m.cbm", own, best, model.tree_count_


@pytest.mark.parametrize("name", ["xgboost", "catboost"])
def test_the_best_round_is_told_and_taken_on_request(name, tmp_path):
    file, own, best, total = stopped_early(name, tmp_path)
    assert best < total
    model = {"name": name, "file": str(file)}
    config = {"data": {"inputs": X, "targets": Y}, "model": model, "loss": "cross_entropy"}
    every = lossfw.run(config)
    (note,) = every.warnings
    assert f"has {total} rounds" in note
    assert f"found round {best} the best" in note
    assert lossfw.run({**config, "model": {**model, "rounds": "all"}}).warnings == ()
    kept = lossfw.run({**config, "model": {**model, "rounds": "best"}})
    expected = lossfw.loss("cross_entropy")(own, Y, reduction="mean")
    assert kept.loss == pytest.approx(float(expected), rel=1e-5)
    assert kept.warnings == ()
    assert kept.loss != every.loss
    predictor = loaded(name, file.read_bytes(), rounds="best")
    assert predictor.description == f"{name} ({best} of {total} rounds)"


def test_rounds_are_those_of_a_file_that_names_a_best_one():
    booster = of_xgboost()
    files = [("lightgbm", of_lightgbm().encode())]
    for told in ("99", "-3", "abc"):
        booster.set_attr(best_iteration=told)
        files.append(("xgboost", bytes(booster.save_raw("ubj"))))
    for name, content in files:
        with pytest.raises(DataError, match=r"does not name a best round|names round 100 of 4"):
            loaded(name, content, rounds="best")
    config = {"data": {"inputs": X, "targets": Y}, "loss": "cross_entropy", "train": {"rounds": 2}}
    with pytest.raises(lossfw.LossfwError, match=r"train\.rounds sets their number"):
        lossfw.train({**config, "model": {"name": "xgboost", "rounds": "best"}})

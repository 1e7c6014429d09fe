"""Trainings with folds: each row by the model that has not seen it, and the run of all rows."""

import json
import shutil

import numpy as np
import pytest

import lossfw
from lossfw.components import notebook
from lossfw.errors import ConfigError, DataError, OutputError
from lossfw.runs.folder import RunFolder
from lossfw.runs.folds import CrossValidation
from support.killed import interrupted_at

ROWS = 40
CONFIG = {
    "data": {"name": "arrays", "file": "t.csv", "inputs_key": ["a", "b"], "targets_key": "kind"},
    "network": {
        "layers": [{"units": 4, "activation": "tanh"}, {"units": 2, "activation": "softmax"}]
    },
    "loss": "cross_entropy",
    "evaluate": {"metrics": ["accuracy", "brier"], "slices": ["column.region"]},
    "train": {
        "epochs": 3,
        "batch_size": 8,
        "optimizer": {"name": "sgd", "learning_rate": 0.3},
        "hold_out": {"folds": 3},
    },
}
FILES = "held_out.npy constant.npy metrics.json results.jsonl config.yaml training.yaml status"
FILES_OF_FOLD = "weights.npz training.json checkpoint.npz held_out.npz config.yaml"


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A folder with a table of two classes."""
    folder = tmp_path_factory.mktemp("folds")
    random = np.random.default_rng(0)
    a, b = random.normal(size=(2, ROWS))
    kind = np.where(a + b > 0, "yes", "no")
    region = random.choice(["north", "south"], ROWS)
    lines = [f"{x},{y},{k},{r}" for x, y, k, r in zip(a, b, kind, region, strict=True)]
    (folder / "t.csv").write_text("\n".join(["a,b,kind,region", *lines, ""]))
    return folder


@pytest.fixture(scope="module")
def config(table):
    return CONFIG | {"data": CONFIG["data"] | {"file": str(table / "t.csv"), "standardize": True}}


@pytest.fixture(scope="module")
def trained(table, config):
    """The trainings of three folds, in the folder ``cv``."""
    return lossfw.train_all(config, out=table / "cv")


def rows_of(folder):
    return [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]


def contents(folder):
    """Return the files that a training leaves, other than times."""
    names = [*FILES.split(), "units.npz"]
    names += [f"fold={fold}/{name}" for fold in range(3) for name in FILES_OF_FOLD.split()]
    return {name: (folder / name).read_bytes() for name in names}


def test_each_row_is_held_out_once_by_the_model_of_its_fold(table, config, trained):
    assert list(trained) == ["fold=0", "fold=1", "fold=2"]
    rows = rows_of(table / "cv")
    assert [row["row"] for row in rows] == list(range(ROWS))
    seen = []
    for fold in range(3):
        one = ["train.hold_out.fold=" + str(fold)]
        single = lossfw.train(config, overrides=one, out=table / f"single{fold}")
        assert single.digest == trained[f"fold={fold}"].digest
        # The same model, evaluated by itself.
        weights = f"network.weights={table / f'single{fold}' / 'weights.npz'}"
        alone = ["train-", weights, "evaluate.save_rows=true"]
        lossfw.run(config, overrides=alone, out=table / f"alone{fold}")
        held_out = np.load(table / "cv" / f"fold={fold}" / "held_out.npz")["rows"].tolist()
        seen += held_out
        for row, every in zip(rows, rows_of(table / f"alone{fold}"), strict=True):
            if row["row"] in held_out:
                assert row["prediction"] == every["prediction"]
                assert row["target"] == every["target"]
    assert sorted(seen) == list(range(ROWS))


def test_the_whole_is_a_run_with_intervals_and_slices(table, trained):
    result = trained.held_out[""]
    assert result.count == ROWS
    plain = json.loads((table / "cv" / "metrics.json").read_text())
    assert plain["loss"]["value"] == result.loss
    assert len(plain["loss"]["interval"]) == 2
    assert [part["value"] for part in plain["slices"]] == ["north", "south"]
    assert (table / "cv" / "status").read_text() == "done\n"
    assert lossfw.run(table / "cv" / "config.yaml").loss == result.loss
    assert f"all folds</th><td>{notebook.format_number(result.loss)}</td>" in trained._repr_html_()


def test_a_baseline_is_left_out_or_is_a_column(table, config, trained):
    few = ["train.hold_out.folds=2", "train.epochs=1", "evaluate.slices-"]
    none = lossfw.train_all(config, overrides=[*few, "evaluate.baseline=false"], out=table / "none")
    assert list(none.held_out[""].metrics) == ["accuracy", "brier"]
    assert not (table / "none" / "constant.npy").exists()
    asked = [*few, "evaluate.baseline=true"]
    resumed = lossfw.train_all(config, overrides=asked, out=table / "none", resume=True)
    assert list(resumed.held_out[""].metrics) == ["accuracy", "brier", "constant", "skill"]
    numbers = {"loss": "squared_error", "network": {"layers": [{"units": 1, "activation": "tanh"}]}}
    data = {"data": config["data"] | {"targets_key": "b", "inputs_key": ["a"]}}
    column = [*few, "evaluate.baseline=column.a", "evaluate.metrics-"]
    out = table / "column"
    found = lossfw.train_all(config | numbers | data, overrides=column, out=out).held_out[""]
    a, b = np.loadtxt(table / "t.csv", delimiter=",", skiprows=1, usecols=(0, 1)).T
    assert found.metrics["column.a"] == pytest.approx(((a - b) ** 2).mean(), rel=1e-12)
    held_out = json.loads((out / "fold=0" / "training.json").read_text())["baseline"]["held_out"]
    rows = np.load(out / "fold=0" / "held_out.npz")["rows"]
    assert held_out["loss"] == pytest.approx(((a - b)[rows] ** 2).mean(), rel=1e-12)


@pytest.mark.slow
def test_two_cross_validated_models_are_compared_by_all_rows(table, config, trained):
    lossfw.train_all(config, overrides=["train.optimizer.learning_rate=0.01"], out=table / "slow")
    found = lossfw.compare(table / "cv", table / "slow", by="column.region")
    assert found.settings == {"train.optimizer.learning_rate": [0.3, 0.01]}
    assert found.paired
    assert found.differences["slow"]["loss"].interval[0] > 0
    assert [part.value for part in found.slices] == ["north", "south"]


@pytest.mark.slow
def test_a_sweep_has_folds_for_each_setting(table, config):
    sweep = config | {"sweep": {"grid": {"train.optimizer.learning_rate": [0.1, 0.2]}}}
    few = ["train.hold_out.folds=2", "train.epochs=1"]
    found = lossfw.train_all(sweep, overrides=few, out=table / "sweep")
    names = [f"train.optimizer.learning_rate={rate}" for rate in (0.1, 0.2)]
    assert list(found.held_out) == names
    assert list(found) == [f"{name}/fold={fold}" for name in names for fold in (0, 1)]
    both = lossfw.compare(table / "sweep")
    assert [run.name for run in both.runs] == names


def test_a_resumed_training_ends_with_the_same_bytes(table, config, trained, monkeypatch):
    again, whole = table / "again", contents(table / "cv").items()
    with interrupted_at("fold=1", monkeypatch):
        lossfw.train_all(config, out=again)
    assert not (again / "metrics.json").exists()
    lossfw.train_all(config, out=again, resume=True)
    assert contents(again) == {name: x.replace(b"/cv/", b"/again/") for name, x in whole}


def test_folds_of_different_trainings_are_refused(table, config, trained, monkeypatch):
    shutil.copytree(table / "cv", table / "mixed")
    shutil.copytree(table / "cv" / "fold=0", table / "mixed" / "fold=1", dirs_exist_ok=True)
    monkeypatch.setattr("lossfw.runs.training_folder.fold_bytes", lambda *_: fold_0)
    fold_0 = (table / "cv" / "fold=0" / "held_out.npz").read_bytes()
    with pytest.raises(DataError, match="do not hold out each row once"):
        lossfw.train_all(config, out=table / "mixed")


def test_what_is_not_one_training_or_model_is_refused(table, config, trained):
    (table / "mine").mkdir()
    (table / "mine" / "config.yaml").write_text("lossfw: 1\n")
    with pytest.raises(OutputError, match="was not written by a run"):
        lossfw.train_all(config, out=table / "mine")
    with pytest.raises(ConfigError, match=r"lossfw\.train_all\); for a single one write fold: 0"):
        lossfw.train(config)
    model = {"name": "trained", "folder": str(table / "cv")}
    with pytest.raises(ConfigError, match=r"which have a model each(?s:.*)cv/fold=0"):
        lossfw.run({"data": config["data"], "loss": "cross_entropy", "model": model})


def test_a_dry_run_shows_each_fold(table, trained, lossfw, folder):
    (folder / "cv.yaml").write_text((table / "cv" / "training.yaml").read_text())
    lines = lossfw("train", "cv.yaml", "--dry-run", "--out", "out").stdout.splitlines()
    assert [line.split()[:3] for line in lines[1:]] == [
        [f"fold={fold}", str(ROWS - size), str(size)] for fold, size in enumerate((14, 13, 13))
    ]
    plain = json.loads(lossfw("train", "cv.yaml", "--dry-run", "--json").stdout)
    assert [one["digest"] for one in plain] == [one.digest for one in trained.values()]
    assert not (folder / "out").exists()


@pytest.mark.slow  # each training in a process of its own
def test_the_command_shows_each_fold_and_the_whole(table, trained, lossfw, folder):
    text = (table / "cv" / "training.yaml").read_text()
    (folder / "cv.yaml").write_text(text)
    done = lossfw("train", "cv.yaml", "--out", "out", "--jobs", "2")
    assert (done.exit_code, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line.split()[:2] for line in lines[1:4]] == [[f"fold={i}", "done"] for i in range(3)]
    assert sum(line.startswith("cross_entropy ") for line in lines) == 1
    assert lines[-1].startswith("Intervals are given the models")
    again = lossfw("train", "cv.yaml", "--out", "out", "--resume", "--json")
    (plain,) = json.loads(again.stdout)
    assert [fold["name"] for fold in plain["folds"]] == ["fold=0", "fold=1", "fold=2"]
    assert plain["result"] == json.loads((table / "cv" / "metrics.json").read_text())
    missing = lossfw("train", "cv.yaml", "--no-out")
    assert "put together from their folders: give --out DIR." in missing.stderr


@pytest.mark.slow  # it imports scikit-learn
@pytest.mark.filterwarnings("ignore:sklearn trains with its own objective:RuntimeWarning")
def test_outputs_are_those_of_cross_val_predict(table, tmp_path):
    linear_model = pytest.importorskip("sklearn.linear_model")
    selection = pytest.importorskip("sklearn.model_selection")
    pytest.importorskip("skops")
    data = {"file": str(table / "t.csv"), "targets_key": "b", "inputs_key": ["a"]}
    config = {
        "data": CONFIG["data"] | data,
        "model": {"name": "sklearn", "estimator": "sklearn.linear_model.Ridge"},
        "loss": "squared_error",
        "train": {"hold_out": {"folds": 3}},
    }
    found = lossfw.train_all(config, out=tmp_path / "cv").held_out[""]
    fold = np.zeros(ROWS, int)
    for number in range(3):
        fold[np.load(tmp_path / "cv" / f"fold={number}" / "held_out.npz")["rows"]] = number
    a, b = np.loadtxt(table / "t.csv", delimiter=",", skiprows=1, usecols=(0, 1)).T
    expected = selection.cross_val_predict(
        linear_model.Ridge(), a[:, None], b, cv=selection.PredefinedSplit(fold)
    )
    assert np.load(tmp_path / "cv" / "held_out.npy").ravel() == pytest.approx(expected, rel=1e-12)
    assert found.loss == pytest.approx(np.mean((expected - b) ** 2), rel=1e-12)


@pytest.fixture
def command(config, lossfw, folder, monkeypatch):
    """Train the folds of a configuration, where a file of the run cannot be written."""
    (folder / "folds.yaml").write_text(json.dumps({"lossfw": 1, **config}))
    write = RunFolder.write

    def trained(lost, *words):
        def refuse(self, name, text):
            if name == lost:
                raise OutputError(f"{name} cannot be written: No space left on device.")
            write(self, name, text)

        monkeypatch.setattr(RunFolder, "write", refuse)
        return lossfw("train", "folds.yaml", "--out", "o", *words)

    return trained


@pytest.mark.slow
@pytest.mark.parametrize("lost", ["metrics.json", "run.json"])
def test_held_out_rows_that_are_not_written_end_with_an_error(command, lost):
    shown = command(lost)
    assert shown.exit_code == 1
    assert f"{lost} cannot be written: No space left on device." in shown.stderr
    # The numbers are computed, and nothing is gained by hiding them.
    assert "cross_entropy" in shown.stdout
    plain = json.loads(command(lost, "--json", "--resume").stdout)[0]
    assert plain["status"] == "failed"
    assert "No space left" in plain["error"]
    assert plain["result"]["count"] == ROWS
    if lost == "metrics.json":
        shown = command(lost, "-o", "sweep={grid: {train.epochs: [1, 2]}}")
        assert shown.exit_code == 1
        for name in ("train.epochs=1", "train.epochs=2"):
            assert f"{name}: metrics.json cannot be written" in shown.stderr
        assert "held-out rows of train.epochs=1 and train.epochs=2 have" in shown.stderr


def test_a_loss_that_is_nan_ends_with_an_error(command, monkeypatch):
    joined = CrossValidation._join_outputs
    monkeypatch.setattr(
        CrossValidation,
        "_join_outputs",
        lambda self: (one := joined(self))._replace(outputs=one.outputs * np.nan),
    )
    shown = command(None)
    assert shown.exit_code == 1
    assert "the loss is NaN over all held-out rows. To accept NaN" in shown.stderr


@pytest.mark.turns(4)
@pytest.mark.parametrize("damage", ["cut", "other", "lost", "without a constant"])
def test_a_damaged_file_of_a_fold_is_written_again(table, config, damage):
    pytest.importorskip("xgboost")
    out = table / f"damaged {damage}"
    boosted = {
        "data": CONFIG["data"] | {"file": str(table / "t.csv")},
        "loss": "binary_cross_entropy",
        "model": {"name": "xgboost", "max_depth": 2},
        "train": {"rounds": 4, "hold_out": {"folds": 2}},
    }
    before = lossfw.train_all(boosted, out=out)
    whole = (out / "metrics.json").read_bytes()
    file = out / "fold=1" / "held_out.npz"
    content = file.read_bytes()
    if damage == "lost":
        file.unlink()
    elif damage == "without a constant":
        lossfw.train_all(boosted, overrides=["evaluate.baseline=false"], out=out)
    else:
        file.write_bytes(content[: len(content) // 2] if damage == "cut" else b"no file of a fold")
    after = lossfw.train_all(boosted, out=out, resume=True)
    assert after["fold=1"].content == before["fold=1"].content
    assert file.read_bytes() == content
    assert (out / "metrics.json").read_bytes() == whole


# Repeats: the rows are split anew each time ------------------------------

RANDOM = np.random.default_rng(2)
X = RANDOM.normal(size=(45, 2))
REPEATED = {
    "data": {"inputs": X, "targets": X[:, 0] + RANDOM.normal(size=45)},
    "network": {"layers": [{"units": 1, "activation": "identity"}]},
    "loss": "squared_error",
    "train": {
        "epochs": 2,
        "optimizer": {"name": "sgd", "learning_rate": 0.1},
        "hold_out": {"folds": 3, "repeats": 3},
    },
}


def test_recipes_are_compared_by_folds_and_repeats(tmp_path):
    for epochs in (1, 2):
        overrides = [f"train.epochs={epochs}"]
        lossfw.train_all(REPEATED, overrides=overrides, out=tmp_path / str(epochs))
    found = lossfw.compare(tmp_path / "1", tmp_path / "2").seeds
    assert [len(group.members) for group in found] == [3, 3]
    assert found[1].differences["loss"].recipe.startswith("3 folds x 3 repeats of one seed,")


def test_repeats_go_with_a_sweep():
    config = REPEATED | {"sweep": {"grid": {"train.epochs": [1, 2]}}}
    found = lossfw.train_all(config, overrides=["train.hold_out.repeats=2"])
    names = [f"train.epochs={epochs},repeat={repeat}" for epochs in (1, 2) for repeat in (0, 1)]
    assert list(found.held_out) == names


@pytest.mark.filterwarnings("ignore:.* failed")
@pytest.mark.parametrize(
    ("hold_out", "message"),
    [
        ({"folds": 3, "repeats": 1}, "should be at least 2, got 1"),
        ({"fraction": 0.2, "repeats": 3}, "repeats cannot be used with fraction"),
        ({"folds": 3, "repeats": 3, "fold": 1}, "trains all folds, but fold selects some"),
        ({"folds": 3, "repeats": 3, "time": "column.day"}, "repeats cannot be used with time"),
        ({"folds": 3, "repeats": 2000}, "repeats should be"),
    ],
)
def test_repeats_that_mean_nothing_are_refused(hold_out, message):
    with pytest.raises(ConfigError, match=message):
        lossfw.train_all(REPEATED | {"train": REPEATED["train"] | {"hold_out": hold_out}})

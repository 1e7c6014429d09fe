"""Trainings beside each other: their tables, their page and their settings."""

import csv
import io
import json
import shutil

import numpy as np
import pytest

import lossfw as framework
from support.training_text import CONFIG

GRID = "sweep={grid: {train.optimizer.learning_rate: [0.5, 0.1], train.epochs: [2, 3]}}"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder with four trainings: the folder ``all`` has those of a sweep."""
    folder = tmp_path_factory.mktemp("trainings")
    random = np.random.default_rng(0)
    inputs = random.normal(size=(40, 3)).astype("f4")
    np.savez(folder / "data.npz", inputs=inputs, targets=(inputs[:, 0] > 0).astype(np.int64))
    (folder / "train.yaml").write_text(CONFIG)
    framework.train_all(folder / "train.yaml", overrides=[GRID], out=folder / "all")
    return folder


@pytest.fixture
def trainings(folder, written):
    """The names of the trainings, in a folder of its own for each test."""
    shutil.copytree(written, folder, dirs_exist_ok=True)
    return sorted(path.name for path in (folder / "all").iterdir())


def test_the_table_has_the_last_numbers_and_the_settings(trainings, lossfw, folder):
    rows = list(csv.DictReader(io.StringIO(lossfw("compare", "all", "--csv").stdout)))
    assert [row["training"] for row in rows] == trainings
    for row in rows:
        kept = json.loads((folder / "all" / row["training"] / "training.json").read_text())
        assert float(row["loss"]) == kept["epochs"][kept["kept"]]["train"]["loss"]
        assert f"learning_rate={row['train.optimizer.learning_rate']}" in row["training"]
        assert row["epoch"] == row["train.epochs"]
    ordered = lossfw("compare", "all", "--sort", "loss").stdout.splitlines()
    assert "learning_rate=0.5,train.epochs=3" in ordered[1]
    assert "loss (cross_entropy)" in lossfw("compare", "all", "--markdown").stdout.replace("\\", "")


def test_curves_are_in_the_json_and_in_python(trainings):
    comparison = framework.compare("all")
    plain = comparison.to_dict()
    assert plain["differing"] == ["train.epochs", "train.optimizer.learning_rate"]
    assert [len(one["curves"]["loss"]) for one in plain["trainings"]] == [3, 4, 3, 4]
    assert "<svg" in comparison._repr_html_()
    lines = str(comparison).splitlines()
    assert lines[0].split()[0] == "training"
    assert [line.split()[0] for line in lines[1:5]] == [run.name for run in comparison.runs]
    assert repr(comparison).startswith("TrainingComparison('")


@pytest.mark.slow
def test_the_page_lays_curves_over_each_other(trainings, lossfw, folder):
    pytest.importorskip("matplotlib")
    pytest.importorskip("jinja2")
    done = lossfw("report", "all")
    assert done.stdout.splitlines()[-1] == "wrote all/report.html"
    page = (folder / "all" / "report.html").read_text()
    for name in trainings:
        assert f"{name}/report.html".replace("=", "%3D").replace(",", "%2C") in page
    assert "loss (cross_entropy) after each epoch" in page
    assert page.count("<figure>") == 2
    assert "learning_rate" in page


def test_what_is_unfinished_is_left_out_and_runs_stay_apart(trainings, lossfw, folder):
    (folder / "all" / trainings[0] / "training.json").unlink()
    done = lossfw("compare", "all")
    assert f"{trainings[0]} is left out: its training has not ended" in done.stderr
    run = ("-o", f"network.weights=all/{trainings[1]}/weights.npz")
    assert lossfw("run", "train.yaml", *run, "--out", "run").exit_code == 0
    done = lossfw("compare", "all", "run")
    assert done.exit_code == 2
    assert "compare trainings with trainings" in done.stderr


def test_losses_that_differ_are_no_comparison(trainings, lossfw):
    more = ("-o", "loss=brier", "--out", "all/brier")
    assert lossfw("train", "train.yaml", *more).exit_code == 0
    assert "the losses brier, cross_entropy are different losses" in lossfw("compare", "all").stdout

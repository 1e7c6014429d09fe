"""Runs, trainings and comparisons from Python, and what notebooks show of them."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

import lossfw
from support.configs import SAVED
from support.training_text import CONFIG

REGISTRY = lossfw.registry()


def html(shown):
    """Return what a notebook shows, after a look that it is well-formed."""
    text = shown._repr_html_()
    ElementTree.fromstring(f"<div>{text}</div>")
    return text


@pytest.fixture
def saved(folder):
    (folder / "run.yaml").write_text(f"{SAVED}evaluate: {{metrics: [accuracy], save_rows: true}}\n")
    return folder


@pytest.fixture
def training(folder):
    x = np.random.default_rng(0).normal(size=(20, 2))
    np.savez(folder / "data.npz", inputs=x, targets=(x[:, 0] > 0).astype(int))
    (folder / "train.yaml").write_text(f"{CONFIG}  hold_out: {{fraction: 0.5}}\n")
    return folder


def test_a_run_is_that_of_the_command_line(saved):
    result = lossfw.run("run.yaml", overrides=["loss.guard=none"], out=saved / "a")
    assert result.loss == pytest.approx((-np.log(0.25) - np.log(0.5)) / 2)
    assert (saved / "a" / "status").read_text().strip() == "done"
    assert lossfw.run("run.yaml", overrides=["loss.guard=none"], out="a", resume=True) is not result
    with pytest.raises(lossfw.LossfwError, match="give out too"):
        lossfw.run("run.yaml", resume=True)
    shown = html(result)
    for text in ("cross_entropy", "accuracy", "2 rows"):
        assert text in shown
    assert repr(result).startswith("Result(CrossEntropy(")
    assert repr(result).endswith("), 2 rows, cross_entropy 1.03972, accuracy 0)")


def test_slices_and_warnings_are_shown(saved):
    options = ["evaluate.slices=[target]", "evaluate.intervals={}"]
    options += ["network.predictions=[[.nan, 0.5], [0.5, 0.5]]"]
    result = lossfw.run("run.yaml", overrides=options)
    shown = html(result)
    assert "The loss is NaN because of row 0." in shown
    assert "target 1" in shown
    assert "&lt;" not in shown
    assert "cross_entropy nan" in repr(result)
    assert repr(result).endswith(f", warnings: {len(result.warnings)})")


def test_a_comparison(saved):
    for name, numbers in (("a", "[[0.25, 0.75], [0.5, 0.5]]"), ("b", "[[0.5, 0.5], [0.5, 0.5]]")):
        lossfw.run("run.yaml", overrides=[f"network.predictions={numbers}"], out=name)
    comparison = lossfw.compare("a", "b")
    assert comparison.differences["b"]["loss"].value == pytest.approx(-np.log(2) / 2, rel=1e-5)
    shown = html(comparison)
    for text in ("less a", "loss (cross_entropy)", "network.predictions"):
        assert text in shown
    with pytest.raises(lossfw.LossfwError):
        lossfw.compare("none")


def test_a_training(training):
    trained = lossfw.train("train.yaml", overrides=["train.epochs=2"], out=training / "a")
    assert len(trained.history) == 3
    assert html(trained).count("<polyline") == 2
    assert re.fullmatch(
        r"TrainingResult\(\w+\(.*\), epoch 2 of 2, loss [\d.]+, .*held-out loss [\d.]+.*\)",
        repr(trained),
    )
    assert (training / "a" / "weights.npz").exists()


@pytest.mark.parametrize("entry", REGISTRY.entries("loss"), ids=lambda entry: entry.name)
def test_every_loss_is_shown(entry):
    try:
        loss = lossfw.loss(entry.name)
    except lossfw.ParameterError:
        pytest.skip("needs a parameter")
    shown = html(loss)
    assert lossfw.components.notebook.html_heading(str(loss)) in shown
    rows = loss.takes_rows and not loss.has_columns
    line = not rows or loss.target_space.name in ("CLASS_INDEX", "SIMPLEX")
    assert ("<polyline" in shown) is line


def test_all_runs_of_a_sweep(saved):
    grid = "sweep={grid: {loss.guard: [none, additive], evaluate.metrics: [[accuracy]]}}"
    results = lossfw.run_all("run.yaml", overrides=[grid], out="all")
    alone = lossfw.run("run.yaml", overrides=["loss.guard=additive"])
    first, second = results
    assert results[second].loss == alone.loss != results[first].loss
    assert results.settings[second] == {"loss.guard": "additive"}
    assert (saved / "all" / first / "status").read_text() == "done\n"
    shown = html(results)
    for text in ("loss.guard", "additive", "accuracy"):
        assert text in shown
    with pytest.raises(lossfw.ConfigError, match=r"lossfw\.run_all"):
        lossfw.run("run.yaml", overrides=[grid])


def test_of_all_trainings_one_that_fails_is_a_warning(training):
    grid = "sweep={grid: {train.optimizer.learning_rate: [0.5, 0.1, 1e9]}}"
    with pytest.warns(RuntimeWarning, match="learning_rate=.* failed"):
        results = lossfw.train_all("train.yaml", overrides=[grid])
    assert len(results) == 2
    assert [type(error) for error in results.failures.values()] == [lossfw.DivergenceError]
    shown = html(results)
    assert shown.count("<polyline") + shown.count("<path") >= 2
    for text in ("learning_rate=0.5", "failed", "accuracy"):
        assert text in shown

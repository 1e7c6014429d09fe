"""Pages of regressions and of weighted runs, and the texts of plugins on a page."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from lossfw.cli import main

pytest.importorskip("matplotlib")

rng = np.random.default_rng(5)
CONFIG = """\
lossfw: 1
data: {name: arrays, file: t.npz}
network: {layers: [{units: 1, activation: identity}], weights: w.npz}
loss: squared_error
evaluate: {save_rows: true}
"""
PLUGIN = """\
from lossfw import hookimpl

@hookimpl
def lossfw_report(run, result):
    return f"<b>{run.name}</b> & {result.count} rows"
"""


def report(*options):
    result = CliRunner().invoke(main, ["run", "run.yaml", "--out", "o", "--report", *options])
    assert result.exit_code == 0, result.output
    return Path("o/report.html").read_text()


@pytest.fixture
def page(tmp_path, monkeypatch):
    """Run a configuration with a report, and return the page."""
    monkeypatch.chdir(tmp_path)
    x = rng.normal(size=(60, 2))
    data = {"inputs": x, "targets": x @ [1.0, 2.0] + rng.normal(size=60)}
    np.savez("w.npz", W1=np.array([[1.0], [2.0]]), b1=np.zeros(1))
    (tmp_path / "run.yaml").write_text(CONFIG)
    (tmp_path / "own.py").write_text(PLUGIN)

    def make(*options, **arrays):
        np.savez("t.npz", **{**data, **arrays})
        shutil.rmtree("o", ignore_errors=True)
        return report(*options)

    return make


def test_a_regression_shows_predictions_residuals_inputs_and_texts_of_plugins(page):
    text = page("--plugin", "own.py")
    assert '<pre tabindex="0">&lt;b&gt;run&lt;/b&gt; &amp; 60 rows</pre>' in text
    for title in ("predicted against actual", "residuals by the prediction", "inputs"):
        assert title in text
    assert "60 rows. On the dotted line a prediction is right; r2 is 0." in text
    assert len(re.findall(r"<td>\[-?[\d.e-]+, -?[\d.e-]+\]</td>", text)) >= 24


def test_a_weighted_run_has_a_weighted_page_and_two_classes_are_no_regression(page):
    text = page(sample_weight=np.where(np.arange(60) < 30, 3.0, 1.0))
    assert "60 rows, by their weights." in text
    assert "The worst tenth of the weight brings" in text
    assert "weight of the rows" in text
    assert "From plugins" not in text
    text = page("-o", "loss=absolute_error", targets=(rng.random(60) > 0.5).astype(int))
    assert "predicted against actual" not in text


def test_worst_rows_have_the_names_of_the_columns_of_a_table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = [f"{age},{age % 7},{2 * age + 1}" for age in range(20, 60)]
    (tmp_path / "t.csv").write_text("\n".join(["age,power,charge", *lines]) + "\n")
    np.savez("w.npz", W1=np.array([[2.0], [0.1]]), b1=np.zeros(1))
    (tmp_path / "run.yaml").write_text(
        "lossfw: 1\ndata: {name: arrays, file: t.csv, inputs_key: [age, power], "
        "targets_key: charge}\n"
        "network: {layers: [{units: 1, activation: identity}], weights: w.npz}\n"
        "loss: squared_error\nevaluate: {save_rows: true}\n"
    )
    text = report()
    assert len(re.findall(r"<td>age \d+, power \d</td>", text)) >= 10
    assert not re.search(r"<td>\[[\d.-]+\]</td>", text)

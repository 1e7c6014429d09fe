"""Runs with saved predictions in folders, made by the command itself."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from lossfw.cli import main

ROWS, CLASSES = 60, 3
CONFIG = """\
lossfw: 1
data: {{name: arrays, targets: targets.npy{weight}}}
network: {{predictions: {predictions}.npy}}
loss: {{name: cross_entropy, guard: none}}
evaluate:
  save_rows: {rows}
  metrics: {metrics}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working folder with two predictions of the same rows, the second a bit worse."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LOSSFW_DATA", raising=False)
    random = np.random.default_rng(5)
    z = random.normal(size=(ROWS, CLASSES))
    targets = (z + random.normal(size=z.shape)).argmax(1)
    for name, noise in (("good", 0.0), ("worse", 0.6)):
        logits = 1.5 * z + noise * random.normal(size=z.shape)
        y = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        np.save(tmp_path / f"{name}.npy", y)
    np.save(tmp_path / "targets.npy", targets)
    np.save(tmp_path / "weights.npy", random.uniform(0, 2, ROWS).round())
    return tmp_path


@pytest.fixture
def command(folder):
    """Run the command in this process; returns exit_code, stdout and stderr."""
    return lambda *arguments: CliRunner().invoke(main, list(map(str, arguments)))


@pytest.fixture
def shown(command):
    """Run the command, which succeeds, and return what it prints."""

    def done(*arguments):
        result = command(*arguments)
        assert result.exit_code == 0, result.output
        return result.stdout

    return done


@pytest.fixture
def compared(shown):
    """Compare folders and return what ``--json`` says."""
    return lambda *arguments: json.loads(shown("compare", *arguments, "--json"))


@pytest.fixture
def refused(command):
    """Check that a comparison ends in words, and return them."""

    def check(words, *arguments):
        result = command("compare", *arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert words in result.stderr
        assert "Traceback" not in result.stderr
        assert "bug" not in result.stderr
        return result.stderr

    return check


@pytest.fixture
def made(shown):
    """Run a configuration into a folder, with overrides."""

    def done(config, out, *overrides):
        shown("run", config, "--out", out, *(word for one in overrides for word in ("-o", one)))

    return done


@pytest.fixture
def run(folder, made):
    """Run a configuration of saved predictions into a folder of a name, and return its path."""

    def done(name, *overrides, predictions="good", weight="", rows="true", **changes):
        metrics = changes.get("metrics", "[accuracy, {name: calibration_error, bins: 5}]")
        weight = f", sample_weight: {weight}.npy" if weight else ""
        text = CONFIG.format(predictions=predictions, weight=weight, rows=rows, metrics=metrics)
        (folder / "run.yaml").write_text(text)
        made("run.yaml", name, *overrides)
        return folder / name

    return done

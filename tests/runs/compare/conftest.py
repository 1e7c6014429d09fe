"""Runs with saved predictions in folders, made by the command itself."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from lossfw.cli import main

ROWS, CLASSES = 60, 3
CONFIG = """\
lossfw: 1
data: {{name: arrays, targets: {targets}.npy{weight}}}
network: {{predictions: {predictions}.npy}}
loss: {{name: {loss}, guard: none}}
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
    np.save(tmp_path / "others.npy", (targets + 1) % CLASSES)
    np.save(tmp_path / "weights.npy", random.uniform(0, 2, ROWS).round())
    return tmp_path


@pytest.fixture
def command(folder):
    """Run the command in this process; returns exit_code, stdout and stderr."""
    return lambda *arguments: CliRunner().invoke(main, arguments)


@pytest.fixture
def run(folder, command):
    """Run a configuration into a folder of a name, and return its path."""

    def made(name, *overrides, predictions="good", **changes):
        parts = {
            "targets": "targets",
            "weight": "",
            "loss": "cross_entropy",
            "rows": "true",
            "metrics": "[accuracy, {name: calibration_error, bins: 5}]",
            **changes,
        }
        if parts["weight"]:
            parts["weight"] = f", sample_weight: {parts['weight']}.npy"
        (folder / "run.yaml").write_text(CONFIG.format(predictions=predictions, **parts))
        given = [word for override in overrides for word in ("-o", override)]
        result = command("run", "run.yaml", "--out", name, *given)
        assert result.exit_code == 0, result.output
        return folder / name

    return made


@pytest.fixture
def compared(command):
    """Compare folders and return what ``--json`` says."""

    def done(*arguments):
        result = command("compare", *map(str, arguments), "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return done

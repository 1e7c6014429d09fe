"""Configurations with saved predictions, and runs in this process."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from lossfw.cli import main

CONFIG = """\
lossfw: 1
data: {name: arrays, targets: t.npy, sample_weight: w.npy}
network: {predictions: p.npy}
loss: {name: cross_entropy, guard: none}
evaluate:
  rows: true
  batch_size: 100
  metrics: [accuracy, roc_auc]
  intervals: {level: 0.9}
  slices: [target]
"""
CLASSES = 3


@pytest.fixture
def write(folder):
    """Write arrays of so many rows and ``run.yaml``, and return its path."""

    def made(rows=20, config=CONFIG, name="run.yaml"):
        random = np.random.default_rng(0)
        logits = random.normal(size=(rows, CLASSES))
        p = np.exp(logits)
        np.save(folder / "p.npy", p / p.sum(1, keepdims=True))
        np.save(folder / "t.npy", random.integers(0, CLASSES, rows))
        np.save(folder / "w.npy", random.uniform(0, 2, rows))
        (folder / name).write_text(config)
        return folder / name

    return made


@pytest.fixture
def lossfw(folder):
    """Run the command in this process; returns exit_code, stdout and stderr."""
    return lambda *arguments: CliRunner().invoke(main, list(map(str, arguments)))


@pytest.fixture
def lines():
    """Return the rows in a file of lines of JSON."""
    return lambda path: [json.loads(line) for line in path.read_text().splitlines()]

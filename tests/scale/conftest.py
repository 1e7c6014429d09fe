"""Data for a cluster: files of a few blocks, and a configuration that evaluates them."""

import numpy as np
import pytest

ROWS, COLUMNS = 20_000, 100  # ten blocks of 2,048 rows

TEXT = """\
lossfw: 1
data: {name: arrays, targets: t.npy, sample_weight: w.npy}
network: {predictions: y.npy}
loss: {name: masked, of: cross_entropy, ignore: 3}
evaluate:
  metrics: [accuracy, {name: top_k, k: 5}, brier, f1]
  slices: [{name: sure, by: prediction.max, bins: [0.02, 0.04]}]
  intervals: {method: bootstrap, replicates: 100}
"""


@pytest.fixture
def folder(folder):
    random = np.random.default_rng(0)
    np.save(folder / "y.npy", random.dirichlet(np.ones(COLUMNS), ROWS).astype("f4"))
    np.save(folder / "t.npy", random.integers(0, COLUMNS, ROWS))
    np.save(folder / "w.npy", random.integers(0, 3, ROWS) / 2)
    (folder / "run.yaml").write_text(TEXT)
    return folder

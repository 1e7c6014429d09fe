"""Runs whose predictions a model makes: their folder, and how two of them are compared."""

import numpy as np
import pytest

import lossfw
from support.linear_model import LINEAR

TEXT = """\
lossfw: 1
plugins: [linear.py]
data: {name: arrays, file: data.npz}
model: {name: linear, file: FILE, output_activation: softmax}
loss: cross_entropy
evaluate: {metrics: [accuracy], save_rows: true}
"""


@pytest.fixture
def ran(folder):
    """Run the model in a file, and return its folder."""
    random = np.random.default_rng(0)
    np.savez(folder / "data.npz", inputs=random.normal(size=(600, 2)), targets=np.arange(600) % 2)
    (folder / "linear.py").write_text(LINEAR)

    def run(name, matrix="[[1, 0.5], [0.5, 1]]", **options):
        (folder / f"{name}.json").write_text(matrix)
        (folder / f"{name}.yaml").write_text(TEXT.replace("FILE", f"{name}.json"))
        lossfw.run(f"{name}.yaml", out=name, **options)
        return folder / name

    return run


def test_the_size_of_batches_leaves_the_bits(ran):
    expected = (ran("a") / "metrics.json").read_bytes()
    small = ran("a7", overrides=["evaluate.batch_size=7"])
    assert (small / "metrics.json").read_bytes() == expected

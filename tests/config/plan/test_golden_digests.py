"""The digests of configurations with `network:` stay what they are: stored results name them."""

import numpy as np
import pytest

from lossfw.config.plan import digest as digests
from support.configs import DIGITS, build, build_training

ARRAYS = "data: {name: inline, inputs: [[1.0, 2.0], [3.0, 4.0], [5.0, 6.5]], targets: [0, 1, 1]}\n"
LAYERS = """\
network:
  layers:
    - {units: 3, activation: sigmoid}
    - {units: 2, activation: softmax}
"""
WEIGHTS = f"{ARRAYS}{LAYERS}  weights: w.npz\n"
FLOAT64 = """\
  dtype: float64
loss: {name: cross_entropy, delta: 1e-7}
evaluate: {intervals: {}, metrics: [brier]}
"""
SAVED = f"{ARRAYS}network: {{predictions: [[0.25, 0.75], [0.5, 0.5], [0.1, 0.9]]}}\n"
LOGITS = f"{ARRAYS}network: {{logits: saved.npy}}\n"
TABLE = """\
data: {name: arrays, file: t.csv, targets_key: paid, categories: [kind], standardize: true}
network: {layers: [{units: 1, activation: exp}], weights: t.npz}
loss: poisson_deviance
evaluate: {slices: [column.kind], metrics: [mae]}
"""
FROM_FILE = (
    "train: {epochs: 3, optimizer: adam, initial: {name: file, file: w.npz}, schedule: linear}"
)
ADAM = "train: {epochs: 2, optimizer: {name: adam, learning_rate: 0.1}, batch_size: 2}"

# By the first 16 digits of its digest.
RUNS = {
    "c77a8431c9cdc461": f"{DIGITS}evaluate: {{metrics: [accuracy], sample: {{count: 9}}}}",
    "86eb652dac9494b9": f"{WEIGHTS}loss: cross_entropy",
    "105be8eae4a62eec": WEIGHTS + FLOAT64,
    "87b7bb083982b7a7": f"{SAVED}loss: cross_entropy\nseed: 3",
    "cec068dfcd682af6": f"{SAVED.replace('predictions', 'logits')}loss: cross_entropy",
    "4626ce0bd5517547": f"{LOGITS}loss: {{name: cross_entropy, label_smoothing: 0.1}}",
    "1486224cdee76abe": TABLE,
}
TRAININGS = {
    "6314dd3cc4fd003d": f"{ARRAYS}{LAYERS}loss: cross_entropy\n"
    "train: {epochs: 3, optimizer: sgd, hold_out: {share: 0.4}}",
    "59c25ba2d2944192": f"{ARRAYS}{LAYERS}loss: cross_entropy\n{FROM_FILE}",
    "69ff7f78d4029fb4": TABLE + ADAM,
}


@pytest.fixture(autouse=True)
def files(folder, monkeypatch):
    """Write the files; the versions of plugins, which decide digests as well, are left out."""
    (folder / "t.csv").write_text("age,kind,paid\n30,a,0\n40,b,2\n35,a,1\n50,b,4\n")
    numbers = {"inputs_mean": np.array([2.0, 0.0, 0.0]), "inputs_scale": np.array([2.0, 1.0, 1.0])}
    np.savez(folder / "t.npz", W1=np.full((3, 1), 0.5), b1=np.zeros(1), **numbers)
    first = {"W1": np.ones((2, 3)), "b1": np.zeros(3)}
    np.savez(folder / "w.npz", **first, W2=np.ones((3, 2)), b2=np.zeros(2))
    np.save(folder / "saved.npy", np.array([[0.5, -1.0], [0.0, 2.0], [1.0, 1.0]]))
    monkeypatch.setattr(digests, "versions", lambda entries: {})


def written(folder, text):
    (folder / "run.yaml").write_text("lossfw: 1\n" + text.removeprefix("lossfw: 1\n"))
    return "run.yaml"


@pytest.mark.parametrize("start", RUNS)
def test_the_digest_of_a_run_stays(folder, start):
    assert build(written(folder, RUNS[start])).digest.startswith(start)


@pytest.mark.parametrize("start", TRAININGS)
def test_digest_and_identity_of_a_training_stay(folder, start):
    made = build_training(written(folder, TRAININGS[start]))
    assert digests.digest({"digest": made.digest, **made.identity}).startswith(start)

"""`lossfw train` of models of epochs, and of one that learns at once."""

import pytest

from lossfw.errors import ConfigError
from models.conftest import measured
from support.configs import build_training
from support.tables import read_npz

pytestmark = pytest.mark.usefixtures("written")

# A model of epochs, with the memory of its momentum beside its weights, and one that learns once.
LINEAR = '''\
import io

import numpy as np

from lossfw import hookimpl
from lossfw.models import Model, Predictor


class Linear(Model):
    """A line, which learns by steps with momentum."""

    ending = ".npz"
    training_mode = "epochs"

    learning_rate: float = 0.1

    def load(self, content, card):
        weights = np.load(io.BytesIO(content))["weights"]
        width = len(weights) - 1
        activation = card.output_activation if card else "identity"
        raw = lambda x: (x * weights[:-1]).sum(axis=1) + weights[-1]
        return Predictor("linear", content, (width,), 1, raw, activation)

    def fit(self, leg):
        x = np.c_[leg.inputs, np.ones(len(leg.data))]
        weights, memory = np.zeros(x.shape[1]), np.zeros(x.shape[1])
        if leg.saved is not None:
            weights, memory = (np.load(io.BytesIO(leg.saved))[n] for n in ("weights", "memory"))
        random = np.random.default_rng(leg.seed)
        order, size = random.permutation(len(x)), leg.batch_size
        for start in range(0, len(x), size):
            rows = order[start : start + size]
            raw = (x[rows] * weights).sum(axis=1)
            gradient = leg.raw_loss.gradient(raw, leg.targets[rows], reduction="none")
            memory = 0.9 * memory + (x[rows] * gradient[:, None]).mean(axis=0)
            weights = weights - self.learning_rate * memory
            leg.report_rows(start + len(rows))
        return saved(weights=weights, memory=memory)

    def cut(self, content, rounds):
        return saved(weights=np.load(io.BytesIO(content))["weights"])


class Mean(Model):
    """The mean of the targets."""

    ending = ".npz"
    training_mode = "once"

    def load(self, content, card):
        mean, width = np.load(io.BytesIO(content))["weights"]
        return Predictor("mean", content, (int(width),), 1, lambda x: np.full(len(x), mean))

    def fit(self, leg):
        return saved(weights=np.array([leg.targets.mean(), leg.inputs.shape[1]]))


def saved(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


@hookimpl
def lossfw_models():
    return {"linear": Linear, "mean": Mean}
'''


EPOCHS = (
    "plugins=[linear.py]",
    "model=linear",
    "loss=squared_error",
    "train={epochs: 6, batch_size: 20, hold_out: {fraction: 0.25}}",
)


@pytest.fixture
def linear(folder):
    (folder / "linear.py").write_text(LINEAR)


def test_a_model_of_epochs_is_measured_by_its_file(linear, train, lossfw, folder):
    trained = train("a", *EPOCHS, "train.measure_every=4")
    assert measured(trained["epochs"]) == [0, 4, 6]
    assert (trained["training_mode"], trained["stopped"]) == ("epochs", "epochs")
    assert list(read_npz(folder / "a/model.npz")) == ["weights"]
    changes = [part for change in EPOCHS[:3] for part in ("-o", change)]
    run = lossfw("run", "t.yaml", *changes, "-o", "model.file=a/model.npz", "-o", "train-")
    assert run.exit_code == 0, run.stderr


@pytest.mark.parametrize("stop", [1, 2, 3])
def test_a_model_of_epochs_goes_on_to_the_same_bytes(stop, linear, train, interrupted, folder):
    changes = [*EPOCHS, "train.hold_out.patience=2", "train.epochs=9"]
    whole = train("whole", *changes)
    best = min(whole["epochs"], key=lambda epoch: epoch["held_out"]["loss"])
    assert whole["kept"] == best["epoch"]
    interrupted(stop, *changes)
    assert train("a", *changes, resume=True) == whole
    for name in ("model.npz", "model.json", "checkpoint.npz"):
        assert (folder / "a" / name).read_bytes() == (folder / "whole" / name).read_bytes(), name


def test_a_model_that_learns_once_has_two_measurements(linear, train, folder):
    changes = (
        "plugins=[linear.py]",
        "model=mean",
        "loss=squared_error",
        "train={allow_untrainable: false}",
    )
    trained = train("a", *changes)
    first, last = trained["epochs"]
    assert (trained["stopped"], trained["kept"], last["epoch"]) == ("once", 1, 1)
    # The mean is the constant of least squared error.
    assert last["train"]["loss"] == pytest.approx(first["train"]["loss"], rel=1e-12)
    with pytest.raises(ConfigError, match=r"train.rounds cannot be used with mean.* in one step"):
        build_training("t.yaml", [*changes[:3], "train={rounds: 3}"])

import textwrap

import numpy as np
import pytest

import lossfw
from lossfw.data import Dataset
from lossfw.errors import ConfigError
from lossfw.nn.dense import LayerSpec
from lossfw.nn.initializers import Xavier
from lossfw.nn.seeding import Purpose, generator
from support.configs import build_training
from support.training_text import CONFIG
from support.trainings import dense_training


@pytest.fixture
def two_rings():
    """600 rows of two classes: inside of a circle and outside of it."""
    random = np.random.default_rng(0)
    inputs = random.normal(size=(600, 2))
    return Dataset("rings", targets=(np.hypot(*inputs.T) > 1.2).astype(int), inputs=inputs)


@pytest.fixture
def training(two_rings):
    """Make a training of a small network, with changes."""

    def make(**changes):
        data = changes.pop("data", two_rings)
        activations = changes.pop("activations", ("tanh", "softmax"))
        units = changes.pop("units", (8, 2))
        specs = [
            LayerSpec(u, lossfw.activation(a)) for u, a in zip(units, activations, strict=True)
        ]
        random = generator(0, Purpose.WEIGHTS)
        network = Xavier().network(specs, data.inputs.shape[1], "float64", random)
        parts = {
            "loss": lossfw.loss("cross_entropy", from_logits=True),
            "form": "logits",
            "optimizer": lossfw.registry().create("optimizer", "adam", learning_rate=0.02),
            "epochs": 5,
            "batch_size": 32,
            "metrics": (lossfw.metric("accuracy"),),
        }
        return dense_training(data, network, **{**parts, **changes})

    return make


@pytest.fixture
def folder(folder):
    """A working folder with a file of data."""
    random = np.random.default_rng(0)
    inputs = random.normal(size=(200, 2))
    targets = (inputs[:, 0] > inputs[:, 1]).astype(int)
    np.savez(folder / "data.npz", inputs=inputs, targets=targets, same=np.zeros(200, int))
    return folder


@pytest.fixture
def config(folder):
    """Write a configuration, ``train.yaml``, and return its name."""

    def write(text=CONFIG):
        (folder / "train.yaml").write_text(textwrap.dedent(text))
        return "train.yaml"

    return write


@pytest.fixture
def build(config):
    """Build the training of a configuration with overrides."""
    return lambda *overrides, text=CONFIG: build_training(config(text), overrides)


@pytest.fixture
def problem(build):
    """Return the one thing that is wrong with a configuration: where, what, hint."""

    def find(*overrides, text=CONFIG):
        with pytest.raises(ConfigError) as caught:
            build(*overrides, text=text)
        assert len(caught.value.problems) == 1, str(caught.value)
        found = caught.value.problems[0]
        return found.where, found.message, found.hint

    return find

"""Train a model without a configuration: one leg, with the raw outputs of each round."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

import lossfw
from lossfw.data import Dataset
from lossfw.models import TrainingLeg

# By library the file of networks, and the one that stands for others.
NETS = Path(__file__).parents[1] / "std" / "models"
NETWORKS = {"torch": (NETS / "net.py", "Net"), "keras": (NETS / "keras_net.py", "build")}


class FittedLeg(NamedTuple):
    """The file of a model, and the raw outputs of training and held-out rows after each round."""

    content: bytes
    train: list
    held_out: list


def training_leg(data, loss, rounds, **changes):
    """Return one leg of a training by a loss, and the lists that `report_round` fills."""
    loss = lossfw.loss(loss)
    raw_loss = loss.on_raw_outputs() or loss
    units = len(data.classes) or 1
    if loss.takes_classes and not data.classes:
        units = int(data.targets.max()) + 1
    train, held_out = [], []

    def after(raw, raw_held_out, rate=None):
        train.append(raw)
        held_out.append(raw_held_out)
        return False

    options = {
        "held_out": None,
        "raw_loss": raw_loss,
        "form": raw_loss._input_form,
        "units": units,
        "first": 0,
        "total": rounds,
        "seed": 3,
        "threads": 1,
        "saved": None,
        "batch_size": 100,
        "measures": lambda number: True,
        "report_round": after,
    }
    leg = TrainingLeg(data=data, loss=loss, rounds=rounds, **{**options, **changes})
    return leg, train, held_out


def fitted(model, data, loss, rounds, **changes):
    """Return the model of one leg."""
    leg, train, held_out = training_leg(data, loss, rounds, **changes)
    return FittedLeg(model.fit(leg), train, held_out)


def leg_by_leg(model, data, loss, epochs, saved=None, first=0, **changes):
    """Return the bytes after each epoch, each a leg with a seed of its own, as a training goes."""
    contents, kept = [], {"total": epochs, "cache": {}, **changes}
    for epoch in range(first, epochs):
        leg, *_ = training_leg(data, loss, 1, first=epoch, saved=saved, seed=7 + epoch, **kept)
        contents.append(saved := model.fit(leg))
    return contents


def network_model(library, name=None, **parameters):
    """Return the model of a network in a file of Python."""
    file, usual = NETWORKS[library]
    own = {"module": f"{file}:{name or usual}", "learning_rate": 0.01, **parameters}
    return lossfw.registry().create("model", {"name": library, **own})


def growing_targets():
    """Return positive targets that grow with the first of three inputs, one row beyond batches."""
    random = np.random.default_rng(0)
    inputs = random.normal(size=(301, 3))
    return Dataset("made", np.exp(inputs[:, 0] + 0.1 * random.normal(size=301)), inputs)

"""Train a model without a configuration: one leg, with the raw outputs of each round."""

from typing import NamedTuple

import lossfw
from lossfw.models import Work


class Learnt(NamedTuple):
    """The file of a model, and the raw outputs of learnt and held-out rows after each round."""

    content: bytes
    learnt: list
    held_out: list


def work(data, loss, rounds, **changes):
    """Return one leg of a training by a loss, and the lists that `after` fills."""
    loss = lossfw.loss(loss)
    raw_loss = loss.on_logits() or loss
    units = len(data.classes) or 1
    if loss.takes_classes and not data.classes:
        units = int(data.targets.max()) + 1
    learnt, held_out = [], []

    def after(raw, raw_held_out, rate=None):
        learnt.append(raw)
        held_out.append(raw_held_out)
        return False

    options = {
        "held_out": None,
        "raw_loss": raw_loss,
        "form": "logits" if raw_loss is not loss else loss.input_form,
        "units": units,
        "first": 0,
        "total": rounds,
        "seed": 3,
        "threads": 1,
        "saved": None,
        "batch_size": 100,
        "measures": lambda number: True,
        "after": after,
    }
    leg = Work(data=data, loss=loss, rounds=rounds, **{**options, **changes})
    return leg, learnt, held_out


def fitted(model, data, loss, rounds, **changes):
    """Return what a model has learnt in one leg."""
    leg, learnt, held_out = work(data, loss, rounds, **changes)
    return Learnt(model.fit(leg), learnt, held_out)

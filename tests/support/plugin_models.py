"""Models of a plugin file, as a user writes them."""

STUMPS = '''\
import json

import numpy as np

from lossfw import hookimpl
from lossfw.learning.raw_form import raw_loss_of
from lossfw.learning.start import best_constant
from lossfw.errors import DataError
from lossfw.models import Model, Predictor


class Stumps(Model):
    """Boosting of stumps: each cuts one input at its median, of rows that are drawn."""

    ending = ".json"
    training_mode = "rounds"

    learning_rate: float = 0.5
    share: float = 0.5

    def load(self, content, card):
        try:
            begin, width, stumps = json.loads(content)
        except ValueError:
            raise DataError(f"{self.file} holds no stumps.") from None
        activation = card.output_activation if card else "identity"
        return Predictor(
            f"stumps ({len(stumps)} rounds)",
            content,
            (width,),
            1,
            lambda x: raw_outputs(x, begin, stumps),
            activation,
        )

    def fit(self, leg):
        loss, x, t = raw_loss_of(leg.loss), leg.inputs, leg.targets
        held = None if leg.held_out is None else np.asarray(leg.held_out.inputs)
        begin, stumps = float(best_constant(leg.loss, t, leg.data.sample_weight)), []
        if leg.saved is not None:
            begin, _, stumps = json.loads(leg.saved)
        raw = raw_outputs(x, begin, stumps)
        raw_held = None if held is None else raw_outputs(held, begin, stumps)
        random = np.random.default_rng(leg.seed)
        for _ in range(leg.rounds):
            drawn = random.random(len(x)) < self.share
            column = int(random.integers(x.shape[1]))
            gradient = loss.gradient(raw, t, reduction="none")
            cut = float(np.median(x[drawn, column]))
            low = drawn & (x[:, column] <= cut)
            sides = low, drawn & ~low
            steps = [-self.learning_rate * float(gradient[side].mean()) for side in sides]
            stumps.append([column, cut, *steps])
            raw = raw + stump(x, stumps[-1])
            if held is not None:
                raw_held = raw_held + stump(held, stumps[-1])
            if leg.report_round(raw, raw_held):
                break
        return json.dumps([begin, x.shape[1], stumps]).encode()

    def cut(self, content, rounds):
        begin, width, stumps = json.loads(content)
        return json.dumps([begin, width, stumps[:rounds]]).encode()


def stump(x, one):
    column, cut, low, high = one
    return np.where(x[:, column] <= cut, low, high)


def raw_outputs(x, begin, stumps):
    raw = np.full(len(x), begin)
    for one in stumps:
        raw = raw + stump(x, one)
    return raw


@hookimpl
def lossfw_models():
    return {"stumps": Stumps}
'''

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

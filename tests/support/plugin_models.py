"""Models of a plugin file, as a user writes them."""

STUMPS = '''\
import json

import numpy as np

from lossfw import hookimpl
from lossfw.bridges.raw_form import raw_form
from lossfw.bridges.start import start
from lossfw.errors import DataError
from lossfw.models import Model, Predictor


class Stumps(Model):
    """Boosting of stumps: each cuts one input at its median, of rows that are drawn."""

    ending = ".json"
    learns = "rounds"

    learning_rate: float = 0.5
    share: float = 0.5

    def load(self, content, card):
        try:
            begin, width, stumps = json.loads(content)
        except ValueError:
            raise DataError(f"{self.file} holds no stumps.") from None
        link = card.link if card else "identity"
        return Predictor(
            f"stumps ({len(stumps)} rounds)",
            content,
            (width,),
            1,
            lambda x: raw_outputs(x, begin, stumps),
            link,
        )

    def fit(self, work):
        loss, x, t = raw_form(work.loss), work.inputs, work.targets
        held = None if work.held_out is None else np.asarray(work.held_out.inputs)
        begin, stumps = float(start(work.loss, t, work.data.sample_weight)), []
        if work.saved is not None:
            begin, _, stumps = json.loads(work.saved)
        raw = raw_outputs(x, begin, stumps)
        raw_held = None if held is None else raw_outputs(held, begin, stumps)
        random = np.random.default_rng(work.seed)
        for _ in range(work.rounds):
            drawn = random.random(len(x)) < self.share
            column = int(random.integers(x.shape[1]))
            slope = loss.gradient(raw, t, reduction="none")
            cut = float(np.median(x[drawn, column]))
            low = drawn & (x[:, column] <= cut)
            sides = low, drawn & ~low
            steps = [-self.learning_rate * float(slope[side].mean()) for side in sides]
            stumps.append([column, cut, *steps])
            raw = raw + stump(x, stumps[-1])
            if held is not None:
                raw_held = raw_held + stump(held, stumps[-1])
            if work.after(raw, raw_held):
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

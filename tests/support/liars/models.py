"""Liars among models: each breaks one law. `Lines` is honest."""

import json
import threading
import time

import numpy as np

from lossfw import DataError
from lossfw.models import Model, Predictor
from support.liars.liar import Liar


class Lines(Model):
    """Boosting of straight lines: a step of Newton in each round."""

    ending = ".json"
    training_mode = "rounds"

    learning_rate: float = 0.3

    def fit(self, leg):
        told = self.begun(leg)
        x = self.known(leg.inputs)
        held_out = None if leg.held_out is None else self.known(np.asarray(leg.held_out.inputs))
        for _ in range(leg.rounds):
            raw = scores(told, x)
            gradients, curvatures = (
                one.reshape(len(x), -1) for one in leg.gradients(squeezed(raw))
            )
            told["rounds"].append(np.stack(
                [self.step(np.column_stack([x, np.ones(len(x))]), g, h, leg)
                 for g, h in zip(gradients.T, curvatures.T, strict=True)],
                axis=1).tolist())  # fmt: skip
            raw_held_out = None if held_out is None else self.told(told, held_out)
            if leg.report_round(self.told(told, x), raw_held_out):
                break
        return self.file_of(told)

    def begun(self, leg):
        if leg.saved is not None:
            return json.loads(leg.saved)
        return {"start": leg.best_constant().tolist(), "width": leg.inputs.shape[1], "rounds": []}

    def step(self, x, g, h, leg):
        return -self.learning_rate * np.linalg.solve(
            x.T @ (h[:, None] * x) + np.eye(x.shape[1]), x.T @ g
        )

    def known(self, x):
        return x

    def told(self, made, x):
        return scores(made, x)

    def file_of(self, made):
        return json.dumps(made).encode()

    def cut(self, content, rounds):
        made = json.loads(content)
        return self.file_of({**made, "rounds": made["rounds"][:rounds]})

    def load(self, content, card):
        try:
            made = json.loads(content)
        except ValueError:
            raise DataError(f"{self.file} is not a model of lines; expected JSON.") from None
        return self.predictor(content, made, card)

    def predictor(self, content, made, card, **options):
        units, width = len(made["start"]), made["width"]
        output_activation = card.output_activation if card else "identity"
        return Predictor(
            "lines",
            content,
            (width,),
            units,
            lambda x: self.raw(made, x),
            output_activation,
            **options,
        )

    def raw(self, made, x):
        return scores(made, self.known(x))


def scores(made, x):
    """Add column by column, so that a row has the same bits in any company."""
    raw = np.tile(np.array(made["start"], float), (len(x), 1))
    for weights in made["rounds"]:
        for column, of_column in zip([*x.T, np.ones(len(x))], weights, strict=True):
            raw = raw + column[:, None] * np.array(of_column)
    return raw


def squeezed(raw):
    return raw[:, 0] if raw.shape[1] == 1 else raw


class Ignorant(Lines):
    """Is loaded with one input too many."""

    def predictor(self, content, made, card):
        loaded = super().predictor(content, made, card)
        loaded.row_shape = (made["width"] + 1,)
        return loaded


class Multiplied(Lines):
    """A product of matrices, without padding."""

    def raw(self, made, x):
        hidden = np.tanh(x @ np.sin(np.arange(x.shape[1] * 64.0)).reshape(-1, 64))
        return super().raw(made, x) + (hidden @ np.cos(np.arange(64.0)))[:, None]


class OfColumns(Lines):
    """Takes rows as they come, and reads columns another way."""

    def predictor(self, content, made, card):
        class Raw(Predictor):
            def run_block(self, rows):
                outputs, (step, of_column) = super().run_block(rows), np.abs(rows.strides)
                return outputs._replace(raw_outputs=outputs.raw_outputs + 1e-9 * (step < of_column))

        units, width = len(made["start"]), made["width"]
        raw = self.raw
        return Raw("liar", content, (width,), units, lambda x: raw(made, x))


class Together(Lines):
    """Adds in another order in another thread."""

    def raw(self, made, x):
        is_main = threading.current_thread() is threading.main_thread()
        return super().raw(made, x) * (1.0 if is_main else 1.0 + 1e-15)


class Writing(Lines):
    """Writes to its inputs."""

    def raw(self, made, x):
        found = super().raw(made, x)
        x[:, 0] = 0.0
        return found


class Held(Lines):
    """Holds a session that cannot be pickled."""

    def predictor(self, content, made, card):
        class WithSession(Predictor):
            def __reduce__(self):
                return type(self), (threading.Lock(),)

        units, width = len(made["start"]), made["width"]
        return WithSession("liar", content, (width,), units, lambda x: self.raw(made, x))


class Dated(Lines):
    """Writes the time into its file."""

    def file_of(self, made):
        return super().file_of({**made, "time": time.time_ns()})


class Late(Lines):
    """Tells the raw outputs of the round before."""

    def told(self, made, x):
        return scores({**made, "rounds": made["rounds"][:-1]}, x)


# What `Keeping` keeps.
_seeds = []


class Keeping(Lines):
    """Keeps in its module what a file should have."""

    def begun(self, leg):
        begun = super().begun(leg)
        if leg.saved is not None:
            begun["rounds"][0][0][0] += 1e-6 * (_seeds[-1] == 3)
        _seeds.append(leg.seed)
        return begun


class Shaken(Lines):
    """Draws from the generator of the process."""

    def step(self, x, g, h, leg):
        return super().step(x, g, h, leg) * (1 + 1e-3 * np.random.random())  # noqa: NPY002


class Willing(Lines):
    """Refuses nothing."""

    def refusal(self, loss):
        return None


class Renumbering(Lines):
    """Numbers categories anew in each block."""

    accepted_inputs = frozenset({"categories"})

    def known(self, x):
        last = np.unique(x[:, -1], return_inverse=True)[1]
        return np.column_stack([x[:, :-1], last])


_LIARS = (
    ("shape", Ignorant(), ()),
    ("place", Multiplied(), ("reported_outputs",)),
    ("layout", OfColumns(), ()),
    ("threads", Together(), ()),
    ("purity", Writing(), ()),
    ("copy", Held(), ()),
    ("accepted_inputs", Renumbering(), ("place",)),
    ("file", Dated(), ("reported_outputs", "legs", "seed")),
    ("reported_outputs", Late(), ()),
    ("legs", Keeping(), ()),
    ("seed", Shaken(), ("file", "reported_outputs", "legs")),
    ("refusal", Willing(), ()),
)

LIARS = tuple(
    Liar("model", f"model:{law}", type(one).__name__, one, tuple(f"model:{n}" for n in besides))
    for law, one, besides in _LIARS
)

"""Trials: trainings of a model on small data, for the laws of models.

The data come from a seeded generator; a training is a leg of a few rounds, without a configuration.
Models that several laws use are trained once.
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from lossfw.check.core.search import Check, NotApplicable, Search
from lossfw.components.registry import registry
from lossfw.data import Dataset
from lossfw.data.data_record import DataRecord
from lossfw.errors import DomainError, LossfwError, ShapeError
from lossfw.evaluation.predictor import one_blas_thread
from lossfw.losses.loss import Loss
from lossfw.models import Card, Model, ModelParameterError, Predictor, TrainingLeg
from lossfw.models.card import sha256
from lossfw.numerics.arrays import NDArray

# Rows to learn from and rows that are only measured: few enough that a training takes some
# hundredths of a second, and no multiple of a block.
ROWS, HELD_OUT = 240, 60
# Inputs of a row, and the labels of one that holds categories.
WIDTH, LABELS = 4, ("a", "b", "c", "d", "e")
# Rounds of a leg; a model that learns in epochs has legs of one.
LEG = 3
# Rows that are evaluated beyond the first block.
_BEYOND = 300


def model_law(name: str) -> Callable[[Callable[[Model, Search], None]], Check]:
    """Return a decorator that makes a function the check of a law of models.

    It runs on one BLAS thread, as trainings and evaluations do, and without warnings of libraries.
    """

    def make_check(function: Callable[[Model, Search], None]) -> Check:
        @functools.wraps(function)
        def run_quietly(model: Model, search: Search) -> None:
            with warnings.catch_warnings(), one_blas_thread():
                warnings.simplefilter("ignore")
                function(model, search)

        return Check(f"model:{name}", run_quietly)

    return make_check


class LearningTask(NamedTuple):
    """Data with a loss for training on them."""

    loss: Loss
    data: Dataset
    held_out: Dataset
    units: int

    @property
    def raw_loss(self) -> Loss:
        """The loss as a function of raw outputs, where it has such a form."""
        return self.loss.on_raw_outputs() or self.loss

    def mean_loss(self, outputs: Any, *, raw: bool = True) -> float:
        """Return the mean loss of raw outputs, or of predictions, of the rows to learn from."""
        outputs, loss = np.asarray(outputs, np.float64), self.raw_loss if raw else self.loss
        if outputs.ndim == 2 and outputs.shape[1] == 1:
            outputs = outputs[:, 0]
        with np.errstate(all="ignore"):
            return float(loss(outputs, self.data.targets, group=self.data.group_numbers))


class TrainedLeg(NamedTuple):
    """The file of a model, and the raw outputs of training and held-out rows after each round."""

    content: bytes
    reported: list[tuple[Any, Any]]


class LoadedModel(NamedTuple):
    """A trained model, with rows of more than one block."""

    predictor: Predictor
    rows: NDArray
    # What it was trained on; None for the file of a model.
    task: LearningTask | None = None

    def outputs(self, rows: NDArray | None = None) -> NDArray:
        """Return the raw outputs of rows, block by block, or predictions without activation."""
        return outputs(self.predictor, self.rows if rows is None else rows)


def outputs(predictor: Predictor, rows: NDArray) -> NDArray:
    """Return the raw outputs of rows, block by block, or predictions without activation."""
    size, found = predictor.block_rows, []
    with predictor.call_context():
        for first in range(0, len(rows), size):
            block = predictor.run_block(rows[first : first + size])
            found.append(block.predictions if block.raw_outputs is None else block.raw_outputs)
    return np.concatenate([np.array(one) for one in found])


# Data, by kind: targets of a signal, and the raw outputs that a row of them needs.
_Targets = Callable[[NDArray, np.random.Generator], tuple[NDArray, int]]
_TARGETS: dict[str, _Targets] = {
    # Far from 0, where a model begins that does not look for a start.
    "numbers": lambda s, rng: (20 + 3 * s, 1),
    "counts": lambda s, rng: (rng.poisson(np.exp(0.5 * s + 1)).astype(float), 1),
    "shares": lambda s, rng: ((s > 0.5).astype(float), 1),
    "signs": lambda s, rng: (np.where(s > 0.5, 1.0, -1.0), 1),
    "classes": lambda s, rng: (np.digitize(s, [0.3, 1.2]), 3),
    "columns": lambda s, rng: (20 + 3 * s, 2),
    "groups": lambda s, rng: (np.digitize(s, [0.0, 1.0, 2.0]).astype(float), 1),
}

# Losses that a model is asked about, each with data to learn from. The first three are those of
# most libraries, and the other laws take what a model does not refuse of them, or else any.
LOSSES = {
    "squared_error": "numbers",
    "poisson_deviance": "counts",
    "cross_entropy": "classes",
    "absolute_error": "numbers",
    "binary_cross_entropy": "shares",
    "logistic": "signs",
    "zero_one": "signs",
    "heteroscedastic_gaussian_nll": "columns",
    "pairwise_logistic": "groups",
}
_USUAL = 3


def learning_task(
    model: Model, name: str, search: Search, special_inputs: str = ""
) -> LearningTask:
    """Return data for training with a loss, the same for each search of a seed.

    Parameters
    ----------
    model : Model
        Its parameter `row_shape`, where it has one, is the shape of the inputs of a row.
    name : str
        One of `LOSSES`.
    search : Search
    takes : {"", "missing", "categories"}
        What the inputs hold besides finite numbers: NaN, or codes in the last column, which
        determine the targets.
    """
    kind, rng, count = LOSSES[name], search.rng("trials"), ROWS + HELD_OUT
    row_shape = getattr(model, "row_shape", None) or (WIDTH,)
    x = rng.normal(size=(count, math.prod(row_shape))).round(2)
    signal = x[:, 0] + np.abs(x[:, 1]) + 0.3 * rng.normal(size=count)
    if special_inputs == "categories":
        x[:, -1] = rng.integers(0, len(LABELS), count)
        signal += x[:, -1] * 2 % len(LABELS)
    if special_inputs == "missing":
        x[rng.random(x.shape) < 0.1] = np.nan
    targets, units = _TARGETS[kind](signal, rng)
    groups: Any = np.repeat(np.arange(count // 10), 10) if kind == "groups" else None
    whole = Dataset(
        kind,
        targets,
        x.reshape(count, *row_shape),
        input_names=tuple(f"x{n}" for n in range(WIDTH)) if row_shape == (WIDTH,) else (),
        groups=groups,
        codes={WIDTH - 1: LABELS} if special_inputs == "categories" else {},
        missing=special_inputs == "missing",
    )
    train, held_out = (whole.take(rows) for rows in np.split(np.arange(count), [ROWS]))
    loss: Loss = registry().create("loss", name)
    return LearningTask(loss, train, held_out, units)


def learning_tasks(model: Model, search: Search) -> list[LearningTask]:
    """Return data with losses that a model does not refuse: the usual ones, or any.

    Raises
    ------
    NotApplicable
        If it refuses all, or does not learn.
    """

    def find_accepted() -> list[LearningTask]:
        require_learner(model)
        found: list[LearningTask] = []
        for number, name in enumerate(LOSSES):
            task = learning_task(model, name, search)
            # Others only if it takes none of the usual ones.
            if (number < _USUAL or not found) and is_trainable(model, task, search):
                found.append(task)
        if not found:
            raise NotApplicable(f"it cannot be trained with any of the losses {', '.join(LOSSES)}")
        return found

    return search.cached("tasks", find_accepted)


def require_learner(model: Model) -> None:
    """Raise `NotApplicable` for a model that does not learn, or is trained already."""
    if model.training_mode is None:
        raise NotApplicable("it only makes predictions and cannot be trained")
    if model.file is not None:
        raise NotApplicable("a trained model may not support training again")


def is_trainable(model: Model, task: LearningTask, search: Search) -> bool:
    """Tell whether a model takes a loss and its data."""
    if model.refusal(task.loss) is not None:
        return False
    try:
        mean_loss_after(model, task, trained_leg(model, task, search))
    except LossfwError as error:
        if is_data_error(model, error):
            return False
        raise
    return True


def is_data_error(model: Model, error: LossfwError) -> bool:
    """Tell whether an error only means that an accepted loss needs other data or outputs.

    A network has a number and a space of outputs; a model with its own objective may not take
    the targets.
    """
    of_data = isinstance(error, ShapeError | DomainError | ModelParameterError)
    return of_data or model.training_mode == "once"


def mean_loss_after(
    model: Model, task: LearningTask, trained: TrainedLeg, number: int = -1
) -> float:
    """Return the mean loss of the raw outputs after a round, or of the file without them."""
    reported = trained.reported[number][0] if trained.reported else None
    if reported is not None:
        return task.mean_loss(reported)
    predictor = load(model, task, trained.content)
    found = outputs(predictor, np.asarray(task.data.inputs))
    return task.mean_loss(found, raw=predictor.output_activation is not None)


def fit(
    model: Model, task: LearningTask, stop_after: int | None = None, **changes: Any
) -> TrainedLeg:
    """Train one leg of a model as lossfw does, and stop it after a round if given.

    `changes` are other fields of the leg.
    """
    reported: list[tuple[Any, Any]] = []

    def record_round(raw: Any, held_out: Any, rate: float | None = None) -> bool:
        # The library may use its memory again.
        reported.append((_copy_or_none(raw), _copy_or_none(held_out)))
        return len(reported) == stop_after

    rounds = 1 if model.training_mode != "rounds" else LEG
    leg = TrainingLeg(
        data=task.data,
        held_out=task.held_out,
        loss=task.loss,
        raw_loss=task.raw_loss,
        form=task.raw_loss._input_form,
        units=task.units,
        first=0,
        rounds=rounds,
        total=2 * rounds,
        seed=3,
        threads=1,
        saved=None,
        batch_size=32,
        measures=lambda number: True,
        report_round=record_round,
    )
    return TrainedLeg(model.for_loss(task.loss).fit(replace(leg, **changes)), reported)


def _copy_or_none(raw: Any) -> Any:
    return None if raw is None else np.array(raw)


def trained_leg(model: Model, task: LearningTask, search: Search) -> TrainedLeg:
    """Return the first leg of a training; trained once for all laws."""
    return search.cached(("trained leg", task.loss.name), lambda: fit(model, task))


def load(model: Model, task: LearningTask, content: bytes) -> Predictor:
    """Return the predictor that a leg trained, with the card that lossfw writes beside it."""
    names = task.data.input_names
    labels = {names[column]: labels for column, labels in task.data.codes.items()}
    output_activation = task.loss._expected_activation() or "identity"
    record = DataRecord(columns=names, categories=labels)
    card = Card(output_activation, task.units, model.library_version, sha256(content), record)
    return model.for_loss(task.loss).load_predictor(content, card)


def load_trained(model: Model, search: Search) -> list[LoadedModel]:
    """Return trained models: the file of the model, or one for each task."""

    def make() -> list[LoadedModel]:
        if model.file is not None:
            predictor = model.load_predictor()
            shape = predictor.block_rows + _BEYOND, *predictor.row_shape
            return [LoadedModel(predictor, search.rng("rows of a file").normal(2, 3, shape))]
        return [train_and_load(model, task, search) for task in learning_tasks(model, search)]

    return search.cached("loaded", make)


def train_and_load(model: Model, task: LearningTask, search: Search) -> LoadedModel:
    """Return what a model learns of a task, with rows like its training rows."""
    predictor = load(model, task, trained_leg(model, task, search).content)
    rng, x = search.rng("rows"), np.asarray(task.data.inputs)
    count = predictor.block_rows + _BEYOND
    columns = x.reshape(len(x), -1).T
    rows = np.stack([rng.choice(column, count) for column in columns], axis=1)
    return LoadedModel(predictor, rows.reshape(count, *x.shape[1:]), task)

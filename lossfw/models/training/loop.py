"""The training loop of all models: leg by leg, and a measurement after each round.

A leg starts from what the previous leg saved, with its own seed. So a stopped training continues
with the same bits, whatever a library keeps between rounds. The numbers of its history are those of
an evaluation of the saved model.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from lossfw.data import Dataset
from lossfw.data.source import file_fields
from lossfw.errors import ArgumentError, DivergenceError, RunError
from lossfw.evaluation.evaluate import Progress
from lossfw.evaluation.predictor import BlockPredictor, one_blas_thread
from lossfw.learning.start import best_constant
from lossfw.losses.engine.threads import thread_count
from lossfw.models.model import Model
from lossfw.models.training.dense import WEIGHTS_FILE, DenseLearner
from lossfw.models.training.measure import divergence_remedy, measure
from lossfw.models.training.records import (
    Epoch,
    Stop,
    Training,
    TrainingResult,
    TrainingState,
    best_round_of,
)
from lossfw.models.training_leg import TrainingLeg, flat_targets
from lossfw.nn.dense import Network
from lossfw.nn.training.advice import divergence_limit, largest_of, scaling_remedy
from lossfw.numerics.arrays import NDArray

# Called with the state after each leg, and before the first one.
Save: TypeAlias = Callable[[TrainingState], None]

# Of fewer inputs than this, a round takes some milliseconds on one thread, and several wait for
# each other: where other programs run too, 2 threads took up to 10 times as long as 1 (XGBoost and
# LightGBM, 20 rounds). The result depends on them nowhere.
_SMALL = 2**18

# Seeds of libraries are of int32.
_SEEDS = 2**31


def train(
    training: Training,
    *,
    start: TrainingState | None = None,
    save: Save | None = None,
    progress: Progress | None = None,
) -> TrainingResult:
    """Train a model.

    Parameters
    ----------
    training : Training
        The training.
    start : TrainingState, optional
        The state to resume from; the result has the bits of a run without
        interruption.
    save : callable, optional
        Called with the state after each leg, and before the first one.
    progress : callable, optional
        Called with the rounds done and the number of all rounds; for a model of epochs with rows of
        data.

    Raises
    ------
    DivergenceError
        If the loss, an output or a weight is not finite, or has exploded. The states saved
        before are good.
    RunError
        If a prediction is outside the space of the loss.
    """
    try:
        with one_blas_thread(), np.errstate(all="ignore"):
            state = _first_state(training) if start is None else start
            if start is None and save is not None:
                save(state)
            memory = dict[str, Any]()
            while _stop_reason(training, state) is None:
                state = _Leg(training, state, progress, memory).state()
                if save is not None:
                    save(state)
            return _result(training, state)
    except DivergenceError as error:
        told = scaling_remedy(training.data) if training.training_mode == "epochs" else ""
        if not told:
            raise
        raise DivergenceError(f"{error} {told}") from None


def _stop_reason(training: Training, state: TrainingState) -> Stop | None:
    """Return why a training has ended; None if it goes on."""
    if _is_out_of_patience(training, state.history):
        return "patience"
    if state.done >= training.total:
        return training.training_mode
    return "model" if state.complete else None


def _is_out_of_patience(training: Training, history: Sequence[Epoch]) -> bool:
    if training.patience is None or not history:
        return False
    best = best_round_of(history)
    return sum(epoch.number > best.number for epoch in history) >= training.patience


def _first_state(training: Training) -> TrainingState:
    if isinstance(training.model, DenseLearner):
        content = training.model.initial_content()
        network = training.model.network
        before = _measure_epoch(training, 0, 0.0, network, network)
        loss = before.train.loss
        if not math.isfinite(loss):
            raise DivergenceError(
                f"The loss of the network before any step is {loss}: start from smaller weights, "
                "or give the loss a guard."
            )
        return TrainingState(0, content, (before,), content if training.patience else None)
    if training.output_activation is None or training.model.own_objective:
        # No constant is known of an objective of the model's own.
        return TrainingState(0, None, ())
    try:
        constant = best_constant(
            training.configured,
            flat_targets(training.data),
            training.data.sample_weight,
            classes=training.units if training.loss.takes_rows else None,
        )
    except ArgumentError:
        # A model with an objective of its own may learn where no constant is known.
        return TrainingState(0, None, ())

    def raw(data: Dataset) -> NDArray:
        return np.tile(np.asarray(constant, float), (len(data), 1))

    held_out = None if training.held_out is None else raw(training.held_out)
    return TrainingState(0, None, (_measure_epoch(training, 0, 0.0, raw(training.data), held_out),))


def _measure_epoch(
    training: Training,
    number: int,
    rate: float | None,
    train: BlockPredictor | NDArray,
    held_out: BlockPredictor | NDArray | None,
) -> Epoch:
    """Measure a model, or its raw outputs, on the training rows and on the held-out ones."""
    largest = None
    if isinstance(train, Network):
        largest = float(np.max([largest_of(layer) for layer in train.layers]))
    data = training.held_out
    return Epoch(
        number=number,
        rate=rate,
        largest=largest,
        train=measure(training, training.data, train, number),
        held_out=None
        if data is None or held_out is None
        else measure(training, data, held_out, number),
    )


@dataclass
class _Leg:
    """One leg: what a model tells after each of its rounds."""

    training: Training
    before: TrainingState
    progress: Progress | None
    # What the model keeps from leg to leg.
    memory: dict[str, Any]
    history: list[Epoch] = field(init=False)
    # The last round, and its learning rate.
    number: int = field(init=False)
    rate: float | None = None
    stopped: bool = False

    def __post_init__(self) -> None:
        self.history, self.number = list(self.before.history), self.before.done
        history = self.before.history
        self.loss_before = history[0].train.loss if history else math.nan
        rounds = min(self.training.leg, self.training.total - self.before.done)
        self.end = self.before.done + rounds

    def state(self) -> TrainingState:
        """Return the state after the leg."""
        training = self.training
        content: object = training.model.fit(self._make_leg())
        if not isinstance(content, bytes):
            raise RunError(
                f"fit() of the model {training.model.name} returned {type(content).__name__}; "
                "expected bytes, the model as its file."
            )
        if self.number == self.before.done and self.end == self.number + 1:
            self._report_outputs(None, None)
        if self.number == self.before.done:
            raise RunError(
                f"the model {training.model.name} did not report its rounds {self.number + 1} to "
                f"{self.end}: fit has to call leg.report_round once after each round."
            )
        # What a model that stopped by itself has reached is measured as the last round is.
        complete = self.number < self.end and not self.stopped
        if not self._is_measured(self.number) and (complete or training.measures(self.number)):
            made = predictor_of(training, content)
            self._keep_epoch(_measure_epoch(training, self.number, self.rate, made, made))
        best = self.before.best
        if training.leg == 1 and training.patience is not None and self._is_measured(self.number):
            best = content if _best_kept_round(training, self.history) == self.number else best
        return TrainingState(self.number, content, tuple(self.history), best, complete)

    def _is_measured(self, number: int) -> bool:
        return bool(self.history) and self.history[-1].number == number

    def _make_leg(self) -> TrainingLeg:
        training, first = self.training, self.before.done
        inputs = training.data.inputs
        return TrainingLeg(
            data=training.data,
            held_out=training.held_out,
            loss=training.configured or training.loss,
            raw_loss=training.loss,
            form=training.form,
            units=training.units,
            first=first,
            rounds=self.end - first,
            total=training.total,
            seed=_leg_seed(training.seed, first),
            threads=1 if inputs is None or inputs.size < _SMALL else thread_count(),
            saved=self.before.content,
            batch_size=training.batch_size,
            loss_before=self.loss_before,
            measures=training.measures,
            report_round=self._report_outputs,
            report_rows=self._report_rows,
            schedule=training.schedule,
            cache=self.memory,
        )

    def _report_outputs(
        self, train: NDArray | None, held_out: NDArray | None, rate: float | None = None
    ) -> bool:
        """Take the raw outputs after a round; return whether the model is to stop."""
        training, first = self.training, self.before.done
        self.number += 1
        self.rate = training.model.parameters.get("learning_rate") if rate is None else rate
        if self.number > self.end:
            raise RunError(
                f"the model {training.model.name} reported round {self.number}, but this leg ends "
                f"with round {self.end}: leg.report_round is called once after each of leg.rounds."
            )
        lacks = train is None or (held_out is None and training.held_out is not None)
        if lacks and training.measures(self.number) and self.end > first + 1:
            raise RunError(
                f"the model {training.model.name} gave no raw outputs of all rows after round "
                f"{self.number}, which leg.measures says is measured."
            )
        if train is not None and not lacks and training.measures(self.number):
            other = None if held_out is None else np.asarray(held_out)
            self._keep_epoch(
                _measure_epoch(training, self.number, self.rate, np.asarray(train), other)
            )
            self.stopped = _is_out_of_patience(training, self.history)
        if training.training_mode != "epochs" and self.progress is not None:
            self.progress(self.number, training.total)
        return self.stopped

    def _keep_epoch(self, epoch: Epoch) -> None:
        loss, before = epoch.train.loss, self.loss_before
        most = math.inf if math.isnan(before) else divergence_limit(before)
        if not (math.isfinite(loss) and abs(loss) <= most):
            raise DivergenceError(
                f"The training diverged in {self.training.unit_name} {epoch.number}: the loss is "
                f"{loss:.6g}. {divergence_remedy(self.training)}"
            )
        self.history.append(epoch)

    def _report_rows(self, rows: int) -> None:
        """Report rows of the present epoch."""
        if self.progress is not None:
            each = len(self.training.data)
            self.progress(self.before.done * each + rows, self.training.total * each)


def _leg_seed(seed: int, first: int) -> int:
    """Return the seed of a leg after so many rounds."""
    if first == 0:
        return seed % _SEEDS
    return int(np.random.SeedSequence([seed, first]).generate_state(1)[0]) % _SEEDS


def _best_kept_round(training: Training, history: Sequence[Epoch]) -> int:
    """Return the number of the best round that there is a model of."""
    has_first = training.network is not None
    return best_round_of([epoch for epoch in history if epoch.number or has_first]).number


def predictor_of(training: Training, content: bytes) -> BlockPredictor:
    """Return the model that a leg has returned."""
    return training.model.load_predictor(content, training.card(content))


def _model_config(model: Model) -> dict[str, Any]:
    """Return a model as a configuration names it; its files without their folders."""
    files = file_fields(type(model))
    return {
        key: Path(value).name if key in files else value
        for key, value in model.to_config().items()
        if key != "file"
    }


def _result(training: Training, state: TrainingState) -> TrainingResult:
    model, content, stopped = training.model, state.content, _stop_reason(training, state)
    assert content is not None
    assert stopped is not None
    kept = state.done
    if training.patience is not None:
        kept = _best_kept_round(training, state.history)
    if kept < state.done and state.best is not None:
        content = state.best
    if kept < state.done or training.training_mode == "epochs":
        content = model.cut(content, kept)
    options: dict[str, Any] = {}
    if isinstance(model, DenseLearner):
        network = model.load_predictor(content)
        file = model.to_weights_file(content, training.record)
        options = {"predictor": network, "content": file, "file": WEIGHTS_FILE}
        options["moved"] = model.largest_changes(network)
    else:
        card = training.card(content)
        options = {
            "predictor": model.load_predictor(content, card),
            "content": content,
            "card": card,
        }
        options |= {"file": model.file_name, "model": _model_config(model)}
    return TrainingResult.from_training(
        training, history=state.history, kept_epoch=kept, stopped=stopped, **options
    )

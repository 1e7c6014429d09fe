"""The training loop: batches, gradients and steps, and a measurement after each epoch.

The result has the same bits for any number of cores: random choices depend on the seed only
(`lossfw.nn.seeding`), rows run in fixed blocks, and BLAS has one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from lossfw.data import Dataset
from lossfw.errors import ArgumentError, DivergenceError, DomainError, DtypeError, RunError
from lossfw.evaluation.evaluate import Progress, evaluate
from lossfw.evaluation.plan import Plan
from lossfw.evaluation.predictor import one_blas_thread
from lossfw.nn.backprop import LayerGradient, loss_and_gradients
from lossfw.nn.dense import Dense, Network
from lossfw.nn.optimizer import Optimizer, OptimizerState, OptimizerStep
from lossfw.nn.schedules import TrainingProgress
from lossfw.nn.seeding import Purpose, generator
from lossfw.nn.training.advice import DivergenceCheck, largest_of, remedy
from lossfw.nn.training.records import Epoch, Measurement, Training, TrainingResult, TrainingState
from lossfw.numerics.arrays import NDArray

# Called with the state after each epoch, also after epoch 0.
Save: TypeAlias = Callable[[TrainingState], None]

# Rows of a batch in a measurement; the result does not depend on it.
_MEASURED_ROWS = 4096


def train(
    training: Training,
    *,
    start: TrainingState | None = None,
    save: Save | None = None,
    progress: Progress | None = None,
) -> TrainingResult:
    """Train a network.

    Parameters
    ----------
    training : Training
        The training.
    start : TrainingState, optional
        The state to resume from; the result has the bits of a run without
        interruption.
    save : callable, optional
        Called with the state after each epoch, and before the first one.
    progress : callable, optional
        Called with the rows done and the rows in all.

    Raises
    ------
    DivergenceError
        If the loss or a weight is not finite, or has exploded. The states saved
        before are good.
    RunError
        If a prediction is outside the space of the loss.
    """
    try:
        with one_blas_thread(), np.errstate(all="ignore"):
            return _trained(training, _last_state(training, start, save, progress))
    except DivergenceError as error:
        if not (told := remedy(training.data)):
            raise
        raise DivergenceError(f"{error} {told}") from None


def _last_state(
    training: Training,
    start: TrainingState | None,
    save: Save | None,
    progress: Progress | None,
) -> TrainingState:
    """Return the state after all epochs, or after those that the patience allows."""
    total = training.epochs * len(training.data)
    state = start
    if state is None:
        state = _first_state(training)
        _notify(save, state)
    run = _Run(training, state.history[0])
    while state.epoch < training.epochs and not _out_of_patience(training, state):
        done = state.epoch * len(training.data)
        state = run.epoch(state, partial(_report_rows, progress, done, total))
        _notify(save, state)
    return state


def _notify(listener: Callable[..., None] | None, *news: Any) -> None:
    if listener is not None:
        listener(*news)


def _report_rows(progress: Progress | None, before: int, total: int, rows: int) -> None:
    _notify(progress, before + rows, total)


def _first_state(training: Training) -> TrainingState:
    network, start = training.network, partial(_start, training.optimizer)
    before = measure(training, network, 0, 0.0)
    DivergenceCheck(before).check(0, 0, before.learnt.loss, network.layers)
    memory = tuple((start(layer.weight), start(layer.bias)) for layer in network.layers)
    return TrainingState(network, memory, (before,), *_best(training, None, network, before))


def _start(optimizer: Optimizer, parameter: NDArray) -> OptimizerState:
    """Return the state of an optimizer before the first step."""
    memory: Any = optimizer.start(parameter)
    if not isinstance(memory, tuple):
        raise ArgumentError(
            f"start of the optimizer {optimizer.name} returned {_kind_of(memory)}; expected a "
            "tuple of arrays, () for none."
        )
    return memory


def _best(
    training: Training, state: TrainingState | None, network: Network, now: Epoch
) -> tuple[Network | None, int]:
    """Return the network with the least held-out loss so far, and its epoch."""
    if training.patience is None or now.held_out is None:
        return None, 0
    if state is None:
        return network, now.number
    before = state.history[state.best_epoch].held_out
    assert before is not None
    if now.held_out.loss < before.loss:
        return network, now.number
    return state.best, state.best_epoch


def _out_of_patience(training: Training, state: TrainingState) -> bool:
    patience = training.patience
    return patience is not None and state.epoch - state.best_epoch >= patience


def _trained(training: Training, state: TrainingState) -> TrainingResult:
    network = state.network if state.best is None else state.best
    pairs = zip(training.network.layers, network.layers, strict=True)
    return TrainingResult(
        network=network,
        history=state.history,
        kept_epoch=state.epoch if state.best is None else state.best_epoch,
        stopped="patience" if _out_of_patience(training, state) else "epochs",
        moved=tuple(_distance(before, after) for before, after in pairs),
        loss_name=training.loss.name,
        loss_text=str(training.loss),
        form=training.form,
        digest=training.digest,
        record=training.record,
    )


def _distance(before: Dense, after: Dense) -> float:
    """Return the largest change of a weight or bias."""
    moves = np.abs(after.weight - before.weight).max(), np.abs(after.bias - before.bias).max()
    return float(max(moves))


@contextmanager
def _inside(when: str) -> Iterator[None]:
    """Say in an error when a prediction left the space of the loss.

    Before any step (an empty `when`) the configuration is at fault.
    """
    try:
        yield
    except DomainError as error:
        hint = "Give the last layer an activation whose results stay inside."
        if when:
            raise RunError(f"{when}, a prediction left its space: {error} {hint}") from None
        raise type(error)(f"{error} {hint}") from None


def measure(training: Training, network: Network, epoch: int, rate: float) -> Epoch:
    """Evaluate a network on the training rows and on the held-out ones."""

    def measured(data: Dataset) -> Measurement:
        plan = Plan(
            data,
            training.loss,
            network,
            outputs_form=training.form,
            metrics=training.metrics,
            batch_size=_MEASURED_ROWS,
        )
        with _inside(f"After epoch {epoch}" if epoch else ""):
            result = evaluate(plan)
        return Measurement(result.loss, dict(result.metrics))

    return Epoch(
        number=epoch,
        rate=rate,
        largest=float(np.max([largest_of(layer) for layer in network.layers])),
        learnt=measured(training.data),
        held_out=None if training.held_out is None else measured(training.held_out),
    )


class _Run:
    """The steps of a training."""

    def __init__(self, training: Training, before: Epoch) -> None:
        self.training = training
        self.watch = DivergenceCheck(before)
        self.rows = _Rows(training.data, training.network.dtype)

    def epoch(self, state: TrainingState, progress: Callable[[int], None]) -> TrainingState:
        """Return the state after one more epoch."""
        training, network, memory = self.training, state.network, state.memory
        number = state.epoch + 1
        rate = 0.0
        for batch, index in enumerate(self._batches(number)):
            done = state.epoch * training.steps + batch
            moment = TrainingProgress(done, training.epochs * training.steps, state.epoch)
            rate = training.optimizer.learning_rate * training.schedule.factor(moment)
            loss, slopes = self._slopes(network, *index, number, batch + 1)
            network, memory = self._move(network, slopes, memory, OptimizerStep(done + 1, rate))
            self.watch.check(number, batch + 1, loss, network.layers)
            progress(min((batch + 1) * training.batch_size, len(training.data)))
        now = measure(training, network, number, rate)
        self.watch.check(number, 0, now.learnt.loss, network.layers)
        best = _best(training, state, network, now)
        return TrainingState(network, memory, (*state.history, now), *best)

    def _batches(self, epoch: int) -> Iterator[tuple[NDArray, NDArray | None]]:
        """Yield the numbers of the rows of each batch, and for a loss of groups that of each group.

        Of groups in a random order, a batch has those that begin within its rows.
        """
        training, random = self.training, generator(self.training.seed, Purpose.ORDER, epoch)
        groups, size = training.data.groups, training.batch_size
        if groups is None or not training.loss.takes_groups:
            order = random.permutation(len(training.data))
            for start in range(0, len(order), size):
                yield order[start : start + size], None
            return
        order = random.permutation(len(groups))
        sizes = np.diff(groups.starts)[order]
        batch = (np.cumsum(sizes) - sizes) // size
        for some in np.split(np.arange(len(order)), np.flatnonzero(np.diff(batch)) + 1):
            yield groups.rows_of(order[some]), np.repeat(some, sizes[some])

    def _slopes(
        self, network: Network, index: NDArray, group: NDArray | None, epoch: int, batch: int
    ) -> tuple[float, tuple[LayerGradient, ...]]:
        training = self.training
        with _inside(f"In epoch {epoch}, batch {batch}"):
            return loss_and_gradients(
                network, training.loss, training.form, *self.rows.take(index), group
            )

    def _move(
        self,
        network: Network,
        slopes: tuple[LayerGradient, ...],
        memory: tuple[tuple[OptimizerState, OptimizerState], ...],
        step: OptimizerStep,
    ) -> tuple[Network, tuple[tuple[OptimizerState, OptimizerState], ...]]:
        """Return the network after one step, and the state of the optimizer."""
        layers: list[Dense] = []
        new: list[tuple[OptimizerState, OptimizerState]] = []
        for layer, slope, (of_weight, of_bias) in zip(network.layers, slopes, memory, strict=True):
            weight, of_weight = self._moved(layer.weight, slope.weight, of_weight, step)
            bias, of_bias = self._moved(layer.bias, slope.bias, of_bias, step)
            layers.append(Dense(weight, bias, layer.activation))
            new.append((of_weight, of_bias))
        return Network(tuple(layers)), tuple(new)

    def _moved(
        self, parameter: NDArray, slope: NDArray, state: OptimizerState, step: OptimizerStep
    ) -> tuple[NDArray, OptimizerState]:
        optimizer = self.training.optimizer
        result: Any = optimizer.update(parameter, slope, state, step)
        if not (isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], tuple)):
            raise ArgumentError(
                f"update of the optimizer {optimizer.name} returned {_kind_of(result)}; expected "
                "the moved parameter and a tuple of arrays, its new state."
            )
        moved, state = result
        if moved.shape != parameter.shape or moved.dtype != parameter.dtype:
            raise DtypeError(
                f"the optimizer {optimizer.name} made {moved.dtype}{moved.shape} of a parameter of "
                f"{parameter.dtype}{parameter.shape}; shape and dtype should stay the same."
            )
        return moved, state


def _kind_of(result: Any) -> str:
    """Return what a function returned, in words."""
    if isinstance(result, tuple):
        return f"({', '.join(type(one).__name__ for one in result)})"
    return "None" if result is None else f"a {type(result).__name__}"


class _Rows:
    """Rows by their numbers, inputs in the network's dtype."""

    def __init__(self, data: Dataset, dtype: np.dtype[Any]) -> None:
        assert data.inputs is not None  # checked when the training is built
        self.data, self.dtype = data, dtype
        mapped = isinstance(data.inputs, np.memmap)
        # Converted once; mapped rows are read and checked batch by batch.
        self.inputs = None if mapped else np.ascontiguousarray(data.inputs, dtype)

    def take(self, index: NDArray) -> tuple[NDArray, NDArray, NDArray | None]:
        """Return inputs, targets and sample weights of some rows."""
        if self.inputs is None:
            part = self.data.take(index)
            assert part.inputs is not None
            return part.inputs.astype(self.dtype), part.targets, part.sample_weight
        weight = self.data.sample_weight
        taken = None if weight is None else weight[index]
        return self.inputs[index], self.data.targets[index], taken

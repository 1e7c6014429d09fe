"""The steps of a training of dense layers: batches, gradients, and moves of an optimizer.

The result has the same bits for any number of cores: random choices depend on the seed only
(`lossfw.nn.seeding`), rows run in fixed blocks, and BLAS has one thread.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from lossfw.data import Dataset
from lossfw.data.state_file import SavedState
from lossfw.errors import ArgumentError, DataError, DtypeError
from lossfw.losses.base import Form
from lossfw.losses.loss import Loss
from lossfw.nn.backprop import LayerGradient, loss_and_gradients
from lossfw.nn.dense import Dense, Network
from lossfw.nn.optimizer import Optimizer, OptimizerState, OptimizerStep
from lossfw.nn.schedules import Schedule, TrainingProgress
from lossfw.nn.seeding import Purpose, generator
from lossfw.nn.training.advice import DivergenceCheck, explain_domain_errors
from lossfw.numerics.arrays import NDArray

# The state of an optimizer for each layer's weight and bias.
_Memory: TypeAlias = tuple[tuple[OptimizerState, OptimizerState], ...]


@dataclass(frozen=True, eq=False)
class NetworkState:
    """A network between two epochs, and the state of its optimizer."""

    network: Network
    memory: _Memory

    @classmethod
    def initial(cls, network: Network, optimizer: Optimizer) -> NetworkState:
        """Return the state before the first step."""
        return cls(
            network,
            tuple(
                (_initial_state(optimizer, layer.weight), _initial_state(optimizer, layer.bias))
                for layer in network.layers
            ),
        )

    def to_bytes(self) -> bytes:
        """Return the state for a checkpoint."""
        arrays = self.network.named_arrays
        for number, (of_weight, of_bias) in enumerate(self.memory, start=1):
            for name, memory in ((f"W{number}", of_weight), (f"b{number}", of_bias)):
                arrays |= {f"{name}.{i}": array for i, array in enumerate(memory)}
        return SavedState({}, arrays).to_bytes()

    @classmethod
    def from_bytes(cls, content: bytes, like: Network, optimizer: Optimizer) -> NetworkState:
        """Return the state that `to_bytes` wrote, of a network like another.

        Raises
        ------
        DataError
            If something is missing in it.
        """
        try:
            arrays = SavedState.from_bytes(content).arrays
        except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile):
            raise DataError("the network in it cannot be read") from None
        layers, memory = [], []
        for number, layer in enumerate(like.layers, start=1):
            parts = {f"W{number}": layer.weight, f"b{number}": layer.bias}
            weight, bias = (_array(arrays, name, part) for name, part in parts.items())
            layers.append(Dense(weight, bias, layer.activation))
            of_weight, of_bias = (
                _read_state(arrays, name, len(optimizer.initial_state(part)))
                for name, part in parts.items()
            )
            memory.append((of_weight, of_bias))
        return cls(Network(tuple(layers)), tuple(memory))


def _array(arrays: Mapping[str, NDArray], name: str, like: NDArray) -> NDArray:
    array = arrays.get(name)
    if array is None or (array.shape, array.dtype) != (like.shape, like.dtype):
        raise DataError(f"it lacks {name} of layers.{int(name[1:]) - 1}")
    return np.ascontiguousarray(array)


def _read_state(arrays: Mapping[str, NDArray], name: str, count: int) -> OptimizerState:
    stored = [arrays.get(f"{name}.{number}") for number in range(count)]
    if any(array is None for array in stored):
        raise DataError(f"it lacks the optimizer's state of {name}")
    return tuple(array for array in stored if array is not None)


def _initial_state(optimizer: Optimizer, parameter: NDArray) -> OptimizerState:
    """Return the state of an optimizer before the first step."""
    memory: Any = optimizer.initial_state(parameter)
    if not isinstance(memory, tuple):
        raise ArgumentError(
            f"initial_state of the optimizer {optimizer.name} returned {_describe(memory)}; "
            "expected a tuple of arrays, () for none."
        )
    return memory


@dataclass(frozen=True, eq=False)
class Steps:
    """The steps of a training, whose options are those of a `Training`."""

    data: Dataset
    loss: Loss
    form: Form
    optimizer: Optimizer
    schedule: Schedule
    epochs: int
    batch_size: int
    seed: int
    watch: DivergenceCheck
    dtype: np.dtype[Any]

    @cached_property
    def _inputs(self) -> NDArray | None:
        """The inputs in the network's dtype; None where each batch is read from a file."""
        inputs = self.data.inputs
        assert inputs is not None  # checked when the training is built
        return None if isinstance(inputs, np.memmap) else np.ascontiguousarray(inputs, self.dtype)

    def _rows(self, index: NDArray) -> tuple[NDArray, NDArray, NDArray | None]:
        """Return inputs, targets and sample weights of some rows."""
        if self._inputs is None:
            part = self.data.take(index)
            assert part.inputs is not None
            return part.inputs.astype(self.dtype), part.targets, part.sample_weight
        weight = self.data.sample_weight
        taken = None if weight is None else weight[index]
        return self._inputs[index], self.data.targets[index], taken

    def run_epoch(
        self, state: NetworkState, number: int, seen: Callable[[int], object]
    ) -> tuple[NetworkState, float]:
        """Return the state after an epoch, counted from 1, and its last learning rate.

        `seen` is called with the number of rows of this epoch that are done.
        """
        network, memory, rate = state.network, state.memory, 0.0
        # Of whole groups there may be fewer steps.
        steps = -(-len(self.data) // self.batch_size)
        for batch, (index, group) in enumerate(self.batches(number)):
            done = (number - 1) * steps + batch
            moment = TrainingProgress(done, self.epochs * steps, number - 1)
            rate = self.optimizer.learning_rate * self.schedule.factor(moment)
            with explain_domain_errors(f"In epoch {number}, batch {batch + 1}"):
                loss, gradients = loss_and_gradients(
                    network, self.loss, self.form, *self._rows(index), group
                )
            network, memory = self._take_step(
                network, gradients, memory, OptimizerStep(done + 1, rate)
            )
            self.watch.check(number, batch + 1, loss, network.layers)
            seen(min((batch + 1) * self.batch_size, len(self.data)))
        return NetworkState(network, memory), rate

    def batches(self, epoch: int) -> Iterator[tuple[NDArray, NDArray | None]]:
        """Yield the numbers of the rows of each batch, and for a loss of groups that of each group.

        Groups are in random order, and a batch has those that begin within its rows.
        """
        random = generator(self.seed, Purpose.ORDER, epoch)
        groups, size = self.data.groups, self.batch_size
        if groups is None or not self.loss.takes_groups:
            order = random.permutation(len(self.data))
            for start in range(0, len(order), size):
                yield order[start : start + size], None
            return
        yield from groups.batches(random.permutation(len(groups)), size)

    def _take_step(
        self,
        network: Network,
        gradients: tuple[LayerGradient, ...],
        memory: _Memory,
        step: OptimizerStep,
    ) -> tuple[Network, _Memory]:
        """Return the network after one step, and the state of the optimizer."""
        layers: list[Dense] = []
        new: list[tuple[OptimizerState, OptimizerState]] = []
        for layer, gradient, (of_weight, of_bias) in zip(
            network.layers, gradients, memory, strict=True
        ):
            weight, of_weight = self._update_parameter(
                layer.weight, gradient.weight, of_weight, step
            )
            bias, of_bias = self._update_parameter(layer.bias, gradient.bias, of_bias, step)
            layers.append(Dense(weight, bias, layer.activation))
            new.append((of_weight, of_bias))
        return Network(tuple(layers)), tuple(new)

    def _update_parameter(
        self, parameter: NDArray, gradient: NDArray, state: OptimizerState, step: OptimizerStep
    ) -> tuple[NDArray, OptimizerState]:
        optimizer = self.optimizer
        result: Any = optimizer.update(parameter, gradient, state, step)
        if not (isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], tuple)):
            raise ArgumentError(
                f"update of the optimizer {optimizer.name} returned {_describe(result)}; expected "
                "the moved parameter and a tuple of arrays, its new state."
            )
        moved, state = result
        if moved.shape != parameter.shape or moved.dtype != parameter.dtype:
            raise DtypeError(
                f"the optimizer {optimizer.name} made {moved.dtype}{moved.shape} of a parameter of "
                f"{parameter.dtype}{parameter.shape}; shape and dtype should stay the same."
            )
        return moved, state


def _describe(result: Any) -> str:
    """Return what a function returned, in words."""
    if isinstance(result, tuple):
        return f"({', '.join(type(one).__name__ for one in result)})"
    return "None" if result is None else f"a {type(result).__name__}"

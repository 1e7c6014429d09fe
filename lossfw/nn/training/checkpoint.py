"""Checkpoint: the state of a training, in one file from which it is resumed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lossfw.data.state_file import SavedState
from lossfw.errors import DataError
from lossfw.nn.dense import Dense, Network
from lossfw.nn.optimizer import OptimizerState
from lossfw.nn.training.records import Epoch, Training, TrainingState
from lossfw.numerics.arrays import NDArray

CHECKPOINT_FILE = "checkpoint.npz"
WEIGHTS_FILE = "weights.npz"

# Version of the file.
CHECKPOINT_VERSION = 2

_BEST = "best."


def to_bytes(training: Training, state: TrainingState) -> bytes:
    """Return a checkpoint as it is written to a file."""
    arrays = state.network.named_arrays
    for number, (of_weight, of_bias) in enumerate(state.memory, start=1):
        for name, memory in ((f"W{number}", of_weight), (f"b{number}", of_bias)):
            arrays |= {f"{name}.{i}": array for i, array in enumerate(memory)}
    if state.best is not None:
        arrays |= {_BEST + name: array for name, array in state.best.named_arrays.items()}
    header = {
        "version": CHECKPOINT_VERSION,
        "identity": dict(training.identity),
        "history": [epoch.to_dict() for epoch in state.history],
        "best_epoch": state.best_epoch,
    }
    return SavedState(header, arrays).to_bytes()


def read(path: Path, training: Training) -> TrainingState:
    """Return the state of a training from a checkpoint that the same training wrote."""
    header, arrays = _saved(path)
    identity, history, best_epoch = _progress(header, path)
    _check_identity(identity, training.identity, path)
    if history[-1].number > training.epochs:
        raise DataError(
            f"{path} already has {history[-1].number} epochs and train.epochs is "
            f"{training.epochs}: raise train.epochs, or train again without --resume."
        )
    best = _network(training, arrays, path, _BEST) if f"{_BEST}W1" in arrays else None
    return TrainingState(
        network=_network(training, arrays, path),
        memory=_memories(training, arrays, path),
        history=history,
        best=best,
        best_epoch=best_epoch,
    )


def _saved(path: Path) -> SavedState:
    try:
        return SavedState.read(path)
    except DataError as error:
        # The rest of the message tells how to write an archive by hand.
        reason = str(error).partition(";")[0].rstrip(".")
        raise DataError(f"{reason}: train again without --resume.") from None
    except ValueError:
        raise _no_checkpoint(path) from None


def _progress(header: Any, path: Path) -> tuple[Mapping[str, str], tuple[Epoch, ...], int]:
    """Return the training's identity, its history and the best epoch."""
    try:
        version = header["version"]
        if version == CHECKPOINT_VERSION:
            history = tuple(Epoch.from_dict(epoch) for epoch in header["history"])
            return dict(header["identity"]), history, history[header["best_epoch"]].number
    except (ValueError, TypeError, KeyError, IndexError):
        raise _no_checkpoint(path) from None
    raise DataError(
        f"{path} is a checkpoint of version {version!r}, and this lossfw reads version "
        f"{CHECKPOINT_VERSION}: train again without --resume."
    )


def _no_checkpoint(path: Path) -> DataError:
    return DataError(f"{path} is not a checkpoint of lossfw: train again without --resume.")


def _check_identity(then: Mapping[str, str], now: Mapping[str, str], path: Path) -> None:
    """Refuse the checkpoint of another training."""
    changed = [key for key in {**then, **now} if then.get(key) != now.get(key)]
    if changed:
        raise DataError(
            f"{path} is the checkpoint of another training: {', '.join(changed)} "
            f"{'differs' if len(changed) == 1 else 'differ'}. Take the change back, or train again "
            "without --resume."
        )


def _network(
    training: Training, arrays: Mapping[str, NDArray], path: Path, prefix: str = ""
) -> Network:
    layers = []
    for number, layer in enumerate(training.network.layers, start=1):
        stored = [arrays.get(f"{prefix}{letter}{number}") for letter in "Wb"]
        for wanted, array in zip((layer.weight, layer.bias), stored, strict=True):
            if array is None or (array.shape, array.dtype) != (wanted.shape, wanted.dtype):
                raise DataError(
                    f"{path} lacks W{number} or b{number} of layers.{number - 1}: train again."
                )
        weight, bias = (np.ascontiguousarray(array) for array in stored)
        layers.append(Dense(weight, bias, layer.activation))
    return Network(tuple(layers))


def _memories(
    training: Training, arrays: Mapping[str, NDArray], path: Path
) -> tuple[tuple[OptimizerState, OptimizerState], ...]:
    """Return the state of the optimizer for each layer."""

    def memory(name: str, parameter: NDArray) -> OptimizerState:
        wanted = len(training.optimizer.start(parameter))
        stored = [arrays.get(f"{name}.{number}") for number in range(wanted)]
        if any(array is None for array in stored):
            raise DataError(f"{path} lacks the optimizer's state of {name}: train again.")
        return tuple(array for array in stored if array is not None)

    return tuple(
        (memory(f"W{number}", layer.weight), memory(f"b{number}", layer.bias))
        for number, layer in enumerate(training.network.layers, start=1)
    )

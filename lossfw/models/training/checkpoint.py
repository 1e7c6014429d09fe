"""Checkpoint: the state of a training in one file, to resume from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lossfw.data.state_file import SavedState
from lossfw.errors import DataError
from lossfw.models.training.loop import predictor_of
from lossfw.models.training.records import Epoch, Training, TrainingState
from lossfw.numerics.arrays import NDArray

CHECKPOINT_FILE = "checkpoint.npz"

# Version of the file.
CHECKPOINT_VERSION = 3

# The arrays with the bytes of the model, and of the best one.
_MODEL, _BEST = "model", "best"


def is_due(training: Training, state: TrainingState) -> bool:
    """Tell whether a training can be resumed from a state.

    It cannot from a training that ended in the middle of a leg: with more rounds, the leg would
    have continued with its seed.
    """
    return state.done % training.leg == 0


def to_bytes(training: Training, state: TrainingState) -> bytes:
    """Return the content of a checkpoint file."""
    contents = {_MODEL: state.content, _BEST: state.best}
    header = {
        "version": CHECKPOINT_VERSION,
        "identity": dict(training.identity),
        "done": state.done,
        "history": [epoch.to_dict() for epoch in state.history],
    }
    arrays = {
        name: np.frombuffer(content, np.uint8)
        for name, content in contents.items()
        if content is not None
    }
    return SavedState(header, arrays).to_bytes()


def read(path: Path, training: Training) -> TrainingState:
    """Return the state of a training from its checkpoint."""
    header, arrays = _saved_states(path)
    identity, done, history = _progress(header, path)
    _check_identity(identity, training.identity, path)
    if done > training.total:
        key = f"train.{training.training_mode}"
        raise DataError(
            f"{path} already has {done} {training.unit_name}s and {key} is {training.total}: raise "
            f"{key}, or train again without --resume."
        )
    state = TrainingState(
        done, _stored_content(arrays, _MODEL), history, _stored_content(arrays, _BEST)
    )
    _check_content(training, state, path)
    return state


def _stored_content(arrays: Mapping[str, NDArray], name: str) -> bytes | None:
    return arrays[name].tobytes() if name in arrays else None


def _check_content(training: Training, state: TrainingState, path: Path) -> None:
    """See that the models of a checkpoint can be read."""
    try:
        if state.content is None and (state.done or training.network is not None):
            raise DataError("it has no model")
        for content in (state.content, state.best):
            if content is not None:
                predictor_of(training, content)
    except DataError as error:
        reason = str(error).rstrip(".")
        raise DataError(f"{path}: {reason}: train again without --resume.") from None


def _saved_states(path: Path) -> SavedState:
    try:
        return SavedState.read(path)
    except DataError as error:
        # The rest of the message tells how to write an archive by hand.
        reason = str(error).partition(";")[0].rstrip(".")
        raise DataError(f"{reason}: train again without --resume.") from None
    except ValueError:
        raise _not_a_checkpoint_error(path) from None


def _progress(header: Any, path: Path) -> tuple[Mapping[str, str], int, tuple[Epoch, ...]]:
    """Return the training's identity, the rounds that are done, and its history."""
    try:
        version = header["version"]
        if version == CHECKPOINT_VERSION:
            history = tuple(Epoch.from_dict(epoch) for epoch in header["history"])
            return dict(header["identity"]), int(header["done"]), history
    except (ValueError, TypeError, KeyError, IndexError):
        raise _not_a_checkpoint_error(path) from None
    raise DataError(
        f"{path} is a checkpoint of version {version!r}, but this lossfw reads version "
        f"{CHECKPOINT_VERSION}: train again without --resume."
    )


def _not_a_checkpoint_error(path: Path) -> DataError:
    return DataError(f"{path} is not a checkpoint of lossfw: train again without --resume.")


def _check_identity(stored: Mapping[str, str], current: Mapping[str, str], path: Path) -> None:
    """Refuse the checkpoint of another training."""
    changed = [key for key in {**stored, **current} if stored.get(key) != current.get(key)]
    if changed:
        raise DataError(
            f"{path} is the checkpoint of another training: {', '.join(changed)} "
            f"{'differs' if len(changed) == 1 else 'differ'}. Take the change back, or train again "
            "without --resume."
        )

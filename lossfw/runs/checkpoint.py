"""Checkpoint: the state of an unfinished run, in one file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lossfw.data.state_file import SavedState
from lossfw.errors import DataError
from lossfw.evaluation.plan import Plan
from lossfw.runs.rows_parts import PartFile

# Not the name of a training's checkpoint, which may lie in the same folder.
CHECKPOINT_FILE = "partials.npz"

# Version of the file.
CHECKPOINT_VERSION = 7


class Checkpoint(NamedTuple):
    """The content of a checkpoint.

    Attributes
    ----------
    identity : mapping of str to str
        The identity of the run; see `identity_of`.
    written : int
        Bytes of the file of rows for the rows that are done.
    parts : tuple of PartFile
        The files of these rows, where they are in parts.
    seconds : float
        Seconds that the run had taken.
    state : SavedState
        The state of the evaluation; see `lossfw.evaluation.state.EvaluationState.pack`.
    """

    identity: Mapping[str, str]
    written: int
    parts: tuple[PartFile, ...]
    seconds: float
    state: SavedState


def identity_of(plan: Plan) -> dict[str, str]:
    """Return the properties of a run that decide the bits of its result.

    A checkpoint is used only if all of them are equal. The digest depends on configuration,
    plugins and data; another version of NumPy may round differently.
    """
    return {
        "version": str(CHECKPOINT_VERSION),
        "digest": plan.digest,
        "rows": str(plan.rows),
        "intervals": repr(plan.intervals),
        "slices": repr(plan.slices),
        "numpy": np.__version__,
    }


def to_bytes(checkpoint: Checkpoint) -> bytes:
    """Return a checkpoint as it is written to a file."""
    header = {
        "identity": dict(checkpoint.identity),
        "written": checkpoint.written,
        "parts": [list(part) for part in checkpoint.parts],
        "seconds": checkpoint.seconds,
        "state": checkpoint.state.header,
    }
    return SavedState(header, checkpoint.state.arrays).to_bytes()


def read(folder: Path, plan: Plan) -> Checkpoint | None:
    """Return the checkpoint in a folder, None if there is none of this run.

    Raises
    ------
    DataError
        If the file is damaged; an interruption does not damage it.
    """
    path = folder / CHECKPOINT_FILE
    if not path.exists():
        return None
    try:
        header, arrays = SavedState.read(path)
        state = SavedState(header["state"], arrays)
        parts = tuple(PartFile(*part) for part in header["parts"])
        kept = Checkpoint(header["identity"], header["written"], parts, header["seconds"], state)
    except (DataError, ValueError, TypeError, LookupError):
        raise DataError(
            f"{path} is no checkpoint of a run, or damaged: run without --resume, which begins "
            "anew."
        ) from None
    return kept if kept.identity == identity_of(plan) else None

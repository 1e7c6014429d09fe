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
from lossfw.runs.rows_writer import RowsPiece

# Not the name of a training's checkpoint, which may lie in the same folder.
CHECKPOINT_FILE = "partials.npz"

# Version of the file.
CHECKPOINT_VERSION = 8


class Checkpoint(NamedTuple):
    """The content of a checkpoint.

    Attributes
    ----------
    identity : mapping of str to str
        The identity of the run; see `identity_of`.
    pieces : tuple of RowsPiece
        Those of the file of rows, for the rows that are done.
    parts : tuple of PartFile
        The files of these rows, where they are in parts.
    notes : tuple of str
        What the reader of the result is told about the way to it.
    seconds : float
        Seconds that the run had taken.
    state : SavedState
        The state of the evaluation; see `lossfw.evaluation.state.EvaluationState.pack`.
    """

    identity: Mapping[str, str]
    pieces: tuple[RowsPiece, ...]
    parts: tuple[PartFile, ...]
    notes: tuple[str, ...]
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
        "columns": repr(plan.columns),
        "numpy": np.__version__,
    }


def to_bytes(checkpoint: Checkpoint) -> bytes:
    """Return a checkpoint as it is written to a file."""
    header = {
        "identity": dict(checkpoint.identity),
        "pieces": [list(piece) for piece in checkpoint.pieces],
        "parts": [list(part) for part in checkpoint.parts],
        "notes": list(checkpoint.notes),
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
        if dict(header["identity"]) != identity_of(plan):
            return None
        return Checkpoint(
            header["identity"],
            tuple(RowsPiece(*piece) for piece in header["pieces"]),
            tuple(PartFile(*part) for part in header["parts"]),
            tuple(map(str, header["notes"])),
            header["seconds"],
            SavedState(header["state"], arrays),
        )
    except (DataError, ValueError, TypeError, LookupError):
        raise DataError(
            f"{path} is not a checkpoint of a run, or damaged: run without --resume, which starts "
            "over."
        ) from None

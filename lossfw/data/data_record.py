"""DataRecord: what a weights file says about the data of its training."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lossfw.data.memory_file import MemoryFile
from lossfw.data.npy import NPZ_MAGIC, read_npz
from lossfw.data.standardisation import MEAN, SCALE, Standardisation
from lossfw.errors import DataError
from lossfw.numerics.arrays import NDArray

# The array of a `.npz` with the labels of the classes, in the order of the outputs.
CLASSES = "classes"
# The array of a `.npz` with the names of the columns that the weights were trained on.
COLUMNS = "inputs_columns"
# The array of a `.npz` with the number that the inputs were divided by: 1 for none.
DIVISOR = "inputs_divisor"
# The array of a `.npz` with the categories of each column of texts, as JSON.
CATEGORIES = "inputs_categories"
# The arrays in a file of weights that are not weights.
RECORDED = frozenset({CLASSES, COLUMNS, DIVISOR, CATEGORIES, MEAN, SCALE})


@dataclass(frozen=True, eq=False)
class DataRecord:
    """What later data must match; it is stored with the weights in a ``.npz`` file.

    Examples
    --------
    >>> DataRecord(classes=("cat", "dog"), divisor=255.0).arrays["inputs_divisor"]
    array(255.)
    """

    # The labels of the classes, in the order of the outputs.
    classes: tuple[str, ...] = ()
    # The names of the inputs, in order.
    columns: tuple[str, ...] = ()
    # The number that the inputs were divided by; None if it is not known.
    divisor: float | None = None
    # The categories of each column of texts, in the order of their inputs.
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # The change of the inputs.
    standardisation: Standardisation | None = None

    @classmethod
    def read(cls, path: Path) -> DataRecord:
        """Read the record stored with weights; only a ``.npz`` file has one."""
        if isinstance(path, MemoryFile):
            held = path.held if isinstance(path.held, dict) else {}
            return cls._read_record(held, held, path)
        with path.open("rb") as stream:
            if not stream.read(len(NPZ_MAGIC)).startswith(NPZ_MAGIC):
                return cls()
        texts = read_npz(path, "weights", RECORDED - {MEAN, SCALE}, strings=True)
        return cls._read_record(texts, read_npz(path, "weights", {MEAN, SCALE}), path)

    @classmethod
    def _read_record(
        cls, arrays: Mapping[str, NDArray], numbers: Mapping[str, NDArray], path: Path
    ) -> DataRecord:
        return cls(
            _read_names(arrays.get(CLASSES), f"{path}: {CLASSES}", "label for each class"),
            _read_names(arrays.get(COLUMNS), f"{path}: {COLUMNS}", "name for each input"),
            _read_divisor(arrays.get(DIVISOR), path),
            _read_categories(arrays.get(CATEGORIES), path),
            Standardisation.read(numbers, path),
        )

    @property
    def arrays(self) -> dict[str, NDArray]:
        """The arrays that are stored with weights, by name."""
        arrays: dict[str, NDArray] = {}
        if self.classes:
            arrays[CLASSES] = np.array(self.classes)
        if self.columns and len(set(self.columns)) == len(self.columns):
            arrays[COLUMNS] = np.array(self.columns)
        if self.divisor is not None:
            arrays[DIVISOR] = np.array(self.divisor)
        if self.categories:
            arrays[CATEGORIES] = np.array(json.dumps(self.categories))
        if self.standardisation is not None:
            arrays |= self.standardisation.arrays
        return arrays


def _read_names(array: NDArray | None, location: str, expected: str) -> tuple[str, ...]:
    if array is None:
        return ()
    names = tuple(
        f"{label:.17g}" if array.dtype.kind == "f" else str(label) for label in array.flat
    )
    if array.ndim != 1 or len(set(names)) != len(names):
        raise DataError(
            f"{location} should be one {expected}, all different; it has the shape {array.shape}."
        )
    return names


def _read_divisor(array: NDArray | None, path: Path) -> float | None:
    if array is None:
        return None
    if array.size != 1 or array.dtype.kind not in "fiu":
        raise DataError(f"{path}: {DIVISOR} should be one number; it has shape {array.shape}.")
    divisor = float(array.reshape(-1)[0])
    if not (math.isfinite(divisor) and divisor > 0):
        raise DataError(f"{path}: {DIVISOR} should be finite and above 0; it is {divisor}.")
    return divisor


def _read_categories(array: NDArray | None, path: Path) -> dict[str, tuple[str, ...]]:
    if array is None:
        return {}
    told = f"{path}: {CATEGORIES} should be a JSON object with a list of strings for each column."
    try:
        plain = json.loads(str(array.reshape(-1)[0])) if array.size == 1 else None
    except (ValueError, RecursionError):
        plain = None
    if not isinstance(plain, dict):
        raise DataError(told)
    for labels in plain.values():
        texts = isinstance(labels, list) and all(isinstance(label, str) for label in labels)
        if not texts or len(set(labels)) != len(labels) or not labels:
            raise DataError(told)
    return {name: tuple(labels) for name, labels in plain.items()}

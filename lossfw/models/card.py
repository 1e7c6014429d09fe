"""Card: what lossfw writes next to the file of a model it has trained."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, PositiveInt, ValidationError

from lossfw.data.data_record import DataRecord
from lossfw.data.standardisation import MEAN, SCALE, Standardisation
from lossfw.errors import DataError

# The file of a card, in the folder of the model's file.
CARD_FILE = "model.json"
# The key by which a JSON object is a card, with the version of its other keys. Models of XGBoost
# and CatBoost may be called `model.json` as well.
CARD_KEY, CARD_VERSION = "lossfw_card", 1
# The digest of all other keys: a card that was changed by hand is not one of a training.
_DIGEST = "digest"
_Hexadecimal = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


def sha256(content: bytes) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


class Card(NamedTuple):
    """What the file of a library does not say about a model that lossfw has trained.

    Attributes
    ----------
    output_activation : str or None
        The activation that makes predictions of the raw outputs; None if they are predictions.
    units : int
        Number of raw outputs per row.
    library : str
        The library that wrote the file, with its version: ``"xgboost 3.2.0"``.
    sha256 : str
        Hash of the file, in hexadecimal: the card belongs only to this file.
    record : DataRecord
        What later data must match: names of the inputs, classes, categories, scales.
    file : str
        The name that the training gave to the file.
    row_shape : tuple of int, optional
        The shape of the inputs of a row.
    """

    output_activation: str | None
    units: int
    library: str
    sha256: str
    record: DataRecord = DataRecord()
    file: str = ""
    row_shape: tuple[int, ...] | None = None

    @classmethod
    def read(cls, path: Path) -> Card | None:
        """Return the card in a file; None if there is no file, or it is not a card.

        Raises
        ------
        DataError
            If it is a card that was changed or damaged, or that has another version.
        """
        try:
            content = path.read_bytes()
        except (FileNotFoundError, IsADirectoryError):
            return None
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror}.") from None
        # A large model of XGBoost with this name is not parsed.
        if f'"{CARD_KEY}"'.encode() not in content:
            return None
        try:
            plain = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise _unusable_error(path, f"it is not JSON ({error})") from None
        if not isinstance(plain, dict) or CARD_KEY not in plain:
            return None
        return cls._from_dict(plain, path)

    @classmethod
    def find(cls, file: Path, content: bytes) -> Card | None:
        """Return the card of a file with this content; None if the folder has no card.

        Raises
        ------
        DataError
            If the card belongs to another content, or cannot be used.
        """
        path = file.parent / CARD_FILE
        card = cls.read(path)
        if card is None or card.sha256 == sha256(content):
            return card
        raise DataError(
            f"{path} is the card of {card.file} from a training of lossfw, but {file.name} has "
            "different content: it was saved again or damaged, or it is another model. So output "
            "activation, classes and standardisation on the card may not apply. Use the file that "
            f"the training wrote; or write card: ignore to read {file.name} as a model without a "
            "card."
        )

    def to_dict(self, file: str) -> dict[str, Any]:
        """Return the card of a file of this name as plain numbers, texts and lists, for JSON."""
        record, standardisation = self.record, self.record.standardisation
        plain: dict[str, Any] = {
            CARD_KEY: CARD_VERSION,
            "file": file,
            "sha256": self.sha256,
            "library": self.library,
            "output_activation": self.output_activation,
            "units": self.units,
            "columns": list(record.columns),
            "classes": list(record.classes),
            "categories": {name: list(labels) for name, labels in record.categories.items()},
            "divisor": record.divisor,
        }
        if self.row_shape is not None:
            plain["row_shape"] = list(self.row_shape)
        if standardisation is not None:
            plain |= {name: x.tolist() for name, x in standardisation.arrays.items()}
        return plain | {_DIGEST: _digest(plain)}

    @classmethod
    def _from_dict(cls, plain: dict[str, Any], path: Path) -> Card:
        if plain[CARD_KEY] != CARD_VERSION:
            raise _unusable_error(
                path, f"it has version {plain[CARD_KEY]!r}, but this lossfw reads {CARD_VERSION}"
            )
        if plain.get(_DIGEST) != _digest(plain):
            raise _unusable_error(path, "it was changed after the training: its digest differs")
        try:
            found = _CardKeys.model_validate(plain)
            numbers = {name: np.array(plain[name]) for name in (MEAN, SCALE) if name in plain}
            if any(array.dtype.kind not in "fiu" for array in numbers.values()):
                raise ValueError(f"{MEAN} and {SCALE} should be numbers")
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise _unusable_error(path, f"{where}: {first['msg']}") from None
        except ValueError as error:
            raise _unusable_error(path, str(error)) from None
        record = DataRecord(
            classes=tuple(found.classes),
            columns=tuple(found.columns),
            divisor=found.divisor,
            categories={name: tuple(labels) for name, labels in found.categories.items()},
            standardisation=Standardisation.read(numbers, path),
        )
        shape = None if found.row_shape is None else tuple(found.row_shape)
        return cls(
            found.output_activation,
            found.units,
            found.library,
            found.sha256,
            record,
            found.file,
            shape,
        )

    def mismatch(self, library: str, row_shape: tuple[int, ...], units: int) -> str | None:
        """Return why the card does not fit a model; None if it fits.

        Parameters
        ----------
        library : str
            The library of the model, with its version.
        row_shape : tuple of int
            The shape of the inputs of a row.
        units : int
            Number of raw outputs per row.
        """
        columns, change = self.record.columns, self.record.standardisation
        if self.library.partition(" ")[0] != library.partition(" ")[0]:
            return f"the card belongs to a {self.library} model, but this is a {library} model"
        if self.units != units:
            return f"the card has {self.units} raw outputs per row, but the model has {units}"
        if columns and len(row_shape) == 1:
            # Categories that became one-hot inputs are not among the columns.
            fits = len(columns) <= row_shape[0] if self.record.categories else None
            if not (len(columns) == row_shape[0] or fits):
                taken = f"the model takes {row_shape[0]} inputs"
                return f"the card has {len(columns)} columns, but {taken}"
        if change is not None and change.mean.shape != row_shape:
            scaled = f"the card scales rows of shape {change.mean.shape}"
            return f"{scaled}, but the model takes rows of shape {row_shape}"
        return None


class _CardKeys(BaseModel):
    """The keys of a card; that of the standardisation are read by itself."""

    model_config = ConfigDict(strict=True, extra="forbid")

    lossfw_card: Literal[1]
    file: Annotated[str, Field(min_length=1)]
    sha256: _Hexadecimal
    library: Annotated[str, Field(min_length=1)]
    output_activation: Annotated[str, Field(min_length=1)] | None
    units: PositiveInt
    columns: list[str]
    classes: list[str]
    categories: dict[str, list[str]]
    divisor: Annotated[FiniteFloat, Field(gt=0)] | None
    row_shape: list[PositiveInt] | None = None
    inputs_mean: Any = None
    inputs_scale: Any = None
    digest: _Hexadecimal


def _digest(plain: Mapping[str, Any]) -> str:
    """Return the digest of all keys of a card except that of the digest itself."""
    rest = {key: value for key, value in plain.items() if key != _DIGEST}
    return sha256(json.dumps(rest, sort_keys=True).encode())


def _unusable_error(path: Path, reason: str) -> DataError:
    return DataError(
        f"{path} is a lossfw model card that cannot be used: {reason}. Use the card that the "
        "training wrote; or write card: ignore to read the model without its card."
    )

"""Card: what lossfw writes beside the file of a model that it has trained."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lossfw.data.data_record import DataRecord
from lossfw.data.standardisation import MEAN, SCALE, Standardisation
from lossfw.errors import DataError

# The file of a card, in the folder of the model's file.
CARD_FILE = "model.json"
# Version of the JSON object in it.
CARD_VERSION = 1


def sha256(content: bytes) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


class Card(NamedTuple):
    """What the file of a library does not say of a model that lossfw has trained.

    Attributes
    ----------
    link : str or None
        The activation that makes predictions of the raw outputs; None if they are predictions.
    units : int
        Raw outputs of a row.
    library : str
        The library that wrote the file, with its version: ``"xgboost 3.2.0"``.
    sha256 : str
        Of the file, in hexadecimal: a card says nothing of another file.
    record : DataRecord
        What later data have to agree with: names of the inputs, classes, categories, scales.
    """

    link: str | None
    units: int
    library: str
    sha256: str
    record: DataRecord = DataRecord()

    @classmethod
    def beside(cls, file: Path, content: bytes) -> Card | None:
        """Return the card of a file with some content; None if there is none for this content.

        Raises
        ------
        DataError
            If ``model.json`` beside the file is not a card.
        """
        path = file.parent / CARD_FILE
        if not path.is_file():
            return None
        try:
            plain = json.loads(path.read_text(encoding="utf-8"))
            if plain["sha256"] != sha256(content):
                return None
            return cls._from_dict(plain, path)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise DataError(
                f"{path} is not a card of lossfw, as `lossfw train` writes it beside a model: "
                "remove it, or take the one of this training."
            ) from None

    def to_dict(self, file: str) -> dict[str, Any]:
        """Return the card of a file of this name as plain numbers, texts and lists, for JSON."""
        record, standardisation = self.record, self.record.standardisation
        plain: dict[str, Any] = {
            "lossfw": CARD_VERSION,
            "file": file,
            "sha256": self.sha256,
            "library": self.library,
            "link": self.link,
            "units": self.units,
            "columns": list(record.columns),
            "classes": list(record.classes),
            "categories": {name: list(labels) for name, labels in record.categories.items()},
            "divisor": record.divisor,
        }
        if standardisation is not None:
            plain |= {name: x.tolist() for name, x in standardisation.arrays.items()}
        return plain

    @classmethod
    def _from_dict(cls, plain: Mapping[str, Any], path: Path) -> Card:
        numbers = {name: np.array(plain[name]) for name in (MEAN, SCALE) if name in plain}
        record = DataRecord(
            classes=tuple(map(str, plain["classes"])),
            columns=tuple(map(str, plain["columns"])),
            divisor=plain["divisor"],
            categories={name: tuple(labels) for name, labels in plain["categories"].items()},
            standardisation=Standardisation.read(numbers, path),
        )
        link = None if plain["link"] is None else str(plain["link"])
        units = int(plain["units"])
        return cls(link, units, str(plain["library"]), plain["sha256"], record)

"""Figures that commands have measured and a project keeps: checks and accuracy.

::

    make checks                                          checks.json: tries of each claim
    make accuracy reference                              accuracy.json: units in the last place

What a component costs is in its description, if its package has measured it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lossfw.errors import DataError

# The files, in one folder.
CHECKS, ACCURACY = "checks.json", "accuracy.json"


@dataclass(frozen=True)
class MeasuredFigures:
    """The content of the files; an empty mapping stands for a file that is not there.

    Attributes
    ----------
    checks, accuracy : mapping
    """

    checks: Mapping[str, Any] = field(default_factory=dict)
    accuracy: Mapping[str, Any] = field(default_factory=dict)

    def report(self, text: str) -> Mapping[str, Any]:
        """Return the report of the harness on a component, which is named as in Python.

        Without a report at just these parameters it is the only one of the class, if there is
        one; its ``name`` says at which. Empty where there is none.
        """
        reports = self.checks.get("reports", ())
        same = [one for one in reports if one["name"] == text]
        alike = [one for one in reports if _class_in(one["name"]) == _class_in(text)]
        found: Mapping[str, Any] = (same or (alike if len(alike) == 1 else [{}]))[0]
        return found

    def accuracies(self, kind: str, name: str) -> list[Mapping[str, Any]]:
        """Return the rows of accuracy of a component, at all parameters that were measured."""
        rows = self.accuracy.get("rows", ())
        return [row for row in rows if (row["kind"], row["name"]) == (kind, name)]


def _class_in(text: str) -> str:
    return text.partition("(")[0]


def read_measured(folder: Path | None) -> MeasuredFigures:
    """Return the figures in a folder.

    Raises
    ------
    DataError
        If a file is there and is no JSON object.
    """
    if folder is None:
        return MeasuredFigures()
    return MeasuredFigures(*(_read(folder / name) for name in (CHECKS, ACCURACY)))


def _read(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path} is no JSON: {error}.") from None
    if not isinstance(content, dict):
        raise DataError(f"{path} holds a {type(content).__name__}, where an object was wanted.")
    return content

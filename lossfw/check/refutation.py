"""Refutation: a counterexample to one promise, and the lines that describe it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lossfw.check.core.reproduce import format_nested
from lossfw.check.core.search import MOST_NUMBERS, Error, Grade
from lossfw.check.severity import GRADES, NOTES
from lossfw.numerics.arrays import NDArray


@dataclass(frozen=True)
class Refutation:
    """A counterexample to a claim or a law.

    Attributes
    ----------
    check : str
        Name of the check that found it: ``"gradient"``, ``"claim:convex"`` ...
    claim : str or None
        The refuted claim; None for a law, which holds for every component.
    message : str
        What was expected, what was found, and where.
    inputs : mapping of str to ndarray
        The simplest input arrays that show it.
    snippet : str
        Code that reproduces it in a new interpreter.
    seed : int
        The seed of the search.
    cause : hashable
        Equal for checks that ended with the same error; None for a wrong result.
    stops_checks : bool
        Whether this finding stops further checks.
    grade : str
        ``"wrong"``; or a note: ``"digits"`` if digits are lost, ``"extreme"`` if only extreme
        inputs are affected; or ``"convention"``.
    error : str or None
        For a wrong result: ``"digits"`` if some digits are correct, ``"overflow"`` if it is
        infinite or NaN, otherwise ``"other"``.
    component : str
        The component, with its parameters.
    labels : mapping of str to sequence of str
        For inputs with named columns: the names of their values, such as ``y.location``.
    """

    check: str
    claim: str | None
    message: str
    inputs: Mapping[str, NDArray]
    snippet: str = ""
    seed: int = 0
    cause: Hashable = None
    stops_checks: bool = False
    grade: Grade = "wrong"
    error: Error | None = None
    component: str = ""
    labels: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return a dict of plain numbers and strings, as written to JSON."""
        return {
            "check": self.check,
            "grade": self.grade,
            "error": self.error,
            "component": self.component,
            "claim": self.claim,
            "message": self.message,
            "inputs": {
                name: {"dtype": str(array.dtype), "values": _json_numbers(array)}
                for name, array in self.inputs.items()
            },
            "snippet": self.snippet,
            "seed": self.seed,
        }

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self, also: str = "", preceding: str = "") -> Iterator[str]:
        """Yield its lines: grade and check, the finding, and code.

        The code continues that of a `preceding` snippet.
        """
        is_note = self.grade in NOTES
        yield f"  {f'note, {GRADES[self.grade]}' if is_note else GRADES[self.grade]}: {self.check}"
        yield f"    {self._inputs_text()}{self.message}"
        if also:
            yield f"    also: {also}"
        if any(array.size > MOST_NUMBERS for array in self.inputs.values()):
            yield f"    to reproduce: the JSON has the code, for {self.component}"
        elif self.snippet:
            *setup, last = self.snippet.splitlines()
            known = preceding.splitlines()
            yield f"    to reproduce{', after the lines above' if known else ''}:"
            yield from (f"      {line}" for line in setup if line not in known)
            yield f"      {last}"

    def _inputs_text(self) -> str:
        """Return the inputs with their dtype, as the beginning of a sentence."""
        if not self.inputs:
            return ""
        dtypes = {str(array.dtype) for array in self.inputs.values() if array.dtype.kind == "f"}
        shown = ", ".join(
            f"{self._format_input(name, array)}{f' ({array.dtype})' if len(dtypes) > 1 else ''}"
            for name, array in self.inputs.items()
        )
        return f"at {shown}{f' in {dtypes.pop()}' if len(dtypes) == 1 else ''}: "

    def _format_input(self, name: str, array: NDArray) -> str:
        labels = self.labels.get(name, ())
        if array.shape == (1, len(labels)):
            pairs = zip(labels, array[0], strict=True)
            return ", ".join(f"{label} = {format_nested(number)}" for label, number in pairs)
        return f"{name} {_inputs_as_json(array)}"


def _inputs_as_json(array: NDArray) -> str:
    if array.size > MOST_NUMBERS:
        return f"of shape {array.shape}"
    return f"= {format_nested(array[0] if array.ndim and len(array) == 1 else array)}"


def _json_numbers(array: NDArray) -> Any:
    """Return nested lists, with texts for numbers that JSON does not have."""

    def one(value: Any) -> Any:
        if isinstance(value, list):
            return [one(item) for item in value]
        if isinstance(value, float) and not np.isfinite(value):
            return str(value)
        return value

    return one(array.tolist())

"""The numbers of an epoch, from the file of a training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# The prefix of the names of numbers of held-out rows.
HELD_OUT = "held-out "


def numbers_of(epoch: Mapping[str, Any]) -> dict[str, Any]:
    """Return the single numbers of an epoch with their names, those of held-out rows last.

    Parameters
    ----------
    epoch : mapping
        An entry of ``epochs`` in ``training.json``.

    Examples
    --------
    >>> numbers_of({"learnt": {"loss": 0.5, "metrics": {"recall": [1, 0]}}, "held_out": None})
    {'loss': 0.5}
    """
    numbers: dict[str, Any] = {}
    for title, part in (("", epoch["learnt"]), (HELD_OUT, epoch["held_out"])):
        if part is not None:
            numbers[f"{title}loss"] = part["loss"]
            numbers |= {f"{title}{name}": value for name, value in part["metrics"].items()}
    return {name: value for name, value in numbers.items() if not isinstance(value, list)}

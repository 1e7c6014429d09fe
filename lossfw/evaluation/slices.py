"""Slices: parts of the rows for which an evaluation reports separate results."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from lossfw.components.naming import did_you_mean, nearest_name
from lossfw.errors import ParameterError

# Properties that tell rows apart -> their meaning.
BY: dict[str, str] = {
    "target": "the target: a class index, the class of a one-hot row, or a number",
    "prediction": "the prediction, where it is a single number",
    "prediction.max": "the largest element of the prediction",
    "prediction.argmax": "the class of the largest element of the prediction",
    "prediction.entropy": "the entropy of the prediction, in nats",
    "loss": "the loss of the row",
    "weight": "the sample weight of the row",
}
# The prefix of a column of the data: `column.region`.
COLUMN = "column."
# So many texts of a column, those with the most rows, have a part of their own by default.
DEFAULT_LARGEST = 8
# Continuous numbers: without bins each row would be a part of its own.
_NEED_BINS = ("prediction", "prediction.max", "prediction.entropy", "loss", "weight")
# Properties of predictions that logits have not.
_OF_PREDICTIONS = ("prediction", "prediction.max", "prediction.entropy")
# Properties whose values are classes.
BY_CLASS = ("target", "prediction.argmax")
_TAKE_NO_BINS = ("prediction.argmax",)
# Each bin computes every metric again.
MAX_BINS = 1000


@dataclass(frozen=True)
class Slice:
    """One way to split rows into parts.

    Examples
    --------
    >>> Slice.of("target")
    Slice(name='target', by='target', bins=(), largest=8)
    >>> Slice.of("column.region").name
    'region'
    >>> Slice("confident", by="prediction.max", bins=[0.5, 0.9]).labels
    ('< 0.5', '0.5 to 0.9', '>= 0.9')
    """

    # Its name in the result.
    name: str
    # The property that tells the rows apart: a key of `BY`; or column. and the name of a
    # column of the data, which need not be an input or the target.
    by: str
    # Inner edges of bins, increasing: [0.5, 0.9] makes three, below 0.5, from 0.5 to
    # below 0.9, and from 0.9 on. Without them there is one slice for each value.
    bins: Sequence[float] = ()
    # How many texts of a column, those with the most rows, have a slice of their own; the
    # others are together.
    largest: int = DEFAULT_LARGEST

    def __post_init__(self) -> None:
        if self.by not in BY and not self.column:
            start, dot, name = str(self.by).partition(".")
            meant = name if dot and nearest_name(start, [COLUMN.rstrip(".")]) else self.by
            raise ParameterError(
                f"by should be one of {', '.join(BY)}, got {self.by!r}. "
                f"{did_you_mean(str(self.by), BY)} A column of the data is "
                f"{COLUMN}{meant or 'NAME'}.".replace("  ", " ")
            )
        if self.largest < 1:
            raise ParameterError(f"largest should be at least 1, got {self.largest}.")
        object.__setattr__(self, "bins", tuple(float(edge) for edge in self.bins))
        _check_bins(self.by, self.bins)

    @classmethod
    def of(cls, by: str) -> Slice:
        """Return the slice by a property, named after it."""
        return cls(default_slice_name(by), by)

    @property
    def column(self) -> str:
        """The column of the data that splits rows; empty for another property."""
        return self.by.removeprefix(COLUMN) if self.by.startswith(COLUMN) else ""

    @property
    def takes_predictions(self) -> bool:
        """Whether the slice depends on predictions, so that logits would give other parts."""
        return self.by in _OF_PREDICTIONS

    @property
    def labels(self) -> tuple[str, ...]:
        """The bins in words; none without bins."""
        if not self.bins:
            return ()
        edges = [f"{edge:g}" for edge in self.bins]
        inner = [f"{low} to {high}" for low, high in pairwise(edges)]
        return (f"< {edges[0]}", *inner, f">= {edges[-1]}")


def default_slice_name(by: str) -> str:
    """Return the default name of a slice."""
    return by.removeprefix(COLUMN) or by


def _check_bins(by: str, bins: Sequence[float]) -> None:
    if by in _NEED_BINS and not bins:
        raise ParameterError(
            f"bins are needed for by: {by}, because its values are continuous: for example "
            "bins: [0.5, 0.9]."
        )
    if by in _TAKE_NO_BINS and bins:
        raise ParameterError(f"bins cannot be used with by: {by}: its values are classes.")
    if len(bins) > MAX_BINS:
        raise ParameterError(f"bins should be at most {MAX_BINS} edges, got {len(bins)}.")
    if not all(math.isfinite(edge) for edge in bins):
        raise ParameterError(f"bins should be finite numbers, got {list(bins)}.")
    if any(low >= high for low, high in pairwise(bins)):
        raise ParameterError(f"bins should increase from edge to edge, got {list(bins)}.")

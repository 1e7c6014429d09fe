"""Reductions and partials: sums whose bits do not depend on how rows are shared out.

Rows are summed in float64 over blocks of a fixed number of rows, aligned to
the global row number, and the sums of the blocks are added exactly. A partial
that begins or ends inside a block carries the losses of that piece until its
neighbours arrive. Merging is therefore associative and commutative, and gives
the same bits for any split of the rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from lossfw.errors import ArgumentError, EmptyReductionError
from lossfw.losses.engine.exact_sum import ExactSum, below, prefixed

Reduction: TypeAlias = Literal["none", "sum", "mean"]
Denominator: TypeAlias = Literal["weights", "count"]
Empty: TypeAlias = Literal["raise", "nan", "zero"]

_CHOICES = {
    "reduction": get_args(Reduction),
    "denominator": get_args(Denominator),
    "empty": get_args(Empty),
}

# Elements of a block: an array of it, 1 MiB in float32, is about what the
# second-level cache of a present core holds. Smaller ones would do for one thread.
# But threads hand the interpreter's lock to each other after every operation, and
# wake up for it: with a quarter of this, two threads were slower than one
# (cross-entropy of ten classes: 36 ms against 20; with this 14 against 16).
BLOCK_ELEMENTS = 262_144


def check_choices(reduction: str, denominator: str, empty: str) -> None:
    """Raise `ArgumentError` for a misspelt choice."""
    given = {"reduction": reduction, "denominator": denominator, "empty": empty}
    for name, choice in given.items():
        if choice not in _CHOICES[name]:
            wanted = ", ".join(repr(option) for option in _CHOICES[name])
            raise ArgumentError(f"{name}={choice!r} is not known: choose one of {wanted}.")


def block_rows(width: int) -> int:
    """Return the number of rows in a block of rows of `width` elements.

    A power of two, and a function of the width alone: whatever the batch, the
    thread or the machine, a row belongs to the same block.

    Examples
    --------
    >>> block_rows(1), block_rows(10), block_rows(32_000)
    (262144, 16384, 8)
    """
    return 1 << max(0, (BLOCK_ELEMENTS // max(width, 1)).bit_length() - 1)


@dataclass(frozen=True, slots=True)
class Piece:
    """Losses of some rows of one block that are not summed yet.

    Attributes
    ----------
    start, stop : int
        Global row numbers, the second excluded.
    losses : ndarray
        What these rows lose, those left out not among them.
    weights : ndarray or None
        The sample weight of each of `losses`.
    """

    start: int
    stop: int
    losses: np.ndarray[Any, Any]
    weights: np.ndarray[Any, Any] | None

    def pack(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return plain arrays that `unpack` makes the same piece of."""
        arrays = {"rows": np.array([self.start, self.stop], np.int64), "losses": self.losses}
        return arrays if self.weights is None else {**arrays, "weights": self.weights}

    @classmethod
    def unpack(cls, arrays: Mapping[str, np.ndarray[Any, Any]]) -> Piece:
        """Return the piece that was packed."""
        start, stop = map(int, arrays["rows"])
        return cls(start, stop, arrays["losses"], arrays.get("weights"))


def block_sum(
    losses: np.ndarray[Any, Any], weights: np.ndarray[Any, Any] | None
) -> tuple[float, float]:
    """Return the float64 sums of w l and of w over one block."""
    if weights is None:
        return float(np.add.reduce(losses, dtype=np.float64)), float(losses.size)
    weighted = weights * losses.astype(np.float64, copy=False)
    return float(np.add.reduce(weighted)), float(np.add.reduce(weights, dtype=np.float64))


@dataclass(frozen=True, slots=True)
class Partial:
    """A mergeable sum of losses over a range of rows.

    Attributes
    ----------
    block : int
        Rows in a block; the same for all partials that are merged.
    total, weight : ExactSum
        Sums of w l and of w over the complete blocks.
    count, masked : int
        Losses that count, and those left out by a mask.
    pieces : tuple of Piece
        Rows of blocks that are not complete yet, in the order of the rows.

    Examples
    --------
    >>> import lossfw
    >>> loss = lossfw.loss("squared_error")
    >>> first = loss.partial([1.0, 2.0], [0.0, 0.0])
    >>> rest = loss.partial([3.0], [0.0], start=2)
    >>> rest.merge(first).mean() == loss([1.0, 2.0, 3.0], [0.0, 0.0, 0.0])
    True
    """

    block: int
    total: ExactSum = field(default_factory=ExactSum)
    weight: ExactSum = field(default_factory=ExactSum)
    count: int = 0
    masked: int = 0
    pieces: tuple[Piece, ...] = ()

    def merge(self, other: Partial) -> Partial:
        """Return the partial of the rows of both.

        Raises
        ------
        ArgumentError
            If the partials were made with different blocks, or share rows.
        """
        if self.block != other.block:
            raise ArgumentError(
                f"partials with blocks of {self.block} and of {other.block} rows do not merge: "
                "they come from rows of different shapes"
            )
        total, weight = self.total.merge(other.total), self.weight.merge(other.weight)
        waiting: list[Piece] = []
        for group in _by_block((*self.pieces, *other.pieces), self.block):
            if sum(piece.stop - piece.start for piece in group) == self.block:
                loss_sum, weight_sum = _join(group)
                total, weight = total.add([loss_sum]), weight.add([weight_sum])
            else:
                waiting.extend(group)
        count, masked = self.count + other.count, self.masked + other.masked
        return Partial(self.block, total, weight, count, masked, tuple(waiting))

    def pack(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return plain arrays that `unpack` makes the same partial of."""
        numbers = [self.block, self.count, self.masked, len(self.pieces)]
        arrays = {"numbers": np.array(numbers, np.int64)}
        arrays |= prefixed("total", self.total.pack()) | prefixed("weight", self.weight.pack())
        for number, piece in enumerate(self.pieces):
            arrays |= prefixed(f"piece{number}", piece.pack())
        return arrays

    @classmethod
    def unpack(cls, arrays: Mapping[str, np.ndarray[Any, Any]]) -> Partial:
        """Return the partial that was packed."""
        block, count, masked, pieces = map(int, arrays["numbers"])
        total, weight = (ExactSum.unpack(below(name, arrays)) for name in ("total", "weight"))
        waiting = (Piece.unpack(below(f"piece{number}", arrays)) for number in range(pieces))
        return cls(block, total, weight, count, masked, tuple(waiting))

    def sums(self) -> tuple[float, float]:
        """Return sum(w l) and sum(w), those of incomplete blocks included."""
        joined = [_join(group) for group in _by_block(self.pieces, self.block)]
        total = self.total.add(pair[0] for pair in joined)
        weight = self.weight.add(pair[1] for pair in joined)
        return total.rounded(), weight.rounded()

    def sum(self) -> float:
        """Return sum(w l)."""
        return self.sums()[0] + 0.0

    def mean(self, denominator: Denominator = "weights", empty: Empty = "raise") -> float:
        """Return sum(w l) / sum(w), or over the count.

        Raises
        ------
        EmptyReductionError
            If nothing is left to average and `empty` is ``"raise"``.
        """
        total, weight = self.sums()
        return mean_of(total, weight if denominator == "weights" else self.count, empty)


def mean_of(total: float, divisor: float, empty: Empty) -> float:
    """Divide a sum; what happens to an empty one is the caller's choice."""
    if divisor:
        return total / divisor + 0.0
    if empty == "raise":
        raise EmptyReductionError(
            "nothing is left to average: no element, all masked, or all weights 0. "
            'Pass empty="nan" or empty="zero" to get that value instead.'
        )
    return math.nan if empty == "nan" else 0.0


def _by_block(pieces: Iterable[Piece], block: int) -> list[list[Piece]]:
    """Group pieces by the block they belong to, in the order of the rows."""
    groups: dict[int, list[Piece]] = {}
    for piece in sorted(pieces, key=lambda piece: piece.start):
        group = groups.setdefault(piece.start // block, [])
        if group and group[-1].stop > piece.start:
            raise ArgumentError(
                f"row {piece.start} stands in two of the partials that are merged: give each "
                "partial the number of its first row as start="
            )
        group.append(piece)
    return list(groups.values())


def _join(group: list[Piece]) -> tuple[float, float]:
    """Sum the pieces of one block as if the block had come whole."""
    if len(group) == 1:
        return block_sum(group[0].losses, group[0].weights)
    losses = np.concatenate([piece.losses for piece in group])
    if all(piece.weights is None for piece in group):
        return block_sum(losses, None)
    weights = [
        np.ones(piece.losses.size) if piece.weights is None else piece.weights for piece in group
    ]
    return block_sum(losses, np.concatenate(weights))

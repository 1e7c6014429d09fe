"""Partial: a mergeable sum of losses over a range of rows.

A partial that begins or ends inside a block carries the losses of that piece until
its neighbours arrive. Merging is therefore associative and commutative, and gives
the same bits for any split of the rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from lossfw.errors import ArgumentError
from lossfw.losses.engine.exact_sum import ExactSum
from lossfw.losses.engine.packing import pack_parts, unpack_part
from lossfw.losses.engine.reduction import (
    Denominator,
    Empty,
    Reduction,
    Sums,
    weight_sum,
    weighted_sum,
)
from lossfw.losses.engine.row_ranges import NOWHERE, PartialOrigin
from lossfw.numerics.arrays import NDArray


@dataclass(frozen=True, slots=True)
class UnsummedLosses:
    """Losses of the rows `start` to `stop` of one block that are not summed yet."""

    start: int
    stop: int
    losses: NDArray
    weights: NDArray | None

    def pack(self) -> dict[str, NDArray]:
        """Return the piece as plain arrays, for `unpack`."""
        arrays = {"rows": np.array([self.start, self.stop], np.int64), "losses": self.losses}
        return arrays if self.weights is None else {**arrays, "weights": self.weights}

    @classmethod
    def unpack(cls, arrays: Mapping[str, NDArray]) -> UnsummedLosses:
        """Return the piece that was packed."""
        start, stop = map(int, arrays["rows"])
        return cls(start, stop, arrays["losses"], arrays.get("weights"))


@dataclass(frozen=True, slots=True)
class Partial:
    """A mergeable sum of losses over a range of rows.

    Attributes
    ----------
    block : int
        Rows in a block; the same for all partials that are merged.
    total, weight : ExactSum
        The sums of w l and of w over the complete blocks.
    count, masked : int
        The number of losses that count, and of losses that a mask excludes.
    pieces : tuple of UnsummedLosses
        The rows of incomplete blocks, in order.
    origin : PartialOrigin
        The loss or metric with its parameters, and the rows that were seen.

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
    pieces: tuple[UnsummedLosses, ...] = ()
    origin: PartialOrigin = NOWHERE

    @property
    def rows(self) -> tuple[tuple[int, int], ...]:
        """The ranges of rows that were added, as pairs (first row, row after the last)."""
        return self.origin.rows.spans

    def merge(self, other: Partial) -> Partial:
        """Return the merged partial, for the rows of both.

        Raises
        ------
        ArgumentError
            If the partials are of different losses or parameters, were made with
            different blocks, or share rows.
        """
        if self.block != other.block:
            raise ArgumentError(
                f"partials with blocks of {self.block} and of {other.block} rows cannot be merged: "
                "they come from rows of different shapes"
            )
        origin = self.origin.merge(other.origin)
        total, weight = self.total.merge(other.total), self.weight.merge(other.weight)
        pending: list[UnsummedLosses] = []
        for group in _group_by_block((*self.pieces, *other.pieces), self.block):
            if sum(piece.stop - piece.start for piece in group) == self.block:
                of_losses, of_weights = _sum_block(group)
                total, weight = total.add([of_losses]), weight.add([of_weights])
            else:
                pending.extend(group)
        count, masked = self.count + other.count, self.masked + other.masked
        return Partial(self.block, total, weight, count, masked, tuple(pending), origin)

    def pack(self) -> dict[str, NDArray]:
        """Return the partial as plain arrays, for `unpack`."""
        numbers = [self.block, self.count, self.masked, len(self.pieces)]
        pieces = {f"piece{number}": piece for number, piece in enumerate(self.pieces)}
        parts = pack_parts(total=self.total, weight=self.weight, origin=self.origin, **pieces)
        return {"numbers": np.array(numbers, np.int64)} | parts

    @classmethod
    def unpack(cls, arrays: Mapping[str, NDArray]) -> Partial:
        """Return the partial from packed arrays."""
        block, count, masked, pieces = map(int, arrays["numbers"])
        total, weight = (ExactSum.unpack(unpack_part(name, arrays)) for name in ("total", "weight"))
        pending = (UnsummedLosses.unpack(unpack_part(f"piece{n}", arrays)) for n in range(pieces))
        origin = PartialOrigin.unpack(unpack_part("origin", arrays))
        return cls(block, total, weight, count, masked, tuple(pending), origin)

    def sums(self) -> Sums:
        """Return the sums of w l and of w, those of incomplete blocks included, and the count."""
        joined = [_sum_block(group) for group in _group_by_block(self.pieces, self.block)]
        total = self.total.add(pair[0] for pair in joined)
        weight = self.weight.add(pair[1] for pair in joined)
        return Sums(total.round_to_float(), weight.round_to_float(), self.count)

    def sum(self) -> float:
        """Return sum(w l)."""
        return float(Reduction("sum").value(self.sums()))

    def mean(self, denominator: Denominator = "weights", empty: Empty = "raise") -> float:
        """Return sum(w l) / sum(w), or sum(w l) / count.

        Raises
        ------
        EmptyReductionError
            If nothing is left to average and `empty` is ``"raise"``.
        """
        return float(Reduction("mean", denominator, empty).value(self.sums()))


def _group_by_block(pieces: Iterable[UnsummedLosses], block: int) -> list[list[UnsummedLosses]]:
    """Group pieces by the block they belong to, in the order of the rows."""
    groups: dict[int, list[UnsummedLosses]] = {}
    for piece in sorted(pieces, key=lambda piece: piece.start):
        groups.setdefault(piece.start // block, []).append(piece)
    return list(groups.values())


def _sum_block(group: list[UnsummedLosses]) -> tuple[float, float]:
    """Return the sums of w l and of w of one block's pieces, as if the block had come whole."""
    losses, weights = group[0].losses, group[0].weights
    if len(group) > 1:
        losses = np.concatenate([piece.losses for piece in group])
        if any(piece.weights is not None for piece in group):
            every = [np.ones(p.losses.size) if p.weights is None else p.weights for p in group]
            weights = np.concatenate(every)
    return weighted_sum(losses, weights), weight_sum(weights, losses.size)

"""Reduction: sum(w l) / sum(w), written once for every call, partial and library.

Rows are summed in float64 over blocks of a fixed number of rows, aligned to the
global row number, and the sums of the blocks are added exactly.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import numpy as np

from lossfw.errors import ArgumentError, EmptyReductionError
from lossfw.losses.array_api import has_values
from lossfw.losses.engine.exact_sum import exact_sum
from lossfw.numerics.arrays import Array, NDArray, namespace_of

ReductionName: TypeAlias = Literal["none", "sum", "mean"]
Denominator: TypeAlias = Literal["weights", "count"]
Empty: TypeAlias = Literal["raise", "nan", "zero"]

_OPTIONS = {
    "reduction": get_args(ReductionName),
    "denominator": get_args(Denominator),
    "empty": get_args(Empty),
}

_FLOAT64 = np.dtype(np.float64)

# A union of types would be made at each small call.
_NUMBER = (int, float)

# Elements of a block: an array of so many, 1 MiB in float32, about fills the
# second-level cache of a present core. For one thread smaller blocks would do.
# But threads hand the interpreter's lock to each other after every operation, and
# wake up for it: with a quarter of this, two threads were slower than one
# (cross-entropy of ten classes: 36 ms against 20; with this 14 against 16).
BLOCK_ELEMENTS = 262_144


def rows_per_block(width: int) -> int:
    """Return the number of rows in a block of rows of `width` elements.

    It is a power of two that depends only on the width: a row belongs to the same block in any
    batch, on any thread and on any machine.

    Examples
    --------
    >>> rows_per_block(1), rows_per_block(10), rows_per_block(32_000)
    (262144, 16384, 8)
    """
    return 1 << max(0, (BLOCK_ELEMENTS // max(width, 1)).bit_length() - 1)


def weighted_sum(losses: NDArray, weights: NDArray | None = None) -> float:
    """Return sum(w l) of one block in float64."""
    if weights is None:
        return float(np.add.reduce(losses, dtype=_FLOAT64))
    return float(np.add.reduce(weights * losses.astype(np.float64, copy=False)))


def weight_sum(weights: NDArray | None, count: int) -> float:
    """Return sum(w) of one block in float64; without weights each of `count` losses has 1."""
    return float(count) if weights is None else float(np.add.reduce(weights, dtype=np.float64))


class Sums(NamedTuple):
    """Sums of w l and of w, and the number of losses that count by ``where``.

    For arrays of another library they may be arrays without axes.
    """

    total: Any
    weight: Any
    count: Any


def merge_sums(blocks: Sequence[Sums]) -> Sums:
    """Add the sums of blocks exactly."""
    if len(blocks) == 1:
        return blocks[0]
    return Sums(
        exact_sum(block.total for block in blocks),
        exact_sum(block.weight for block in blocks),
        sum(block.count for block in blocks),
    )


@dataclass(frozen=True, slots=True)
class Reduction:
    """From the sums of a call to its result; a misspelt choice raises `ArgumentError`.

    A mean divides by sum(w), or by the number of losses that count; `empty` says what the mean of
    nothing is.

    Examples
    --------
    >>> Reduction().value(Sums(total=6.0, weight=4.0, count=3))
    1.5
    >>> Reduction(denominator="count").scale(weight=4.0, count=3) == 1 / 3
    True
    """

    reduction: ReductionName = "mean"
    denominator: Denominator = "weights"
    empty: Empty = "raise"

    def __post_init__(self) -> None:
        """Check the choices."""
        for name, options in _OPTIONS.items():
            choice = getattr(self, name)
            if choice not in options:
                choices = ", ".join(map(repr, options))
                raise ArgumentError(f"{name}={choice!r} is not known: choose one of {choices}.")

    @staticmethod
    def cached(reduction: ReductionName, denominator: Denominator, empty: Empty) -> Reduction:
        """Return the reduction with these choices, cached for small calls."""
        try:
            return _MADE[reduction, denominator, empty]
        except (KeyError, TypeError):
            return Reduction(reduction, denominator, empty)

    def value(self, sums: tuple[Any, Any, Any], *, checked: bool = True) -> Any:
        """Return the reduced loss from its `Sums`; if `checked`, the mean of nothing may raise."""
        total, weight, count = sums
        if self.reduction == "sum":
            return total + 0.0
        divisor = weight if self.denominator == "weights" else count
        if checked or (isinstance(divisor, _NUMBER) and divisor):
            return self._mean(total, divisor)
        return self._traced_mean(total, divisor + 0.0 * total)

    def scale(self, weight: Any, count: Any) -> Any:
        """Return the factor of w l in the result, and of w times the unreduced derivative."""
        return self._mean(1.0, weight if self.denominator == "weights" else count)

    def _mean(self, total: Array, divisor: Any) -> Any:
        if not (isinstance(divisor, _NUMBER) or has_values(divisor)):
            return self._traced_mean(total, divisor)
        if divisor:
            # Adding 0.0 turns -0.0 into 0.0.
            return total / divisor + 0.0
        if self.empty == "raise":
            raise EmptyReductionError(
                "nothing is left to average: no element, all masked, or all weights 0. "
                'Pass empty="nan" or empty="zero" to get that value instead.'
            )
        return total * (math.nan if self.empty == "nan" else 0.0)

    def _traced_mean(self, total: Array, divisor: Array) -> Array:
        """Return the mean where no one can see whether it is that of nothing: NaN, or 0."""
        if self.empty != "zero":
            return total / divisor + 0.0
        xp = namespace_of(divisor)
        nothing = divisor == 0
        safe = xp.where(nothing, xp.ones_like(divisor), divisor)
        return xp.where(nothing, xp.zeros_like(divisor), total / safe)


_MADE = {choices: Reduction(*choices) for choices in itertools.product(*_OPTIONS.values())}

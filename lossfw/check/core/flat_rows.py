"""Losses with columns, for checks of flat rows of predictions and targets.

A single-number prediction of a loss whose target has columns becomes a row of one number, and
columns of vectors become one row. So laws of rows can be tested without a case per shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lossfw.components.columns import Columns
from lossfw.components.spaces import REAL, Space, Vector
from lossfw.losses.loss import Loss
from lossfw.losses.wrappers.base import Wrapper
from lossfw.numerics.arrays import Array, Namespace

# Where a row has any number of vectors.
_VECTORS = 3


@dataclass(frozen=True)
class OneNumber(Vector):
    """Rows of one number, which a body gets as a number."""

    def check(self, x: Array, role: str, *, start: int = 0) -> None:
        """Let the space of the number check; see `Space.check`."""
        self.of_numbers.check(x[..., 0], role, start=start)

    def labels(self, size: int) -> list[str]:
        """Return that of the number."""
        return [""]

    def to_record(self, x: Array) -> Any:
        """Return the numbers."""
        return x[..., 0]

    def from_record(self, xp: Namespace, parts: Any) -> Array:
        """Return numbers as rows of one."""
        return parts[..., None]


@dataclass(frozen=True)
class FlatVectors(Vector):
    """Rows of three vectors in one row."""

    def flat_size(self, width: int) -> int:
        """Return the numbers of three vectors; see `Space.flat_size`."""
        return _VECTORS * width


def flat_space(space: Space, *, of_rows: bool) -> Space:
    """Return a space with flat members; with `of_rows`, a number becomes a row of one."""
    if space.axes > 1 and isinstance(space, Columns):
        return space.flat()
    if space.axes > 1:
        return FlatVectors(space.name, space.meaning, of_numbers=REAL)
    if of_rows and not space.axes:
        return OneNumber(space.name, space.meaning, of_numbers=space, size=1)
    return space


def flat_loss(loss: Loss) -> Loss:
    """Return a loss with columns as a loss of flat rows; others unchanged."""
    if not loss.has_columns:
        return loss
    spaces = (
        flat_space(loss.prediction_space, of_rows=True),
        flat_space(loss.target_space, of_rows=False),
    )
    if spaces == (loss.prediction_space, loss.target_space):
        return loss
    if isinstance(loss, Wrapper):
        part: Any = getattr(loss, "of")  # noqa: B009  # each wrapper has its own type of it
        if isinstance(part, dict):
            return loss
        parts = tuple(map(flat_loss, part)) if isinstance(part, tuple) else flat_loss(part)
        return loss.replace(of=parts)
    made: Any = type(
        type(loss).__name__,
        (type(loss),),
        {
            "__module__": type(loss).__module__,
            "__doc__": type(loss).__doc__,
            "name": type(loss).name,
            "prediction_space": property(lambda _: spaces[0]),
            "target_space": property(lambda _: spaces[1]),
        },
    )
    flat: Loss = made(**loss.parameters)
    return flat

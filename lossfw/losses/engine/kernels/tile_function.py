"""TileFunction: a function written out for tiles, which leaves rare elements to the body."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lossfw.numerics.arrays import NDArray

# Where more than half of so many tiles went to the body, all of them go there from then on.
_TILES = 32


class TileFunction:
    """A function of tiles.

    ``function(y, t)`` returns `count` results, and then a mask of those that the body must
    compute. ``shaped(results, y)`` gives the results the shapes of the body's.
    """

    def __init__(
        self,
        function: Callable[..., tuple[NDArray, ...]],
        count: int,
        shaped: Callable[[Sequence[NDArray], NDArray], tuple[NDArray, ...]],
    ) -> None:
        self._function, self._count, self._shaped = function, count, shaped
        self._tiles = self._left = 0

    def __call__(self, y: NDArray, t: NDArray) -> Any:
        """Return the results of a tile, None if the body has to compute them."""
        if self._tiles >= _TILES and 2 * self._left > self._tiles:
            return None
        results = self._function(y, t)
        self._tiles += 1
        if any(is_rare.any() for is_rare in results[self._count :]):
            self._left += 1
            return None
        shaped = self._shaped(results[: self._count], y)
        return shaped if len(shaped) > 1 else shaped[0]

    def compute(self, y: NDArray, t: NDArray) -> tuple[NDArray, ...]:
        """Return the results, and a mask of the elements or rows that the body must compute."""
        with np.errstate(all="ignore"):
            results = self._function(y, t)
        is_rare = np.zeros(len(y), bool)
        for truths in results[self._count :]:
            is_rare |= truths.reshape(len(y), -1).any(axis=-1)
        return (*self._shaped(results[: self._count], y), is_rare)

"""Packing: partial sums as plain named arrays, for checkpoints and other processes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from lossfw.numerics.arrays import NDArray


class Packable(Protocol):
    """Protocol: a sum that can be stored; its class has `unpack`."""

    def pack(self) -> dict[str, NDArray]:
        """Return the sum as plain arrays."""


def pack_parts(**parts: Packable) -> dict[str, NDArray]:
    """Return the arrays of several parts, named after their parts.

    Examples
    --------
    >>> from lossfw.losses.engine.exact_sum import ExactSum
    >>> list(pack_parts(total=ExactSum()))
    ['total.numerator', 'total.halvings', 'total.special']
    """
    return {
        f"{name}.{key}": array for name, part in parts.items() for key, array in part.pack().items()
    }


def unpack_part(name: str, arrays: Mapping[str, NDArray]) -> dict[str, NDArray]:
    """Return the arrays of one part from those of `pack_parts`."""
    prefix = f"{name}."
    return {
        key.removeprefix(prefix): array for key, array in arrays.items() if key.startswith(prefix)
    }

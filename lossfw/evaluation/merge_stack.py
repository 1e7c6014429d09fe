"""MergeStack: partials that are merged in pairs of similar size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lossfw.losses.engine.packing import pack_parts, unpack_part
from lossfw.metrics import Mergeable
from lossfw.numerics.arrays import NDArray


class MergeStack:
    """Partials that are merged when two have about the same size.

    So each row takes part in about log2(n) merges for n partials, not in n.
    """

    def __init__(self) -> None:
        self._items: list[tuple[int, Any]] = []

    @property
    def first(self) -> Any:
        """The merge of the most partials; None if there are none."""
        return self._items[0][1] if self._items else None

    def push(self, partial: Mergeable) -> None:
        """Add a partial."""
        self._items.append((1, partial))
        while len(self._items) > 1 and self._items[-2][0] <= self._items[-1][0]:
            (first, before), (second, last) = self._items[-2:]
            self._items[-2:] = [(first + second, before.merge(last))]

    def merge(self, other: MergeStack) -> None:
        """Add the partials of another stack."""
        merged = other.merge_all()
        if merged is not None:
            self.push(merged)

    def merge_all(self) -> Any:
        """Return the merge of all; None if there are none."""
        while len(self._items) > 1:
            (first, before), (second, last) = self._items[-2:]
            self._items[-2:] = [(first + second, before.merge(last))]
        return self._items[0][1] if self._items else None


def pack_stacks(stacks: Mapping[str, MergeStack]) -> dict[str, NDArray]:
    """Return the merged partials of named stacks as plain arrays."""
    merged = {name: stack.merge_all() for name, stack in stacks.items()}
    return pack_parts(**{name: partial for name, partial in merged.items() if partial is not None})


def restore_stack(stack: MergeStack, name: str, arrays: Mapping[str, NDArray], maker: Any) -> None:
    """Push the partial that `pack_stacks` stored under a name, if any."""
    own = unpack_part(name, arrays)
    if own:
        stack.push(maker.unpack(own))

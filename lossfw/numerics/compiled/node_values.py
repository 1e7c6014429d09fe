"""Node values: the values of nodes in a loop, while its instructions are written."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

Writer = TypeVar("Writer")


class NodeValues(ABC, Generic[Writer]):
    """The values of nodes in a loop, each loaded or computed once."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.known: dict[int, str] = {}

    def of(self, number: int) -> str:
        """Return the name of a node's value."""
        if number not in self.known:
            self.known[number] = self._made(number)
        return self.known[number]

    @abstractmethod
    def _made(self, number: int) -> str:
        """Write the instructions of a node."""

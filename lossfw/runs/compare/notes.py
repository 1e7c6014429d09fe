"""Notes of a comparison: what a reader has to know of the numbers, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Note(NamedTuple):
    """A remark about the numbers of a comparison.

    Attributes
    ----------
    text : str
        A sentence without its full stop, for any reader: it names no file and no option.
    cure : str
        What the person who runs lossfw can do; empty if there is nothing to do.

    Examples
    --------
    >>> str(Note("b has no rows", "run it again")), Note("b has no rows", "run it again").sentence
    ('b has no rows: run it again.', 'b has no rows.')
    """

    text: str
    cure: str = ""

    def __str__(self) -> str:
        return f"{self.text}: {self.cure}." if self.cure else self.sentence

    @property
    def sentence(self) -> str:
        """The remark alone, for a page that others read."""
        return f"{self.text}."


def listed(names: Sequence[str]) -> str:
    """Return names as a part of a sentence.

    Examples
    --------
    >>> listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    """
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last

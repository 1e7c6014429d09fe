"""The tree of a formula in LaTeX."""

from __future__ import annotations

from typing import Any, NamedTuple


class Phrase(NamedTuple):
    """A part of a formula.

    Attributes
    ----------
    op : str
        A function of the array API, or one of ``"number"``, ``"name"``, ``"element"``,
        ``"over"``, ``"cases"``, ``"indicator"`` and ``"always"``.
    args : tuple of Phrase
        What it is taken of.
    value : object
        The number; the name; name and index of an element; the `Over` of a sum.
    column : int
        Where it stands in the text, counted from 1.
    """

    op: str
    args: tuple[Phrase, ...] = ()
    value: Any = None
    column: int = 0


class Over(NamedTuple):
    """The range of a sum, a product, a minimum or a maximum.

    Attributes
    ----------
    op : str
        ``"sum"``, ``"prod"``, ``"min"`` or ``"max"``.
    letter : str
    but : str
        An index that is left out, or empty.
    first, last : Phrase or None
        None for the first and the last column of a row.
    """

    op: str
    letter: str
    but: str = ""
    first: Phrase | None = None
    last: Phrase | None = None


class Sides(NamedTuple):
    """An equation that defines a name of the formula."""

    left: Phrase
    right: Phrase


class Typeset(NamedTuple):
    r"""A formula in LaTeX as it was read.

    Attributes
    ----------
    text : str
    right : Phrase
        Its right side.
    definitions : tuple of Sides
        What stands behind ``\text{with }``.
    """

    text: str
    right: Phrase
    definitions: tuple[Sides, ...] = ()

r"""The signs of a formula in LaTeX.

Spaces say nothing, and neither do the commands that only make room or choose a size. ``\left``
and ``\right`` are taken off their brackets; bars become ``\lvert`` and ``\rvert``.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from lossfw.errors import ArgumentError

_TOKEN = re.compile(
    r"""
      \\(?P<kind>text|mathrm|operatorname|mathbb|mathbf|begin|end)\*?\s*\{(?P<word>[^{}]*)\}
    | \\(?:left|right)(?![A-Za-z])\s*(?:\\[A-Za-z]+|\\?[^A-Za-z\s\\])
    | \\[A-Za-z]+
    | \\.
    | [0-9]+(?:\.[0-9]+)?
    | \S
    """,
    re.VERBOSE,
)
_UNSAID = {
    *(r"\,", r"\;", r"\:", r"\!", r"\ ", "~", r"\quad", r"\qquad"),
    *(r"\displaystyle", r"\limits", r"\big", r"\Big", r"\bigl", r"\bigr", r"\Bigl", r"\Bigr"),
}
_ALIKE = {r"\leq": r"\le", r"\geq": r"\ge", r"\neq": r"\ne", r"\dfrac": r"\frac"}
_ALIKE |= {r"\tfrac": r"\frac", r"\times": r"\cdot", "*": r"\cdot", r"\ln": r"\log"}
_ALIKE |= {r"\lbrace": r"\{", r"\rbrace": r"\}", r"\dots": r"\ldots"}


class Token(NamedTuple):
    r"""A sign of a formula.

    Attributes
    ----------
    text : str
        As it is written; the end of a formula is the empty text.
    column : int
        Where it begins, counted from 1.
    word : str
        What stands in the braces of ``\text``, ``\mathrm``, ``\begin`` and the like.
    """

    text: str
    column: int
    word: str = ""


def unread(what: str, text: str, column: int) -> ArgumentError:
    """Return the error of a formula that says something unknown at a column."""
    rest = text[column - 1 : column + 19].strip()
    place = f"column {column}, before '{rest}'" if rest else "the end"
    return ArgumentError(f"cannot be read at {place}: {what}.")


def tokens(text: str) -> list[Token]:
    r"""Return the signs of a formula, and a sign for its end.

    Examples
    --------
    >>> [token.text for token in tokens(r"\left|r\right|\,\leq \delta")]
    ['\\lvert', 'r', '\\rvert', '\\le', '\\delta', '']
    """
    found = []
    for match in _TOKEN.finditer(text):
        sign, column = match.group(), match.start() + 1
        if match["kind"]:
            word = match["word"].strip().replace(r"\_", "_")
            found.append(Token(f"\\{match['kind']}", column, word))
        elif sign not in _UNSAID:
            found.append(Token(_plain(sign), column))
    return [*found, Token("", len(text) + 1)]


def _plain(sign: str) -> str:
    for side, bar in ((r"\left", r"\lvert"), (r"\right", r"\rvert")):
        delimiter = sign.removeprefix(side).strip()
        if delimiter != sign and not delimiter[:1].isalpha():
            sign = bar if delimiter == "|" else delimiter
    return _ALIKE.get(sign, sign)

"""Names of components in a configuration, and the known name nearest to a wrong one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

# Below this ratio of matching letters a guess annoys more than it helps.
_NEAR = 0.6

# A message lists no more names than these.
LISTED_NAMES = 8


def snake_case(name: str) -> str:
    """Turn a class name into a component's name.

    Examples
    --------
    >>> snake_case("SquaredError"), snake_case("GaussianNLL")
    ('squared_error', 'gaussian_nll')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that `name` was probably meant to be, or None.

    Examples
    --------
    >>> nearest("hubber", ["huber", "hinge"])
    'huber'
    """
    matches = difflib.get_close_matches(name, sorted(known), n=1, cutoff=_NEAR)
    return matches[0] if matches else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``Did you mean 'x'?``, or an empty string where nothing is near."""
    match = nearest(name, known)
    return f"Did you mean {match!r}?" if match else ""


def shortlist(names: Sequence[str], near: str = "") -> str:
    """Return names for a message: the first few, those most like `near` in front.

    Examples
    --------
    >>> shortlist(["a", "b"])
    'a, b'
    >>> shortlist([f"x{i}" for i in range(20)], near="x19")
    'x19, x9, x1, x18, x17, x16, x15, x14, ... (20 in all)'
    """
    if len(names) <= LISTED_NAMES:
        return ", ".join(names)
    shown = names
    if near:
        shown = difflib.get_close_matches(near, names, n=LISTED_NAMES, cutoff=0.0)
    return f"{', '.join(shown[:LISTED_NAMES])}, ... ({len(names)} in all)"


def printable(text: str) -> str:
    r"""Return a text whose control characters are written as escapes; line ends and tabs stay.

    A name from a file could otherwise move the cursor of a terminal, or hide its neighbours.

    Examples
    --------
    >>> printable("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else repr(c)[1:-1] for c in text)

"""Names of components in a configuration, and the known name nearest to a wrong one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

# Below this ratio of matching letters a guess annoys more than it helps.
_NEAR = 0.6


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

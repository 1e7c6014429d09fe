"""The order of runs or trainings: by a number, by a setting, or by the name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from lossfw.components.naming import did_you_mean
from lossfw.errors import ArgumentError

_Item = TypeVar("_Item")


def in_order(
    items: Sequence[_Item],
    key: str,
    values: Mapping[str, Callable[[_Item], Any]],
    *,
    called: str,
    reverse: bool,
) -> tuple[_Item, ...]:
    """Return items in the order of a value; those without one come last, both ways.

    Parameters
    ----------
    items : sequence
        Runs or trainings.
    key : str
        The value, a key of `values`.
    values : mapping of str to callable
        What there is to order by, and the function that returns it of an item.
    called : str
        The items, for the message.
    reverse : bool
        The largest first.

    Raises
    ------
    ArgumentError
        If there is no such key.

    Examples
    --------
    >>> in_order(["b", "a"], "name", {"name": str}, called="runs", reverse=False)
    ('a', 'b')
    """
    if key not in values:
        guess = did_you_mean(key, values) or f"There are {', '.join(values)}."
        raise ArgumentError(f"--sort {key}: the {called} do not have that. {guess}")
    ranks = [(_rank(values[key](item)), item) for item in items]
    there = [(rank, item) for rank, item in ranks if rank is not None]
    there.sort(key=lambda pair: pair[0], reverse=reverse)
    missing = (item for rank, item in ranks if rank is None)
    return (*(item for _, item in there), *missing)


def _rank(value: Any) -> tuple[int, float, str] | None:
    """Return a key that sorts numbers before texts; None for a value that has no place."""
    if isinstance(value, int | float):
        return None if value != value else (0, float(value), "")
    return None if value is None else (1, 0.0, str(value))

"""Records: the named columns of a row, as arguments of a body.

The result of a body may be an array, or a tuple or a mapping of arrays, one per column.
"""

from __future__ import annotations

import functools
from collections import namedtuple
from collections.abc import Callable, Mapping
from typing import Any


class Record(tuple[Any, ...]):
    """Base class of the named tuples that `lossfw.Columns` makes."""

    __slots__ = ()


@functools.cache
def record_of(names: tuple[str, ...]) -> Callable[..., Record]:
    """Return the class of the records with these columns."""
    return type("Columns", (Record, namedtuple("Columns", names)), {"__slots__": ()})


def first_array(x: Any) -> Any:
    """Return the first column of a record, or the array itself."""
    return x[0] if isinstance(x, Record) else x


def map_arrays(function: Callable[[Any], Any], x: Any) -> Any:
    """Apply a function to each array of an argument or a result of a body."""
    if isinstance(x, Record):
        return type(x)(*[map_arrays(function, part) for part in x])
    if isinstance(x, tuple):
        return tuple([map_arrays(function, part) for part in x])
    if isinstance(x, Mapping):
        return {name: map_arrays(function, part) for name, part in x.items()}
    return function(x)

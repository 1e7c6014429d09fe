"""Types of parameters as a frozen component keeps them: a list becomes a tuple.

An author writes ``weights: list[float]``. A component is hashable and never changes, so
the parameter is a tuple, as YAML's lists and Python's become too.
"""

from __future__ import annotations

import types
from functools import reduce
from operator import or_
from typing import Annotated, Any, Union, get_args, get_origin


def frozen_type(annotation: Any) -> Any:
    """Return a type with tuples of any length in place of lists.

    Examples
    --------
    >>> frozen_type(list[float]), frozen_type(list[list[int]] | None)
    (tuple[float, ...], tuple[tuple[int, ...], ...] | None)
    """
    if annotation is list:
        return tuple[Any, ...]
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is list:
        return tuple[frozen_type(parts[0]), ...]  # type: ignore[misc]  # known at run time alone
    if origin is Annotated:
        return Annotated[(frozen_type(parts[0]), *parts[1:])]
    if origin in (Union, types.UnionType):
        return reduce(or_, map(frozen_type, parts))
    if origin is tuple:
        return tuple[tuple(map(frozen_type, parts))]  # type: ignore[misc]
    return annotation


def frozen_value(value: Any) -> Any:
    """Return a value with tuples in place of lists."""
    return tuple(map(frozen_value, value)) if isinstance(value, list) else value

"""Value and derivative from shared parts: each alone, and both together."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from lossfw import Array
from lossfw.numerics import with_float32_form

# A value and a derivative, computed on a call.
Deferred: TypeAlias = tuple[Callable[[], Any], Callable[[], Any]]

# Computes the parts, and returns what is made of them.
Parts: TypeAlias = Callable[..., Deferred]


class SharedParts(NamedTuple):
    """Functions that are computed from the same parts, with the same arguments."""

    value: Callable[..., Array]
    derivative: Callable[..., Any]
    both: Callable[..., tuple[Array, Any]]


def shared_parts(parts: Parts) -> SharedParts:
    """Decorate the function that computes the parts; return the functions of these parts."""

    @functools.wraps(parts)
    def value(*arguments: Any) -> Array:
        return parts(*arguments)[0]()

    @functools.wraps(parts)
    def derivative(*arguments: Any) -> Any:
        return parts(*arguments)[1]()

    @functools.wraps(parts)
    def both(*arguments: Any) -> tuple[Array, Any]:
        first, second = parts(*arguments)
        return first(), second()

    return SharedParts(value, derivative, both)


def with_float32_parts(plain: Parts, parts: Parts) -> SharedParts:
    """Return functions of (xp, x, ...); for float32, `plain` computes the parts in float64."""
    pairs = zip(shared_parts(plain), shared_parts(parts), strict=True)
    return SharedParts(*(with_float32_form(narrow)(wide) for narrow, wide in pairs))

"""A value and its derivative from parts that both need: each alone, and both together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from lossfw import Array, Namespace
from lossfw.numerics import with_float32_form

# Computes the parts, and returns a function of no argument for the value and for the derivative.
Parts: TypeAlias = Callable[..., tuple[Callable[[], Array], Callable[[], Array]]]


class SharedParts(NamedTuple):
    """The functions of (xp, x, ...) that are made of the same parts."""

    value: Callable[..., Array]
    derivative: Callable[..., Array]
    both: Callable[..., tuple[Array, Array]]


def from_parts(parts: Parts, plain: Parts | None = None) -> SharedParts:
    """Return the functions of some parts; `plain` has those by which float32 goes in float64."""
    wide = _functions(parts)
    narrow = wide if plain is None else _functions(plain)
    return SharedParts(*(with_float32_form(n)(w) for n, w in zip(narrow, wide, strict=True)))


def _functions(parts: Parts) -> SharedParts:
    def value(xp: Namespace, x: Array, *parameters: Any) -> Array:
        return parts(xp, x, *parameters)[0]()

    def derivative(xp: Namespace, x: Array, *parameters: Any) -> Array:
        return parts(xp, x, *parameters)[1]()

    def both(xp: Namespace, x: Array, *parameters: Any) -> tuple[Array, Array]:
        first, second = parts(xp, x, *parameters)
        return first(), second()

    return SharedParts(value, derivative, both)

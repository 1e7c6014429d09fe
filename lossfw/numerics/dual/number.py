"""Dual: an array together with its first and second derivative.

A derivative is called a part; see `lossfw.numerics.dual.parts`.

Rules where a function has no derivative, or more than one:

- ``abs`` has derivative 0 at 0; ``sign``, ``floor``, ``ceil``, ``round``,
  ``trunc`` and comparisons have derivative 0 everywhere.
- ``maximum``, ``minimum``, ``max`` and ``min`` at a tie have the mean of the derivatives
  of all tied elements; ``clip`` consists of the first two.
- ``where`` takes value and derivatives from the chosen branch only, and ignores NaN and
  infinity in the other.
- A product with a derivative that is exactly 0 is 0, also for an infinite or NaN factor. A
  factor 0 of an *infinite* derivative gives NaN, since the limit is not known.
- ``x**0`` is 1, with derivatives 0, for every x. ``0**p`` has the derivatives
  of its limit from the right. A negative base with an integer exponent is legal.
"""

from __future__ import annotations

import math
from typing import Any, NoReturn, Protocol

from lossfw.errors import ArgumentError
from lossfw.numerics.arrays import Array, Namespace, device_of
from lossfw.numerics.dual.parts import Tangent, add


class ChainRules(Protocol):
    """Protocol: the rules of a namespace that a dual number uses; see `DualNamespace`."""

    inner: Namespace
    parts: Namespace

    def chain(self, x: Dual, value: Array, derivative: Any, second_derivative: Any = None) -> Dual:
        """Return f(x)."""

    def combine(
        self, value: Array, a: tuple[Any, Any], b: tuple[Any, Any], *, mixed: Any = None
    ) -> Dual:
        """Return f(a, b)."""

    def quotient(self, a: Any, b: Any) -> Dual:
        """Return ``a / b``."""

    def pow(self, x: Any, p: Any) -> Any:
        """Return ``x**p``."""


class Dual:
    """An array with its first and second derivative along one direction.

    The derivatives are broadcastable to the shape of `value`; a float is for all elements,
    None is zero. `space` is the namespace of the number.
    """

    __slots__ = ("first", "second", "space", "value")

    # With this NumPy leaves ``array * dual`` to the methods below.
    __array_ufunc__ = None
    __hash__ = None  # type: ignore[assignment]  # as Python itself says it

    def __init__(self, value: Array, first: Tangent, second: Tangent, space: ChainRules) -> None:
        self.value = value
        self.first = first
        self.second = second
        self.space = space

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value."""
        return tuple(self.value.shape)

    @property
    def ndim(self) -> int:
        """The number of axes of the value."""
        return int(self.value.ndim)

    @property
    def size(self) -> int:
        """The number of elements of the value."""
        return math.prod(self.shape)

    @property
    def dtype(self) -> Any:
        """The dtype of the value."""
        return self.value.dtype

    @property
    def device(self) -> Any:
        """The device for a new array to combine with the value."""
        return device_of(self.value)

    def __array_namespace__(self, **_: Any) -> ChainRules:
        return self.space

    def __repr__(self) -> str:
        return f"Dual({self.value!r}, first={self.first!r}, second={self.second!r})"

    def __bool__(self) -> NoReturn:
        raise ArgumentError(
            "a body used the truth value of an array, as in 'if r > 0': a body runs on whole "
            "arrays, so write xp.where(r > 0, ..., ...)"
        )

    def __getitem__(self, key: Any) -> Dual:
        first, second = (
            part
            if part is None or isinstance(part, float)
            else self.space.parts.expand_like(part, self.value)[key]
            for part in (self.first, self.second)
        )
        return Dual(self.value[key], first, second, self.space)

    def __neg__(self) -> Dual:
        return Dual(-self.value, _neg(self.first), _neg(self.second), self.space)

    def __pos__(self) -> Dual:
        return self

    def __abs__(self) -> Dual:
        return self.space.chain(self, abs(self.value), self.space.inner.sign(self.value))

    def __add__(self, other: Any) -> Dual:
        if not isinstance(other, Dual):
            return Dual(self.value + other, self.first, self.second, self.space)
        first, second = add(self.first, other.first), add(self.second, other.second)
        return Dual(self.value + other.value, first, second, self.space)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Dual:
        return self.__add__(-other)

    def __rsub__(self, other: Any) -> Dual:
        return (-self).__add__(other)

    def __mul__(self, other: Any) -> Dual:
        b = value_of(other)
        return self.space.combine(self.value * b, (self, b), (other, self.value), mixed=lambda: 1.0)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Dual:
        return self.space.quotient(self, other)

    def __rtruediv__(self, other: Any) -> Dual:
        return self.space.quotient(other, self)

    def __pow__(self, other: Any) -> Any:
        return self.space.pow(self, other)

    def __rpow__(self, other: Any) -> Any:
        return self.space.pow(other, self)

    def __lt__(self, other: Any) -> Array:
        return self.value < value_of(other)

    def __le__(self, other: Any) -> Array:
        return self.value <= value_of(other)

    def __gt__(self, other: Any) -> Array:
        return self.value > value_of(other)

    def __ge__(self, other: Any) -> Array:
        return self.value >= value_of(other)

    def __eq__(self, other: object) -> Array:
        return self.value == value_of(other)

    def __ne__(self, other: object) -> Array:
        return self.value != value_of(other)


def value_of(x: Any) -> Any:
    """Return the value of a dual number, and anything else unchanged."""
    return x.value if isinstance(x, Dual) else x


def _neg(a: Tangent) -> Tangent:
    return None if a is None else -a

"""Unrolled: an array of records whose numbers are symbols of elements.

Operations of a body on axes after the first are NumPy operations on the array of symbols.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NoReturn, Protocol

import numpy as np

from lossfw.errors import TraceError
from lossfw.numerics.arrays import NDArray
from lossfw.numerics.symbolic.symbol import ELEMENTS, NUMBERS


class UnrolledSpace(Protocol):
    """Protocol: the namespace of an array of records, as its operators use it."""

    def elementwise(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return a function of elements."""

    def pow(self, x: Any, exponent: Any) -> Any:
        """Return ``x**exponent``."""


def _refuse(problem: str) -> Callable[..., NoReturn]:
    """Return a method that says what a body does that has no meaning on symbols."""

    def method(*_: object) -> NoReturn:
        raise TraceError(f"the body {problem}")

    return method


class Unrolled:
    """An array of records: `numbers` has one symbol per number, with a first axis of length 1.

    A body does not know the length of the first axis, that of the records.
    """

    __slots__ = ("dtype", "numbers", "space")

    # With this NumPy leaves ``array * unrolled`` to the methods below.
    __array_ufunc__ = None
    __hash__ = None  # type: ignore[assignment]  # as Python itself says it
    device = None

    def __init__(self, space: UnrolledSpace, numbers: NDArray, dtype: Any = None) -> None:
        self.space, self.numbers = space, numbers
        self.dtype = numbers.flat[0].dtype if dtype is None else dtype

    @property
    def shape(self) -> tuple[Any, ...]:
        """The shape, with a symbolic first length."""
        return (ELEMENTS, *self.numbers.shape[1:])

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.numbers.ndim

    def __array_namespace__(self, **_: Any) -> UnrolledSpace:
        return self.space

    def __getitem__(self, key: Any) -> Unrolled:
        keys = key if isinstance(key, tuple) else (key,)
        taken = [k for k in keys if k is not None and k is not Ellipsis]
        if not all(isinstance(k, int | slice | np.ndarray | type(None)) for k in taken):
            raise TraceError(f"the body takes a part of columns, by [{key!r}]")
        whole = not keys or keys[0] is Ellipsis or keys[0] == slice(None)
        first = keys[0] if keys and keys[0] is not Ellipsis else None
        if not whole or len(taken) - (first is not None) > self.ndim - 1:
            raise TraceError(f"the body takes some of the records, by [{key!r}]")
        return Unrolled(self.space, as_objects(self.numbers[key]), self.dtype)

    def __getattr__(self, name: str) -> NoReturn:
        # Python's own look-ups find nothing.
        if name.startswith("__"):
            raise AttributeError(name)
        raise TraceError(f"the body uses the attribute .{name} of an array")

    __bool__ = _refuse("decides by the values of an array, as in 'if r > 0'")
    __len__ = _refuse("uses the length of an array")
    __iter__ = _refuse("loops over the elements of an array")
    __float__ = _refuse("makes a number of an array, as functions of math do")
    __int__ = __index__ = __complex__ = __float__
    __setitem__ = _refuse("writes to an array")

    def __pos__(self) -> Unrolled:
        return self

    def __pow__(self, exponent: Any) -> Any:
        return self.space.pow(self, exponent)

    def __rpow__(self, base: Any) -> Any:
        return self.space.pow(base, self)


def _operator(function: Callable[..., Any], *, swapped: bool = False) -> Callable[..., Any]:
    def method(self: Unrolled, *others: Any) -> Any:
        if not all(isinstance(x, (Unrolled, np.ndarray, *NUMBERS)) for x in others):
            # Dual numbers know what to do.
            return NotImplemented
        return (
            self.space.elementwise(function, *others, self)
            if swapped
            else self.space.elementwise(function, self, *others)
        )

    return method


for _name in ("add", "sub", "mul", "truediv", "mod", "and", "or", "xor"):
    _function = getattr(operator, f"__{_name}__")
    setattr(Unrolled, f"__{_name}__", _operator(_function))
    setattr(Unrolled, f"__r{_name}__", _operator(_function, swapped=True))
for _name in ("lt", "le", "gt", "ge", "eq", "ne", "neg", "abs", "invert"):
    setattr(Unrolled, f"__{_name}__", _operator(getattr(operator, f"__{_name}__")))


def as_objects(items: Any) -> NDArray:
    """Return an array of objects, or of a single one that NumPy does not unpack."""
    if isinstance(items, np.ndarray):
        return items
    listed = items if isinstance(items, list | tuple) else [items]
    array = np.empty(len(listed), object)
    array[:] = listed
    return array if listed is items else array.reshape(())

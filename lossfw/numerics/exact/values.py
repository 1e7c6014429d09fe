"""Run bodies on the values that numbers hold, three times as fast as on the numbers.

Operators of gmpy2's numbers are written in C, and take precision and rounding from its current
context. They have a negative zero, which a division tells from 0. An array of values divides
without it; what meets it elsewhere, or whose product is beyond MPFR's exponents, raises and is
computed again on numbers of `lossfw.numerics.exact.number`. So every result has the digits that
it has there.

Imported on use only, since it needs gmpy2 and mpmath.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import gmpy2
import numpy as np

from lossfw.numerics.arrays import Array, Body, NDArray
from lossfw.numerics.exact.functions import context, power
from lossfw.numerics.exact.namespace import ExactNamespace, bits, namespace
from lossfw.numerics.exact.number import to_value
from lossfw.numerics.exact.wide import (
    BEYOND,
    FUNCTIONS,
    MPFR,
    ZERO,
    Context,
    Value,
    WideExponentNumber,
)

# What only numbers go on with.
_ONLY_NUMBERS = (*BEYOND, gmpy2.DivisionByZeroError)

# Arguments of other sizes, and equal ones, lead to exponents without end and to zeros.
_LEAST, _MOST = 1e-8, 1e8

# So few elements or rows are not divided any further to find those that only numbers go on with.
_FEWEST = 16


class ValueArray(np.ndarray[Any, Any]):
    """An object array of values; its quotients and powers take a negative zero for 0."""

    # A joined array is one of these if a part is.
    __array_priority__ = 1.0

    # Loops, of the precision and the rounding that a subclass has.
    quotient: ClassVar[Callable[..., Any]]
    power: ClassVar[Callable[..., Any]]

    def __truediv__(self, other: Any) -> Any:
        if _has_own_operators(other):
            return NotImplemented
        return self.quotient(self, other + ZERO)

    def __rtruediv__(self, other: Any) -> Any:
        return self.quotient(other, self + ZERO)

    # NumPy's own are overloaded for types that its arrays of objects do not have.
    def __pow__(self, other: Any) -> Any:  # type: ignore[override]
        if _has_own_operators(other):
            return NotImplemented
        return self.power(self + ZERO, _values_of(other))

    def __rpow__(self, other: Any) -> Any:  # type: ignore[override]
        return self.power(_values_of(other) + ZERO, self)


def _has_own_operators(x: Any) -> bool:
    """Tell whether operators of arrays are left to an object, as NumPy leaves them to a dual."""
    return getattr(x, "__array_ufunc__", False) is None


class ValueNamespace(ExactNamespace):
    """The namespace of exact numbers on bare values, in a context of gmpy2 that is current."""

    divide, pow = staticmethod(operator.truediv), staticmethod(operator.pow)

    def __init__(self, digits: int, rounding: str) -> None:
        super().__init__(digits, rounding)
        rules = context(bits(digits), rounding)
        self.context = gmpy2.context(rules, trap_divzero=True)
        self.array_type, self._to_value = _array_type(rules), _value_of

    def __getattr__(self, name: str) -> Any:
        found = super().__getattr__(name)
        if not callable(found) or isinstance(found, type):
            return found

        def of_values(*x: Any, **options: Any) -> Any:
            result = found(*x, **options)
            # Not all functions of NumPy return arrays of the class that they get.
            is_plain = type(result) is np.ndarray and result.dtype == object
            return result.view(self.array_type) if is_plain else result

        setattr(self, name, of_values)
        return of_values

    def exact(self, x: Any) -> Array:
        """Return numbers of any kind as an array of values."""
        if type(x) is self.array_type:
            return x
        x = np.asarray(x)
        if not (x.dtype == object and x.size and type(x.flat[0]) is MPFR):
            values = np.empty(x.size, object)
            values[:] = [self._to_value(item) for item in x.ravel().tolist()]
            x = values.reshape(x.shape)
        return x.view(self.array_type)

    def where(self, condition: Array, a: Any, b: Any) -> Array:
        """Return `a` where `condition` holds and `b` elsewhere."""
        result = super().where(condition, a, b)
        return result.view(self.array_type) if result.dtype == object else result

    def full(self, shape: Any, fill_value: Any, dtype: Any = None, **_: Any) -> Array:
        """Return an array with one value."""
        result = super().full(shape, fill_value, dtype)
        return result.view(self.array_type) if result.dtype == object else result

    def _number_type(self, number: Any) -> Any:
        return lambda value: value

    def _unary(self, function: Callable[..., Value]) -> Callable[[Any], Array]:
        loop = np.frompyfunc(function, 1, 1)
        return lambda x: loop(self.exact(x))

    def _binary(self, function: Callable[..., Value]) -> Callable[[Any, Any], Array]:
        loop = np.frompyfunc(function, 2, 1)
        return lambda a, b: loop(self.exact(a) + ZERO, self.exact(b) + ZERO)

    def _test(self, function: Callable[..., bool]) -> Callable[[Any], Array]:
        test = np.frompyfunc(function, 1, 1)
        return lambda x: np.asarray(test(self.exact(x)), dtype=bool)


def _value_of(x: Any) -> Value:
    return x if isinstance(x, MPFR | WideExponentNumber) else to_value(x)


def _values_of(x: Any) -> Any:
    """Return a number, or those of an array, as values."""
    is_known = isinstance(x, ValueArray) and x.dtype == object
    return x if is_known else np.frompyfunc(_value_of, 1, 1)(x)


def _array_type(rules: Context) -> type[ValueArray]:
    """Return the class of arrays whose quotients and powers have the rules of a context."""
    power_of = power(rules)
    loops = {"quotient": _loop(rules, "div", rules.div), "power": _loop(rules, "pow", power_of)}
    return type("Values", (ValueArray,), loops)


def _loop(rules: Context, name: str, compute: Callable[..., Value]) -> Any:
    """Return a loop of a function of two values, another one where MPFR's exponents end."""
    beyond = FUNCTIONS[name]

    def compute_each(a: Value, b: Value) -> Value:
        try:
            return compute(a, b)
        except BEYOND:
            return beyond(rules, _value_of(a), _value_of(b))

    fast, slow = (np.frompyfunc(function, 2, 1) for function in (compute, compute_each))

    def loop(a: Any, b: Any) -> Any:
        try:
            return fast(a, b)
        except BEYOND:
            return slow(a, b)

    return staticmethod(loop)


_values = functools.cache(ValueNamespace)


def run(body: Body, level: tuple[int, str], arrays: Sequence[Array]) -> Array:
    """Return the results of a body as exact numbers of a level; see `truth.run`."""
    try:
        return _on_values(body, level, arrays)
    except _ONLY_NUMBERS:
        count = len(arrays[0])
        if count <= _FEWEST:
            return _on_numbers(body, level, arrays)
    parts = _two_parts(arrays)
    first, second = (run(body, level, [x[part] for x in arrays]) for part in parts)
    result = np.empty((count, *first.shape[1:]), object)
    result[parts[0]], result[parts[1]] = first, second
    return result


def _on_values(body: Body, level: tuple[int, str], arrays: Sequence[Array]) -> Array:
    xp = _values(*level)
    with xp.context:
        found = xp.exact(body(xp, *[xp.prepare(x) for x in arrays]))
    return np.frompyfunc(namespace(*level).number, 1, 1)(found)


def _on_numbers(body: Body, level: tuple[int, str], arrays: Sequence[Array]) -> Array:
    xp = namespace(*level)
    return xp.exact(body(xp, *[xp.prepare(x) for x in arrays]))


def _two_parts(arrays: Sequence[Array]) -> tuple[NDArray, NDArray]:
    """Return the numbers of usual elements or rows and of others, else of two halves.

    Numbers that are 0, equal, tiny, huge or infinite are not usual.
    """
    count = len(arrays[0])
    numbers = [x.astype(np.float64).reshape(count, -1) for x in arrays if x.dtype.kind in "fO"]
    every = np.sort(np.concatenate(numbers, axis=1), axis=1)
    with np.errstate(all="ignore"):
        is_usual = ((np.abs(every) >= _LEAST) & (np.abs(every) <= _MOST)).all(axis=1)
        is_usual &= (np.diff(every, axis=1) != 0).all(axis=1)
    if is_usual.all() or not is_usual.any():
        is_usual = np.arange(count) < count // 2
    return np.flatnonzero(is_usual), np.flatnonzero(~is_usual)

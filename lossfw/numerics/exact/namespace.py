"""The array namespace of exact numbers, for reference values of a body.

An exact array is a NumPy object array of `lossfw.numerics.exact.number.Number`, so
that indexing, broadcasting and operators are those of NumPy. Functions are those of the
array API for floats, with two differences: there is no negative zero, and exponents have
no bound.

::

    exact_array(x)                  numbers as exact ones, without rounding
    ExactNamespace(digits=60)       the functions of the array API on them

`lossfw.numerics.exact.truth` evaluates a body with as many digits as it needs;
`lossfw.numerics.exact.differences` computes its derivatives. gmpy2 is imported on use, and
a `MissingExtraError` is raised without it.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from operator import attrgetter
from types import ModuleType
from typing import Any, NoReturn

import numpy as np

from lossfw.errors import ArgumentError, MissingExtraError
from lossfw.extras import install_command
from lossfw.numerics.arrays import Array, TextbookNamespace

# Decimal digits by default.
DIGITS = 60

# Functions of NumPy that work on object arrays.
_NUMPY = (
    *("add", "subtract", "multiply", "divide", "negative", "positive", "abs", "pow"),
    *("less", "less_equal", "greater", "greater_equal", "equal", "not_equal"),
    *("logical_and", "logical_or", "logical_not", "logical_xor", "any", "all"),
    *("argmax", "argmin", "argsort", "count_nonzero", "arange", "eye"),
    *("reshape", "expand_dims", "squeeze", "permute_dims", "moveaxis", "broadcast_to"),
    *("broadcast_arrays", "flip", "roll", "repeat", "tile", "take", "take_along_axis"),
    *("bool", "int8", "int16", "int32", "int64", "newaxis", "inf", "nan"),
)


def number_module() -> ModuleType:
    """Return `lossfw.numerics.exact.number`; without gmpy2 or mpmath raise `MissingExtraError`."""
    try:
        from lossfw.numerics.exact import number
    except ImportError as error:
        raise MissingExtraError(
            f"exact numbers need gmpy2 and mpmath ({error}): install them with "
            f"{install_command('check')}"
        ) from None
    return number


def bits(digits: int) -> int:
    """Return the number of bits for a number of decimal digits."""
    return math.ceil(digits * math.log2(10))


def exact_array(x: Any, digits: int = DIGITS) -> Array:
    """Return floats, integers or exact numbers as exact numbers, each without rounding.

    Examples
    --------
    >>> exact_array([0.5, 0.1])
    array([0.5, 0.10000000000000000555], dtype=object)
    """
    return namespace(digits).exact(x)


@functools.cache
def namespace(digits: int = DIGITS, rounding: str = "n") -> ExactNamespace:
    """Return the namespace of a number of digits, made once."""
    return ExactNamespace(digits, rounding)


class ExactNamespace(TextbookNamespace):
    """The array namespace of exact numbers.

    A rounding is "n" to the nearest, "u" away from zero, "d" towards zero. `float32` and
    `float64` are the dtype of exact arrays, also for a body that converts to floats.
    """

    float32 = float64 = np.dtype(object)

    def __init__(self, digits: int = DIGITS, rounding: str = "n") -> None:
        number = number_module()
        from lossfw.numerics.exact import functions

        self.digits = digits
        precision = bits(digits), rounding
        self._polygamma_of = functools.partial(functions.polygamma_of, *precision)
        self.number = self._number_type(number.number_type(*precision))
        self._to_value = number.to_value
        for name, constant in functions.constants(*precision).items():
            setattr(self, name, self.number(constant))
        for name, function in functions.unary(*precision).items():
            setattr(self, name, self._unary(function))
        for name, binary in functions.binary(*precision).items():
            setattr(self, name, self._binary(binary))
        for name, test in functions.TESTS.items():
            setattr(self, name, self._test(test))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in _NUMPY:
            return getattr(np, name)
        if not hasattr(np, name):
            raise AttributeError(f"the array API has no function {name!r}")

        def missing(*_: Any, **__: Any) -> NoReturn:
            raise ArgumentError(
                f"xp.{name} is not there on exact numbers, so this body has no exact value: "
                "write it with other functions, or give a formula that does without"
            )

        return missing

    # From floats to exact numbers.

    def exact(self, x: Any) -> Array:
        """Return numbers of any kind as an array of exact ones."""
        x = np.asarray(x)
        if x.dtype == object and x.size and type(x.flat[0]) is self.number:
            return x
        number, to_value = self.number, self._to_value
        result = np.empty(x.size, object)
        result[:] = [number(to_value(item)) for item in x.ravel().tolist()]
        return result.reshape(x.shape)

    def prepare(self, x: Array) -> Array:
        """Return numbers as exact numbers, and class indices and truth values as they are."""
        return x if x.dtype.kind in "biu" else self.exact(x)

    def _number_type(self, number: Any) -> Any:
        """Return what makes a number of the arrays from its value."""
        return number

    def _unary(self, function: Callable[..., Any]) -> Callable[[Any], Array]:
        number = self.number
        loop = np.frompyfunc(lambda x: number(function(x.value)), 1, 1)
        return lambda x: loop(self.exact(x))

    def _binary(self, function: Callable[..., Any]) -> Callable[[Any, Any], Array]:
        number = self.number
        loop = np.frompyfunc(lambda a, b: number(function(a.value, b.value)), 2, 1)
        return lambda a, b: loop(self.exact(a), self.exact(b))

    def _test(self, function: Callable[..., bool]) -> Callable[[Any], Array]:
        # Two loops without a function of Python: bodies test every product for NaN.
        values, test = np.frompyfunc(attrgetter("value"), 1, 1), np.frompyfunc(function, 1, 1)
        return lambda x: np.asarray(test(values(self.exact(x))), dtype=bool)

    def polygamma(self, order: int, x: Any) -> Array:
        """Return digamma for the order 0, or a derivative of it, of finite `x` above 0."""
        return self._unary(self._polygamma_of(order))(x)

    def asarray(self, x: Any, dtype: Any = None, **_: Any) -> Array:
        """Return an array; of exact numbers unless it is of integers or truth values."""
        x = np.asarray(x)
        if dtype is not None and np.dtype(dtype).kind in "biu":
            return x.astype(dtype)
        return self.exact(x) if dtype is not None or x.dtype.kind not in "biu" else x

    def astype(self, x: Array, dtype: Any, copy: bool = True) -> Array:
        """Return `x` as exact numbers, or as integers or truth values."""
        return self.asarray(x, dtype)

    def full_like(self, x: Array, fill_value: Any, dtype: Any = None, **_: Any) -> Array:
        """Return an array of the shape of `x` with one value."""
        return self.full(np.shape(x), fill_value, dtype=dtype)

    def zeros_like(self, x: Array, dtype: Any = None, **_: Any) -> Array:
        """Return zeros of the shape of `x`."""
        return self.full(np.shape(x), 0, dtype=dtype)

    def ones_like(self, x: Array, dtype: Any = None, **_: Any) -> Array:
        """Return ones of the shape of `x`."""
        return self.full(np.shape(x), 1, dtype=dtype)

    def full(self, shape: Any, fill_value: Any, dtype: Any = None, **_: Any) -> Array:
        """Return an array with one value; exact numbers are not written to, so it is shared."""
        if dtype is not None and np.dtype(dtype).kind in "biu":
            return np.full(shape, fill_value, dtype)
        result = np.empty(shape, object)
        result.fill(self.number(self._to_value(fill_value)))
        return result

    def zeros(self, shape: Any, dtype: Any = None, **_: Any) -> Array:
        """Return zeros."""
        return self.full(shape, 0, dtype)

    def ones(self, shape: Any, dtype: Any = None, **_: Any) -> Array:
        """Return ones."""
        return self.full(shape, 1, dtype)

    # Choice.

    def where(self, condition: Array, a: Any, b: Any) -> Array:
        """Return `a` where `condition` holds and `b` elsewhere."""
        if all(np.asarray(x).dtype.kind in "biu" and np.ndim(x) for x in (a, b)):
            return np.where(condition, a, b)
        return np.where(condition, self.exact(a), self.exact(b))

    def clip(self, x: Array, min: Any = None, max: Any = None) -> Array:  # noqa: A002  # the standard's names
        """Return `x` kept within [min, max]."""
        x = x if min is None else self.maximum(x, min)
        return x if max is None else self.minimum(x, max)

    def sort(self, x: Array, *, axis: int = -1, descending: bool = False) -> Array:
        """Return `x` sorted."""
        ordered = np.sort(x, axis=axis)
        return np.flip(ordered, axis=axis) if descending else ordered

    def stack(self, arrays: Sequence[Array], *, axis: int = 0) -> Array:
        """Join arrays along a new axis."""
        return np.stack(self._alike(arrays), axis=axis)

    def concat(self, arrays: Sequence[Array], *, axis: int | None = 0) -> Array:
        """Join arrays along an axis that they have."""
        return np.concatenate(self._alike(arrays), axis=axis)

    def _alike(self, arrays: Sequence[Array]) -> list[Array]:
        if all(x.dtype.kind in "biu" for x in arrays):
            return list(arrays)
        return [self.exact(x) for x in arrays]

    # Reductions.

    def sum(self, x: Array, *, axis: Any = None, keepdims: bool = False, **_: Any) -> Array:
        """Return the sum along an axis."""
        x = self.exact(x)
        # Without elements NumPy would return the integer 0.
        start = {} if x.size else {"initial": self.number(self._to_value(0))}
        return np.add.reduce(x, axis=axis, keepdims=keepdims, **start)

    def prod(self, x: Array, *, axis: Any = None, keepdims: bool = False, **_: Any) -> Array:
        """Return the product along an axis."""
        x = self.exact(x)
        start = {} if x.size else {"initial": self.number(self._to_value(1))}
        return np.multiply.reduce(x, axis=axis, keepdims=keepdims, **start)

    def mean(self, x: Array, *, axis: Any = None, keepdims: bool = False) -> Array:
        """Return the mean along an axis."""
        total = self.sum(x, axis=axis, keepdims=keepdims)
        return total / max(1, np.size(x) // max(1, np.size(total)))

    def max(self, x: Array, *, axis: int | None = None, keepdims: bool = False) -> Array:
        """Return the largest along an axis; NaN if there is one."""
        return self._fold(self.maximum, x, axis, keepdims)

    def min(self, x: Array, *, axis: int | None = None, keepdims: bool = False) -> Array:
        """Return the smallest along an axis; NaN if there is one."""
        return self._fold(self.minimum, x, axis, keepdims)

    def _fold(self, choice: Callable[..., Array], x: Array, axis: Any, keepdims: bool) -> Array:
        x = self.exact(x)
        if axis is None:
            folded = functools.reduce(choice, x.ravel())
            return np.full((1,) * x.ndim, folded, object) if keepdims else folded
        folded = functools.reduce(choice, np.moveaxis(x, axis, 0))
        return np.expand_dims(folded, axis) if keepdims else folded

    def cumulative_sum(self, x: Array, *, axis: int | None = None, **_: Any) -> Array:
        """Return the running sum along an axis."""
        return np.add.accumulate(x, axis=-1 if axis is None else axis)

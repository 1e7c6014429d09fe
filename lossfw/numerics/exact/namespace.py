"""The array namespace of exact numbers, for reference values of a body.

Exact numbers are balls of Arb: numbers with a bound of their error. Functions are those of the
array API for floats, with two differences: there is no negative zero, and exponents have no bound.

::

    exact_array(x)                  numbers as exact ones, without rounding
    ExactNamespace(digits=60)       the functions of the array API on arrays of balls

An exact array is a NumPy object array of `lossfw.numerics.exact.number.Number`, so that indexing,
broadcasting and operators are those of NumPy. The functions compute on arrays of bare balls
(`lossfw.numerics.exact.array`), several times as fast, and take both.

`lossfw.numerics.exact.truth` evaluates a body with as many digits as it needs;
`lossfw.numerics.exact.differences` computes its derivatives. python-flint is imported on use, and
a `MissingExtraError` is raised without it.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
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
    *("count_nonzero", "arange", "eye"),
    *("reshape", "expand_dims", "squeeze", "permute_dims", "moveaxis", "broadcast_to"),
    *("broadcast_arrays", "flip", "roll", "repeat", "tile", "take", "take_along_axis"),
    *("bool", "int8", "int16", "int32", "int64", "newaxis", "inf", "nan"),
)


def exact_modules() -> tuple[ModuleType, ModuleType, ModuleType]:
    """Return the modules of functions, numbers and arrays, which need python-flint."""
    try:
        from lossfw.numerics.exact import array, functions, number
    except ImportError as error:
        raise MissingExtraError(
            f"exact numbers need python-flint ({error}): install it with {install_command('check')}"
        ) from None
    return functions, number, array


def bits(digits: int) -> int:
    """Return the number of bits for a number of decimal digits."""
    return math.ceil(digits * math.log2(10))


def exact_array(x: Any, digits: int = DIGITS) -> Array:
    """Return floats, integers or exact numbers as exact numbers without rounding.

    Examples
    --------
    >>> exact_array([0.5, 0.1])
    array([0.5, 0.10000000000000000555], dtype=object)
    """
    _, number, array = exact_modules()
    n_bits = bits(digits)
    wrap = np.frompyfunc(lambda ball: number.Number(ball, n_bits), 1, 1)
    return np.asarray(wrap(array.balls_of(x)), object)


@functools.cache
def namespace(digits: int = DIGITS) -> ExactNamespace:
    """Return the cached namespace of a number of digits."""
    return ExactNamespace(digits)


class ExactNamespace(TextbookNamespace):
    """The array namespace of exact numbers.

    `float32` and `float64` are the dtype of exact arrays, also for a body that converts to floats.
    """

    float32 = float64 = np.dtype(object)

    def __init__(self, digits: int = DIGITS) -> None:
        self.digits = digits
        self._functions, number, arrays = exact_modules()
        self._balls_of, self._type = arrays.balls_of, arrays.array_type(bits(digits))
        self._whole = np.frompyfunc(lambda x: int(number.Number(x, 0)), 1, 1)
        for name, compute in (self._functions.UNARY | self._functions.BINARY).items():
            setattr(self, name, self._vectorise(compute))
        for name, test in self._functions.TESTS.items():
            setattr(self, name, self._vectorise_test(test))
        self._larger, self._smaller = (
            np.frompyfunc(self._functions.BINARY[name], 2, 1) for name in ("maximum", "minimum")
        )
        self.pi, self.e = (self.to_balls(x)[()] for x in (self.atan2(0, -1), self.exp(1)))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in _NUMPY:
            return getattr(np, name)
        if not hasattr(np, name):
            raise AttributeError(f"the array API has no function {name!r}")

        def missing(*_: Any, **__: Any) -> NoReturn:
            raise ArgumentError(
                f"xp.{name} is not available for exact numbers, so this body has no exact value: "
                "write it with other functions, or give a formula without it"
            )

        return missing

    # From floats to exact numbers.

    def to_balls(self, x: Any) -> Array:
        """Return numbers of any kind as an array of balls."""
        return x if type(x) is self._type else self._balls_of(x).view(self._type)

    def prepare(self, x: Array) -> Array:
        """Return numbers as balls, and class indices and Booleans unchanged."""
        return x if x.dtype.kind in "biu" else self.to_balls(x)

    def _vectorise(self, compute: Callable[..., Any]) -> Callable[..., Array]:
        """Return a function of arrays by that of balls."""
        loop = np.frompyfunc(compute, compute.__code__.co_argcount, 1)
        return lambda *x: loop(*map(self.to_balls, x))

    def _vectorise_test(self, test: Callable[..., bool]) -> Callable[[Any], Array]:
        loop = np.frompyfunc(test, 1, 1)
        return lambda x: np.asarray(loop(self._balls_of(x)), bool)

    def polygamma(self, order: int, x: Any) -> Array:
        """Return digamma for the order 0, or a derivative of it, of finite `x` above 0."""
        return self._vectorise(self._functions.polygamma(order))(x)

    def asarray(self, x: Any, dtype: Any = None, **_: Any) -> Array:
        """Return an array, of exact numbers unless it has integers or Booleans."""
        x = x if type(x) is self._type else np.asarray(x)
        if dtype is not None and np.dtype(dtype).kind in "biu":
            return self._whole(x).astype(dtype) if x.dtype == object else x.astype(dtype)
        return self.to_balls(x) if dtype is not None or x.dtype.kind not in "biu" else x

    def astype(self, x: Array, dtype: Any, copy: bool = True) -> Array:
        """Return `x` as exact numbers, integers or Booleans."""
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
        """Return an array with one value, which is shared because balls are immutable."""
        if dtype is not None and np.dtype(dtype).kind in "biu":
            return np.full(shape, fill_value, dtype)
        result = np.empty(shape, object)
        result.fill(self._balls_of(fill_value)[()])
        return result.view(self._type)

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
        return np.where(condition, self.to_balls(a), self.to_balls(b))

    def clip(self, x: Array, min: Any = None, max: Any = None) -> Array:  # noqa: A002  # the standard's names
        """Return `x` clipped to [min, max]."""
        x = x if min is None else self.maximum(x, min)
        return x if max is None else self.minimum(x, max)

    def sort(self, x: Array, *, axis: int = -1, descending: bool = False) -> Array:
        """Return `x` sorted."""
        x = self.to_balls(x)
        order = self.argsort(x, axis=axis, descending=descending)
        return np.take_along_axis(x, order, axis=axis)

    def argsort(
        self, x: Array, *, axis: int = -1, descending: bool = False, stable: bool = True
    ) -> Array:
        """Return the indices that sort `x`, by the middles of balls; NaN is last."""
        x = self.to_balls(x)
        x = np.moveaxis(-x if descending else x, axis, -1)
        order = np.empty(x.shape, np.int64)
        for place in np.ndindex(x.shape[:-1]):
            order[place] = self._functions.sorting_indices(x[place].tolist())
        return np.moveaxis(order, -1, axis)

    def stack(self, arrays: Sequence[Array], *, axis: int = 0) -> Array:
        """Join arrays along a new axis."""
        return np.stack(self._to_one_kind(arrays), axis=axis)

    def concat(self, arrays: Sequence[Array], *, axis: int | None = 0) -> Array:
        """Join arrays along an axis that they have."""
        return np.concatenate(self._to_one_kind(arrays), axis=axis)

    def _to_one_kind(self, arrays: Sequence[Array]) -> list[Array]:
        if all(x.dtype.kind in "biu" for x in arrays):
            return list(arrays)
        return [self.to_balls(x) for x in arrays]

    # Reductions.

    def sum(self, x: Array, *, axis: Any = None, keepdims: bool = False, **_: Any) -> Array:
        """Return the sum along an axis."""
        return self._reduce(np.add, x, axis, keepdims, start=0)

    def prod(self, x: Array, *, axis: Any = None, keepdims: bool = False, **_: Any) -> Array:
        """Return the product along an axis."""
        return self._reduce(np.multiply, x, axis, keepdims, start=1)

    def mean(self, x: Array, *, axis: Any = None, keepdims: bool = False) -> Array:
        """Return the mean along an axis."""
        total = self.sum(x, axis=axis, keepdims=keepdims)
        return total / max(1, np.size(x) // max(1, np.size(total)))

    def max(self, x: Array, *, axis: Any = None, keepdims: bool = False) -> Array:
        """Return the largest along an axis; NaN if there is one."""
        return self._reduce(self._larger, x, axis, keepdims)

    def min(self, x: Array, *, axis: Any = None, keepdims: bool = False) -> Array:
        """Return the smallest along an axis; NaN if there is one."""
        return self._reduce(self._smaller, x, axis, keepdims)

    def argmax(self, x: Array, *, axis: int | None = None, keepdims: bool = False) -> Array:
        """Return the index of the first largest."""
        x = self.to_balls(x)
        is_it = x == self.max(x, axis=axis, keepdims=True)
        return np.argmax(is_it, axis=axis, keepdims=keepdims)

    def argmin(self, x: Array, *, axis: int | None = None, keepdims: bool = False) -> Array:
        """Return the index of the first smallest."""
        return self.argmax(-self.to_balls(x), axis=axis, keepdims=keepdims)

    def cumulative_sum(self, x: Array, *, axis: int | None = None, **_: Any) -> Array:
        """Return the running sum along an axis."""
        return np.add.accumulate(self.to_balls(x), axis=-1 if axis is None else axis)

    def _reduce(
        self, function: Any, x: Array, axis: Any, keepdims: bool, start: int | None = None
    ) -> Array:
        x = self.to_balls(x)
        if axis is None:
            # A function of Python reduces along one axis.
            found = self._reduce(function, x.reshape(-1), 0, False, start)
            return found.reshape((1,) * x.ndim) if keepdims else found
        # Without elements NumPy would return the integer 0.
        first = {} if x.size or start is None else {"initial": self._balls_of(start)[()]}
        return function.reduce(x, axis=axis, keepdims=keepdims, **first)

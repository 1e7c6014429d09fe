"""ExactArray: an array of balls, whose operators are those of floats.

It is an object array of NumPy. Operations and NumPy functions have the number of bits of the
array's class; a single element is a `Number`.

It is imported only on use, because it needs python-flint.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
from flint import arb

from lossfw.numerics.exact.functions import (
    NAN,
    divide,
    equal,
    less,
    less_equal,
    power,
    precision,
    to_ball,
)
from lossfw.numerics.exact.number import Number

_to_balls = np.frompyfunc(to_ball, 1, 1)
_from_floats = np.frompyfunc(arb, 1, 1)

# The bytes of Python's floats; longer ones would be rounded.
_FLOAT = 8

# Functions of NumPy whose loops over objects are not those of floats.
_LOOPS: Mapping[Any, Callable[..., Any]] = {
    np.divide: np.frompyfunc(divide, 2, 1),
    np.power: np.frompyfunc(power, 2, 1),
}
_COMPARISONS: Mapping[Any, Callable[..., Any]] = {
    np.less: np.frompyfunc(less, 2, 1),
    np.less_equal: np.frompyfunc(less_equal, 2, 1),
    np.greater: np.frompyfunc(lambda a, b: less(b, a), 2, 1),
    np.greater_equal: np.frompyfunc(lambda a, b: less_equal(b, a), 2, 1),
    np.equal: np.frompyfunc(equal, 2, 1),
    np.not_equal: np.frompyfunc(lambda a, b: not equal(a, b), 2, 1),
}


class ExactArray(np.ndarray[Any, Any]):
    """An array of balls; `array_type` makes its classes, one per number of bits."""

    # A joined array is one of these if a part is.
    __array_priority__ = 1.0

    bits: ClassVar[int]

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """Compute a function of NumPy on balls."""
        balls = [balls_of(x) for x in inputs]
        compare = _COMPARISONS.get(ufunc)
        if compare is not None:
            return np.asarray(compare(*balls), bool)
        # An operation in place, such as `+=`, writes to the array itself.
        written = options.pop("out", ())
        if written:
            options["out"] = tuple(x.view(np.ndarray) for x in written)
        with precision(self.bits):
            found = getattr(_LOOPS.get(ufunc, ufunc), method)(*balls, **options)
        return written[0] if written else self._alike(found)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        """Return the result of another function of NumPy as one of these arrays."""
        with precision(self.bits):
            return self._alike(super().__array_function__(function, types, args, options))

    def __getitem__(self, key: Any) -> Any:
        """Return a part, or a `Number`."""
        found = super().__getitem__(key)
        return Number(found, self.bits) if type(found) is arb else found

    def _alike(self, found: Any) -> Any:
        if type(found) is arb:
            found = np.asarray(found, object)
        is_plain = isinstance(found, np.ndarray) and found.dtype == object
        return found.view(type(self)) if is_plain else found


@functools.cache
def array_type(bits: int) -> type[ExactArray]:
    """Return the class of arrays with a number of bits."""
    return type("ExactArray", (ExactArray,), {"bits": bits})


def balls_of(x: Any) -> Any:
    """Return numbers of any kind, also Booleans, as an object array of balls."""
    if isinstance(x, ExactArray):
        return x.view(np.ndarray)
    if isinstance(x, np.ndarray) and x.dtype.kind == "f" and x.itemsize <= _FLOAT:
        # Most conversions: without a call of Python for each number.
        balls = np.asarray(_from_floats(x), object)
        if (is_nan := np.isnan(x)).any():
            balls[is_nan] = NAN
        return balls
    return np.asarray(_to_balls(np.asarray(x, getattr(x, "dtype", object))), object)

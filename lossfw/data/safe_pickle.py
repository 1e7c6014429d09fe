"""Reader of pickled NumPy arrays that executes nothing from the pickle.

A pickle is a program, which `lossfw.data.pickle_interpreter` follows. It may call the few functions
by which NumPy writes an array. Functions of this module replace them: they check their arguments
and keep them as plain data, from which arrays are made afterwards.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from lossfw.data.pickle_interpreter import PickleInterpreter, RefusedError, value_text
from lossfw.errors import DataError
from lossfw.numerics.arrays import NDArray

# Dtypes as NumPy names them in a pickle: booleans, integers, floats.
_DTYPE_NAME = re.compile(r"b1|[iu][1248]|f[248]")
_DIMENSIONS = 32


class _Dtype:
    """Stand-in for a dtype: its name, and its byte order once that is set."""

    __slots__ = ("name", "order")

    def __init__(self, name: str) -> None:
        self.name, self.order = name, "="

    def take_state(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) < 2 or state[1] not in ("<", ">", "|", "="):
            raise RefusedError(f"a dtype with the state {value_text(state)}")
        if state[2:5] != (None, None, None):
            raise RefusedError("a structured dtype")
        self.order = state[1]

    def dtype(self) -> np.dtype[Any]:
        return np.dtype(self.order + self.name)


class _ArrayParts(NamedTuple):
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    order: Any
    content: bytes


class _Array:
    """Stand-in for an array: its shape, dtype, order and content."""

    __slots__ = ("parts",)

    def __init__(self, parts: _ArrayParts | None = None) -> None:
        self.parts = parts

    def take_state(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) != 5 or not isinstance(state[3], bool | int):
            raise RefusedError("an array with a state that NumPy does not write")
        _, shape, dtype, fortran_order, content = state
        self.parts = _check_parts(shape, dtype, "F" if fortran_order else "C", content)

    def array(self) -> NDArray:
        if self.parts is None:
            raise RefusedError("an array without content")
        shape, dtype, order, content = self.parts
        # A copy in native byte order, which the caller may write to.
        flat = np.frombuffer(content, dtype).astype(dtype.newbyteorder("="))
        return flat.reshape(shape, order=order)


def _check_parts(shape: Any, dtype: Any, order: Any, content: Any) -> _ArrayParts:
    """Check the parts of an array against each other."""
    if not isinstance(dtype, _Dtype):
        raise RefusedError("an array without a dtype of numbers")
    if isinstance(content, str):  # Python 2 and protocols before 3 write bytes as text
        content = content.encode("latin-1")
    if not isinstance(content, bytes | bytearray):
        raise RefusedError("an array of Python objects")
    if not isinstance(shape, tuple) or len(shape) > _DIMENSIONS:
        raise RefusedError(f"an array of the shape {value_text(shape)}")
    if not all(type(length) is int and length >= 0 for length in shape):
        raise RefusedError(f"an array of the shape {value_text(shape)}")
    kind = dtype.dtype()
    size = math.prod(shape) * kind.itemsize
    if size != len(content):
        raise RefusedError(
            f"an array of shape {shape!r:.60} and {size:.6g} bytes that holds {len(content)}"
        )
    if order not in ("C", "F"):
        raise RefusedError(f"an array in the order {value_text(order)}")
    return _ArrayParts(shape, kind, order, bytes(content))


def _make_array(*_: Any) -> _Array:
    return _Array()


def _make_from_buffer(content: Any, dtype: Any, shape: Any, order: Any, *_: Any) -> _Array:
    return _Array(_check_parts(shape, dtype, order, content))


def _make_dtype(name: Any, *_: Any) -> _Dtype:
    if not isinstance(name, str) or not _DTYPE_NAME.fullmatch(name):
        objects = isinstance(name, str) and name.startswith("O")
        raise RefusedError(
            "an array of Python objects" if objects else f"the dtype {value_text(name)}"
        )
    return _Dtype(name)


def _make_bytes(text: Any, encoding: Any = None) -> bytes:
    # Protocols before 3 write bytes as _codecs.encode(text, "latin1"): no other codec.
    if not isinstance(text, str) or encoding != "latin1":
        raise RefusedError(f"_codecs.encode to {value_text(encoding)}")
    return text.encode("latin-1")


# All names that a pickle may hold. NumPy 2 calls its core numpy._core.
_ADMITTED: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "ndarray"): _make_array,
    ("numpy", "dtype"): _make_dtype,
    ("_codecs", "encode"): _make_bytes,
    **{
        (core + module, name): make
        for core in ("numpy.core.", "numpy._core.")
        for module, name, make in (
            ("multiarray", "_reconstruct", _make_array),
            ("numeric", "_frombuffer", _make_from_buffer),
        )
    },
}


def read_pickle(content: bytes, location: str) -> dict[str, NDArray]:
    """Return the arrays by name of a pickled dictionary of NumPy arrays, of any protocol up to 5.

    It neither imports nor calls a function that the pickle names.
    """
    try:
        return _check_arrays(PickleInterpreter(_ADMITTED).run(content))
    except RefusedError as error:
        raise DataError(
            f"{location} is a pickle that asks for {error}. Only NumPy arrays of numbers in a "
            "dictionary are read from a pickle, and nothing was executed. Save the weights with "
            "numpy.savez instead."
        ) from None
    # A damaged or hostile pickle may raise any error.
    except Exception as error:
        raise DataError(
            f"{location} is not a readable pickle of NumPy arrays, it may be damaged or cut short "
            f"({type(error).__name__}: {str(error)[:100]}). Nothing was executed."
        ) from None


def _check_arrays(unpickled: Any) -> dict[str, NDArray]:
    if not isinstance(unpickled, dict):
        raise RefusedError(f"a {type(unpickled).__name__}, not a dictionary")
    arrays = {}
    for name, value in unpickled.items():
        if not isinstance(value, _Array):
            kind = type(value).__name__.strip("_").lower()
            raise RefusedError(f"a {kind} under the name {value_text(name)}; expected an array")
        arrays[name] = value.array()
    return arrays

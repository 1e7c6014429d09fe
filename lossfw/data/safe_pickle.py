"""Reader of pickled NumPy arrays that executes nothing from the pickle.

A pickle is a program. This reader admits the instructions that build plain containers,
and calls of the few functions with which NumPy writes an array. Stand-ins of this module
take the place of these functions: they check their arguments and keep them as plain data,
of which arrays are made afterwards.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from lossfw.errors import DataError
from lossfw.numerics.arrays import NDArray

# Instructions that build containers, texts, numbers and bytes, in all protocols. Left out
# are instances of classes (INST, OBJ, NEWOBJ), the extension registry, persistent ids and
# out-of-band buffers.
_CONTAINERS = {
    *("EMPTY_DICT", "DICT", "SETITEM", "SETITEMS", "EMPTY_LIST", "LIST", "APPEND", "APPENDS"),
    *("EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "MARK", "POP"),
}
_VALUES = {
    *("STRING", "BINSTRING", "SHORT_BINSTRING"),
    *("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8"),
    *("NONE", "NEWTRUE", "NEWFALSE", "FLOAT", "BINFLOAT"),
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1"),
}
_CALLS = {"GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD"}
_MEMO_READS = {"GET", "BINGET", "LONG_BINGET"}
_MEMO_WRITES = {"PUT", "BINPUT", "LONG_BINPUT"}
_FRAMES = {"PROTO", "FRAME", "STOP", "MEMOIZE"}
_INSTRUCTIONS = _CONTAINERS | _VALUES | _CALLS | _MEMO_READS | _MEMO_WRITES | _FRAMES

# Dtypes as NumPy names them in a pickle: booleans, integers, floats.
_DTYPE_NAME = re.compile(r"b1|[iu][1248]|f[248]")
_DIMENSIONS = 32


class _RefusedError(Exception):
    """A part of a pickle is not admitted; the text names the part."""


class _Dtype:
    """Stand-in for a dtype: its name, and its byte order once that is set."""

    __slots__ = ("name", "order")

    def __init__(self, name: str) -> None:
        self.name, self.order = name, "="

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) < 2 or state[1] not in ("<", ">", "|", "="):
            raise _RefusedError(f"a dtype with the state {state!r:.60}")
        if state[2:5] != (None, None, None):
            raise _RefusedError("a structured dtype")
        self.order = state[1]

    def dtype(self) -> np.dtype[Any]:
        return np.dtype(self.order + self.name)


class _Parts(NamedTuple):
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    order: Any
    content: bytes


class _Array:
    """Stand-in for an array: its shape, dtype, order and content."""

    __slots__ = ("parts",)

    def __init__(self, parts: _Parts | None = None) -> None:
        self.parts = parts

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) != 5 or not isinstance(state[3], bool | int):
            raise _RefusedError("an array with a state that NumPy does not write")
        _, shape, dtype, fortran_order, content = state
        self.parts = _parts(shape, dtype, "F" if fortran_order else "C", content)

    def array(self) -> NDArray:
        if self.parts is None:
            raise _RefusedError("an array without content")
        shape, dtype, order, content = self.parts
        # A copy in native byte order, which the caller may write to.
        flat = np.frombuffer(content, dtype).astype(dtype.newbyteorder("="))
        return flat.reshape(shape, order=order)


def _parts(shape: Any, dtype: Any, order: Any, content: Any) -> _Parts:
    """Check the parts of an array against each other."""
    if not isinstance(dtype, _Dtype):
        raise _RefusedError("an array without a dtype of numbers")
    if isinstance(content, str):  # Python 2 and protocols before 3 write bytes as text
        content = content.encode("latin-1")
    if not isinstance(content, bytes | bytearray):
        raise _RefusedError("an array of Python objects")
    if not isinstance(shape, tuple) or len(shape) > _DIMENSIONS:
        raise _RefusedError(f"an array of the shape {shape!r:.60}")
    if not all(type(length) is int and length >= 0 for length in shape):
        raise _RefusedError(f"an array of the shape {shape!r:.60}")
    made = dtype.dtype()
    wanted = math.prod(shape) * made.itemsize
    if wanted != len(content):
        raise _RefusedError(
            f"an array of shape {shape} and {wanted} bytes that holds {len(content)}"
        )
    if order not in ("C", "F"):
        raise _RefusedError(f"an array in the order {order!r:.20}")
    return _Parts(shape, made, order, bytes(content))


def _make_array(*_: Any) -> _Array:
    return _Array()


def _make_from_buffer(content: Any, dtype: Any, shape: Any, order: Any, *_: Any) -> _Array:
    return _Array(_parts(shape, dtype, order, content))


def _make_dtype(name: Any, *_: Any) -> _Dtype:
    if not isinstance(name, str) or not _DTYPE_NAME.fullmatch(name):
        objects = isinstance(name, str) and name.startswith("O")
        raise _RefusedError("an array of Python objects" if objects else f"the dtype {name!r:.40}")
    return _Dtype(name)


def _make_bytes(text: Any, encoding: Any = None) -> bytes:
    # Protocols before 3 write bytes as _codecs.encode(text, "latin1"): no other codec.
    if not isinstance(text, str) or encoding != "latin1":
        raise _RefusedError(f"_codecs.encode to {encoding!r:.40}")
    return text.encode("latin-1")


class _StandIn:
    """Stand-in for a function; a pickle cannot change its attributes."""

    __slots__ = ("_function",)

    _function: Callable[..., Any]

    def __init__(self, function: Callable[..., Any]) -> None:
        object.__setattr__(self, "_function", function)

    def __call__(self, *arguments: Any) -> Any:
        return self._function(*arguments)

    def __setattr__(self, name: str, value: Any) -> None:
        raise _RefusedError(f"a change of the attribute {name!r}")


# All names that a pickle may hold. NumPy 2 calls its core numpy._core.
_ADMITTED = {
    ("numpy", "ndarray"): _StandIn(_make_array),
    ("numpy", "dtype"): _StandIn(_make_dtype),
    ("_codecs", "encode"): _StandIn(_make_bytes),
    **{
        (core + module, name): _StandIn(make)
        for core in ("numpy.core.", "numpy._core.")
        for module, name, make in (
            ("multiarray", "_reconstruct", _make_array),
            ("numeric", "_frombuffer", _make_from_buffer),
        )
    },
}


class _Unpickler(pickle.Unpickler):
    """An unpickler that finds the admitted names only."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ADMITTED[module, name]
        except KeyError:
            raise _RefusedError(f"{module}.{name}") from None


def read_pickle(content: bytes, where: str) -> dict[str, NDArray]:
    """Return the arrays by name of a pickled dictionary of NumPy arrays.

    No function that the pickle names is imported or called.

    Parameters
    ----------
    content : bytes
        A pickle of any protocol up to 5.
    where : str
        The file, for messages.

    Raises
    ------
    DataError
        If it is no pickle, is cut short, or holds anything but a dictionary of
        arrays of numbers.
    """
    try:
        _check_instructions(content)
        loaded = _Unpickler(io.BytesIO(content), encoding="latin1").load()
        return _arrays(loaded)
    except _RefusedError as error:
        raise DataError(
            f"{where} is a pickle that asks for {error}. Only NumPy arrays of numbers in a "
            "dictionary are read from a pickle, and nothing was executed. Save the weights with "
            "numpy.savez instead."
        ) from None
    # A damaged or hostile pickle may raise any error.
    except Exception as error:
        raise DataError(
            f"{where} is no readable pickle of NumPy arrays, it may be damaged or cut short "
            f"({type(error).__name__}: {str(error)[:100]}). Nothing was executed."
        ) from None


def _check_instructions(content: bytes) -> None:
    """Read the instructions without executing them, and check their names and lengths."""
    end = 0
    for instruction, argument, position in pickletools.genops(content):
        if instruction.name not in _INSTRUCTIONS:
            raise _RefusedError(f"the instruction {instruction.name}")
        # The unpickler allocates every memo up to the highest number.
        if instruction.name in _MEMO_WRITES and int(argument or 0) > len(content):
            raise _RefusedError(f"the memo {argument}")
        end = position or 0
    if end != len(content) - 1:
        raise ValueError(f"{len(content) - 1 - end} bytes follow its end")


def _arrays(loaded: Any) -> dict[str, NDArray]:
    if not isinstance(loaded, dict):
        raise _RefusedError(f"a {type(loaded).__name__} and no dictionary")
    arrays = {}
    for name, value in loaded.items():
        if not isinstance(name, str) or not isinstance(value, _Array):
            kind = type(value).__name__.strip("_").lower()
            raise _RefusedError(f"a {kind} under the name {name!r:.40}, where an array was wanted")
        arrays[name] = value.array()
    return arrays

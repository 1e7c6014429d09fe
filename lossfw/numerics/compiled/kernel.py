"""Kernel: the machine code of a graph, called with NumPy's arrays."""

from __future__ import annotations

import ctypes
import struct
import sys
from typing import Any

import numpy as np

from lossfw.numerics.arrays import NDArray
from lossfw.numerics.compiled.ir import Shape, intermediate
from lossfw.numerics.compiled.loops import loop
from lossfw.numerics.compiled.machine import code_of
from lossfw.numerics.compiled.operations import type_of
from lossfw.numerics.symbolic.graph import Graph

# A record of two arrays, losses, slopes, weights; the factor, the length; the sum, NumPy's
# loops: `lossfw.numerics.compiled.frame.kernel` reads it.
_FUNCTION = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p)
_record = struct.Struct("=5Qdq2Q").pack

# NumPy's record of an array begins with Python's of any object, and then has the address of
# the data: `PyArrayObject_fields` in ``numpy/ndarraytypes.h``.
_ADDRESS = object.__basicsize__
_read = ctypes.c_void_p.from_address


def _quick_address(array: NDArray) -> int:
    return _read(id(array) + _ADDRESS).value or 0


def _usual_address(array: NDArray) -> int:
    return array.ctypes.data or 0


def _is_as_numpy_says(array: NDArray) -> bool:
    return sys.implementation.name == "cpython" and _quick_address(array) == array.ctypes.data


# A sixth of the time of `array.ctypes.data`, of which a call needs three.
address_of_data = _quick_address if _is_as_numpy_says(np.arange(3)[1:]) else _usual_address


class Kernel:
    """A compiled function of one or two arrays, elementwise.

    Parameters
    ----------
    graph : Graph
        With inputs of one dtype, and outputs of the same.
    dtype : dtype
        float32 or float64.
    shape : Shape

    Raises
    ------
    UncompiledError, MissingExtraError
        If it cannot be compiled.
    """

    def __init__(self, graph: Graph, dtype: np.dtype[Any], shape: Shape) -> None:
        kind = type_of(dtype)
        text, functions = intermediate(graph, kind, shape)
        loops = [loop(*function) for function in functions]
        # Kept: the loops belong to these.
        self._owners = [owner for _, owner in loops]
        self._loops = np.array([part for parts, _ in loops for part in parts] or [0], np.uintp)
        self.dtype, self.shape = dtype, shape
        self._code = code_of(text)
        self._function = _FUNCTION(self._code.address)
        self._table = self._loops.ctypes.data

    def __call__(
        self,
        *arrays: NDArray,
        losses: NDArray | None = None,
        slopes: NDArray | None = None,
        weight: NDArray | None = None,
        scale: float = 1.0,
    ) -> tuple[float, bool]:
        """Compute a contiguous piece.

        Parameters
        ----------
        *arrays : ndarray
            The inputs, contiguous, of one shape and of the kernel's dtype.
        losses, slopes : ndarray, optional
            Where to write them, contiguous. Losses that are summed may be left out.
        weight : ndarray of float64, shape (N,), optional
            For a weighted kernel.
        scale : float
            The factor of the slopes.

        Returns
        -------
        sum : float
            The sum of the losses, 0 where the shape has none.
        inside : bool
            Whether all arguments lie within the bounds.
        """
        total = ctypes.c_double()
        record = _record(
            address_of_data(arrays[0]),
            address_of_data(arrays[-1]),
            0 if losses is None else address_of_data(losses),
            0 if slopes is None else address_of_data(slopes),
            0 if weight is None else address_of_data(weight),
            scale,
            arrays[0].size,
            ctypes.addressof(total),
            self._table,
        )
        outside = self._function(record)
        return total.value, not outside

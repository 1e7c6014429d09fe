"""Row kernel: the machine code of a graph of rows, called with NumPy's arrays."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from lossfw.numerics.arrays import NDArray
from lossfw.numerics.compiled.kernel import address_of_data
from lossfw.numerics.compiled.loops import loop
from lossfw.numerics.compiled.machine import code_of
from lossfw.numerics.compiled.operations import type_of
from lossfw.numerics.compiled.row_ir import intermediate_of_rows
from lossfw.numerics.compiled.row_shape import RowShape
from lossfw.numerics.symbolic.graph import Graph

# Two arrays, losses and slopes; the factor; the rows, and the steps of rows and columns in
# arrays and slopes; whether rows lie outside, the memory, and NumPy's loops.
_POINTER = ctypes.c_void_p
_FUNCTION = ctypes.CFUNCTYPE(
    None, *[_POINTER] * 4, ctypes.c_double, *[ctypes.c_int64] * 5, *[_POINTER] * 3
)

# The bytes of a line of the cache.
_LINE = 64


class RowKernel:
    """A compiled function of rows.

    Parameters
    ----------
    graph : Graph
        With inputs of one dtype, but for numbers of columns, and outputs of the same.
    dtype : dtype
        float32 or float64.
    shape : RowShape

    Raises
    ------
    UncompiledError, MissingExtraError
        If it cannot be compiled.
    """

    def __init__(self, graph: Graph, dtype: np.dtype[Any], shape: RowShape) -> None:
        code = intermediate_of_rows(graph, type_of(dtype), shape)
        loops = [loop(*function) for function in code.functions]
        # Kept: the loops belong to these.
        self._owners = [owner for _, owner in loops]
        self._loops = np.array([part for parts, _ in loops for part in parts] or [0], np.uintp)
        self.dtype, self.shape = dtype, shape
        self._code = code_of(code.text)
        self._function = _FUNCTION(self._code.address)
        self._size = code.memory
        # Memory that no call uses at the moment; each takes one and gives it back.
        self._free: list[NDArray] = []

    def __call__(
        self,
        *arrays: NDArray,
        losses: NDArray | None = None,
        slopes: NDArray | None = None,
        scale: float = 1.0,
    ) -> bool:
        """Compute some rows.

        Parameters
        ----------
        *arrays : ndarray, shape (N, K)
            The inputs, of the kernel's dtype and of one layout; numbers of columns are
            contiguous int64 of shape (N,). Rows of many columns are contiguous.
        losses : ndarray, shape (N,), optional
            Where losses are written.
        slopes : ndarray, shape (N, K), optional
            Where slopes are written.
        scale : float
            The factor of the slopes.

        Returns
        -------
        inside : bool
            Whether no row is known to lie outside of the domain.
        """
        y, size = arrays[0], self.dtype.itemsize
        steps = [step // size for step in y.strides]
        steps += [step // size for step in (y if slopes is None else slopes).strides]
        try:
            memory = self._free.pop()
        except IndexError:
            # Aligned by hand: NumPy's arrays begin at multiples of 16 bytes.
            memory = _aligned(self._size)
        outside = ctypes.c_int32()
        self._function(
            address_of_data(y),
            address_of_data(arrays[-1]),
            None if losses is None else address_of_data(losses),
            None if slopes is None else address_of_data(slopes),
            scale,
            len(y),
            *steps,
            ctypes.addressof(outside),
            address_of_data(memory),
            address_of_data(self._loops),
        )
        self._free.append(memory)
        return not outside.value


def _aligned(size: int) -> NDArray:
    """Return memory that begins with a line of the cache."""
    memory = np.empty(size + _LINE, np.uint8)
    first = -memory.ctypes.data % _LINE
    return memory[first : first + size]

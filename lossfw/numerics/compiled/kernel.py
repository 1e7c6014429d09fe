"""Kernel: the machine code of a graph, called with NumPy's arrays."""

from __future__ import annotations

import ctypes
import struct
import sys
from typing import Any

import numpy as np

from lossfw.numerics.arrays import NDArray
from lossfw.numerics.compiled.element_strip import write_element_kernel
from lossfw.numerics.compiled.llvm_target import machine_code
from lossfw.numerics.compiled.operations import UncompiledError, llvm_type
from lossfw.numerics.compiled.row_strip import write_row_kernel
from lossfw.numerics.compiled.signature import KernelSignature
from lossfw.numerics.compiled.strip import KernelCode
from lossfw.numerics.compiled.ufunc_loops import find_loop
from lossfw.numerics.symbolic.graph import Graph

# A record of two arrays, values, derivatives, weights; the factor, the rows or elements; the sum,
# NumPy's loops; and of rows the strides of rows and columns in inputs and in derivatives, and the
# memory: `lossfw.numerics.compiled.frames.KernelFrame.kernel_function` reads it.
_FUNCTION = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p)
_pack_elements = struct.Struct("=5Qdq2Q").pack
_pack_rows = struct.Struct("=5Qdq2Q4qQ").pack

# The bytes of a line of the cache.
_LINE = 64

# NumPy's record of an array begins with Python's of any object, and then has the address of
# the data: `PyArrayObject_fields` in ``numpy/ndarraytypes.h``.
_ADDRESS = object.__basicsize__
_read = ctypes.c_void_p.from_address


def _quick_address(array: NDArray) -> int:
    return _read(id(array) + _ADDRESS).value or 0


def _usual_address(array: NDArray) -> int:
    return array.ctypes.data or 0


def _matches_numpy(array: NDArray) -> bool:
    return sys.implementation.name == "cpython" and _quick_address(array) == array.ctypes.data


# A sixth of the time of `array.ctypes.data`, of which a call needs three.
_address = _quick_address if _matches_numpy(np.arange(3)[1:]) else _usual_address


def write_kernel(graph: Graph, dtype: np.dtype[Any], signature: KernelSignature) -> KernelCode:
    """Return the text of a kernel; raise `UncompiledError` if an operation has no compiled form."""
    for output in graph.outputs:
        if graph.nodes[output].dtype != dtype:
            raise UncompiledError(f"a result is {graph.nodes[output].dtype}")
    write = write_element_kernel if signature.columns is None else write_row_kernel
    return write(graph, llvm_type(dtype), signature)


class Kernel:
    """A compiled function of one or two arrays of float32 or float64, of elements or of rows.

    Inputs and outputs of its graph have one dtype, except for columns by index. What cannot be
    compiled raises `UncompiledError` or `MissingExtraError`.
    """

    def __init__(self, graph: Graph, dtype: np.dtype[Any], signature: KernelSignature) -> None:
        code = write_kernel(graph, dtype, signature)
        loops = [find_loop(*function) for function in code.functions]
        # Kept: the loops belong to these.
        self._owners = [owner for _, owner in loops]
        self._loops = np.array([part for parts, _ in loops for part in parts] or [0], np.uintp)
        self.dtype, self.signature = dtype, signature
        self._of_rows = signature.columns is not None
        self._width = 1 if self._of_rows else signature.width(signature.inputs[0])
        self._code = machine_code(code.text)
        self._function = _FUNCTION(self._code.address)
        self._table = self._loops.ctypes.data
        self._memory_size = code.memory
        # Memory that no call uses at the moment; each call of rows takes one and gives it back.
        self._free: list[NDArray] = []

    def __call__(
        self,
        *arrays: NDArray,
        values: NDArray | None = None,
        derivatives: NDArray | None = None,
        weight: NDArray | None = None,
        scale: float = 1.0,
    ) -> tuple[float, bool]:
        """Compute some elements or rows.

        Parameters
        ----------
        *arrays : ndarray, shape (N,) or (N, K)
            The inputs, of the kernel's dtype. Elements are contiguous, in any shape, and so are
            records of columns; rows have one layout, and those of many columns are contiguous.
            Columns by index are contiguous int64 of shape (N,).
        values : ndarray, shape (N,), optional
            Where to write them, contiguous. Values that are summed may be left out.
        derivatives : ndarray, optional
            Where to write them, in the shape of the first input.
        weight : ndarray of float64, shape (N,), optional
            For a weighted kernel.
        scale : float
            The factor of the derivatives.

        Returns
        -------
        sum : float
            The sum of the values, 0 where the kernel has none.
        inside : bool
            Whether the kernel knows all results: no argument lies outside of the domain.
        """
        y, total = arrays[0], ctypes.c_double()
        fields = (
            _address(y),
            _address(arrays[-1]),
            0 if values is None else _address(values),
            0 if derivatives is None else _address(derivatives),
            0 if weight is None else _address(weight),
            scale,
            len(y) if self._of_rows else y.size // self._width,
            ctypes.addressof(total),
            self._table,
        )
        if not self._of_rows:
            outside = self._function(_pack_elements(*fields))
            return total.value, not outside
        size, out = self.dtype.itemsize, y if derivatives is None else derivatives
        strides = [stride // size for stride in (*y.strides, *out.strides)]
        memory = self._take_memory()
        outside = self._function(_pack_rows(*fields, *strides, _address(memory)))
        self._free.append(memory)
        return total.value, not outside

    def _take_memory(self) -> NDArray:
        try:
            return self._free.pop()
        except IndexError:
            # Aligned by hand: NumPy's arrays begin at multiples of 16 bytes.
            memory = np.empty(self._memory_size + _LINE, np.uint8)
            start = -memory.ctypes.data % _LINE
            return memory[start : start + self._memory_size]

"""Kernel: the machine code of a graph, called with NumPy's arrays."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from lossfw.numerics.arrays import NDArray
from lossfw.numerics.compiled.ir import Shape, intermediate
from lossfw.numerics.compiled.loops import loop
from lossfw.numerics.compiled.machine import address_of
from lossfw.numerics.compiled.operations import type_of
from lossfw.numerics.symbolic.graph import Graph

# Two arrays, losses, slopes, weights; the factor, the length; the sum, NumPy's loops.
_POINTER = ctypes.c_void_p
_FUNCTION = ctypes.CFUNCTYPE(
    ctypes.c_int,
    *[_POINTER] * 5,
    ctypes.c_double,
    ctypes.c_int64,
    *[_POINTER] * 2,
)


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
        self._function = _FUNCTION(address_of(text))

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
        *arrays : ndarray, shape (N,)
            The inputs, contiguous and of the kernel's dtype.
        losses, slopes : ndarray, shape (N,), optional
            Where to write them. Losses may be left out; they are summed in any case.
        weight : ndarray of float64, shape (N,), optional
            For a weighted kernel.
        scale : float
            The factor of the slopes.

        Returns
        -------
        sum : float
            The sum of the losses.
        inside : bool
            Whether all arguments lie within the bounds.
        """
        total = ctypes.c_double()
        outside = self._function(
            arrays[0].ctypes.data,
            arrays[-1].ctypes.data,
            None if losses is None else losses.ctypes.data,
            None if slopes is None else slopes.ctypes.data,
            None if weight is None else weight.ctypes.data,
            scale,
            arrays[0].shape[0],
            ctypes.addressof(total),
            self._loops.ctypes.data,
        )
        return total.value, not outside

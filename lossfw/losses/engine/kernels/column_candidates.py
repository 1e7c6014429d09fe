"""Candidates of named columns: kernels of elements with one input per number of a record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lossfw.errors import TraceError
from lossfw.losses.engine.kernels.candidates import Candidate, NoKernelError
from lossfw.losses.engine.probes import record_probes
from lossfw.numerics.arrays import FEW_COLUMNS, NDArray
from lossfw.numerics.symbolic.graph import Graph
from lossfw.numerics.symbolic.trace import GraphUse
from lossfw.numerics.symbolic.unrolled import trace_unrolled
from lossfw.numerics.symbolic.written import WrittenFunction, write

# LLVM takes a second for so many.
_MOST_OPERATIONS = 1200


class ColumnCandidate(Candidate):
    """A function of records that may have a kernel, one per length of vectors."""

    def _trace(self, dtype: np.dtype[Any], use: GraphUse = "kernel") -> Graph:
        widths = dict(zip(self.spaces, self.signature.widths, strict=True))
        if max(widths.values()) > FEW_COLUMNS:
            raise NoKernelError(f"kernels take records of at most {FEW_COLUMNS} numbers")
        rows = {name: widths[name] if self.spaces[name].of_rows else None for name in widths}
        try:
            graph = trace_unrolled(self.function, dtype, rows, use)
        except TraceError as error:
            raise NoKernelError(str(error)) from error
        if (count := len(graph.live_nodes())) > _MOST_OPERATIONS:
            raise NoKernelError(
                f"its columns one by one are {count:,} operations; kernels take at most "
                f"{_MOST_OPERATIONS:,}"
            )
        return graph

    @property
    def _output_count(self) -> int:
        signature = self.signature
        return signature.values + signature.derivatives * signature.width("derivatives")

    def _write_function(self, graph: Graph) -> WrittenFunction:
        """Write the graph out, as a function of records."""
        written = write(graph)
        places = [name.partition(".") for name in written.names]

        def function(*arrays: NDArray) -> tuple[NDArray, ...]:
            of = dict(zip(self.spaces, arrays, strict=True))
            return written.function(
                *(of[name] if of[name].ndim == 1 else of[name][:, int(k)] for name, _, k in places)
            )

        return WrittenFunction(function, tuple(self.spaces), written.source)

    def _probes(self, dtype: np.dtype[Any], graph: Graph) -> list[NDArray]:
        arrays = record_probes(tuple(self.spaces.values()), dtype, self.signature.widths)
        return [self._to_body_layout(x) for x in arrays]

    def _to_body_layout(self, x: NDArray) -> NDArray:
        return np.asarray(x, order="F")

    def _to_kernel_layout(self, x: NDArray) -> NDArray:
        return np.ascontiguousarray(x)

    def _reshape_results(self, results: Sequence[NDArray], first: NDArray) -> tuple[NDArray, ...]:
        numbers, shaped = list(results), []
        for shape in self._result_shapes(first):
            if not numbers:
                # Tiles have no numbers of what lies outside.
                break
            taken = numbers[: shape[1] if len(shape) > 1 else 1]
            del numbers[: len(taken)]
            # Column by column, as the body's.
            array = np.empty(shape, first.dtype, order="F")
            for k, number in enumerate(taken):
                array[(..., k) if len(shape) > 1 else ...] = number
            shaped.append(array)
        return tuple(shaped)

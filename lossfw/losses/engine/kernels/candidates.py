"""Candidates: functions that may have a kernel, and the tests that a kernel passes.

A kernel is used only if the graph and the machine code have the bits of the body on probes of the
declared spaces, in the dtype and in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from lossfw.components.spaces import Space
from lossfw.errors import MissingExtraError, TraceError
from lossfw.losses.engine.kernels.tile_function import TileFunction
from lossfw.losses.engine.kernels.trial import count_differences
from lossfw.losses.engine.probes import element_probes, row_probes
from lossfw.numerics.arrays import NDArray
from lossfw.numerics.compiled.kernel import Kernel, write_kernel
from lossfw.numerics.compiled.operations import UncompiledError
from lossfw.numerics.compiled.signature import KernelSignature
from lossfw.numerics.symbolic.graph import CONSTANT, INPUT, LOOK_UP, Graph
from lossfw.numerics.symbolic.trace import GraphUse, trace
from lossfw.numerics.symbolic.written import WrittenFunction, write

_FLOAT64, _INT64 = np.dtype(np.float64), np.dtype(np.int64)

# A kernel also goes through the probes in pieces, of so many elements or of one row: an ordinary
# one is not always in the company of a rare one then.
_FEW = 4


class NoKernelError(Exception):
    """A function has no kernel; the message says why."""


@dataclass(frozen=True)
class Candidate:
    """A function that may have a kernel, one per length of rows.

    Messages use `owner` and `form`, the component and the name of the function.
    """

    owner: str
    form: str
    function: Callable[..., Any]  # function(xp, *arrays), with the outputs of the signature
    spaces: dict[str, Space]  # of its arrays, by their names
    signature: KernelSignature  # of a kernel without weights

    def kernel(self, dtype: np.dtype[Any], *, weighted: bool = False) -> Kernel:
        """Compile the kernel; raise `NoKernelError` if its bits are not the body's."""
        graph = self.graph(dtype)
        self._require_several_operations(graph)
        try:
            kernel = Kernel(graph, dtype, replace(self.signature, weighted=weighted))
        except (UncompiledError, MissingExtraError) as error:
            raise NoKernelError(str(error)) from error
        self._compare(kernel, self._probes(dtype, graph))
        return kernel

    def write_tiles(self, dtype: np.dtype[Any]) -> TileFunction:
        """Write the function out for tiles; raise `NoKernelError` for bits unlike the body's."""
        written = self._write_tiles(dtype)
        # As for graphs.
        for kind in dict.fromkeys((dtype, _FLOAT64)):
            function = written if kind == dtype else self._write_tiles(kind)
            arrays = self._probes(kind, Graph())
            *actual, is_rare = function.compute(*arrays)
            if is_rare.all():
                raise NoKernelError("all probes are left to the body")
            for one, other in zip(actual, self._body_results(arrays), strict=False):
                problem = "the function of tiles has other bits than the body"
                _require_equal(one[~is_rare], other[~is_rare], problem)
        return written

    def _write_tiles(self, dtype: np.dtype[Any]) -> TileFunction:
        graph = self._trace(dtype, "tile")
        graph.outputs = graph.outputs[: self._output_count]
        function = self._write_function(graph.without_rare_values()).function
        return TileFunction(function, len(graph.outputs), self._reshape_results)

    @property
    def _output_count(self) -> int:
        """How many outputs the values and the derivatives are."""
        return self.signature.values + self.signature.derivatives

    def _write_function(self, graph: Graph) -> WrittenFunction:
        """Write a graph out, as a function of the arrays."""
        return write(graph, self.signature.columns, self._layout)

    def problem(self, dtype: np.dtype[Any]) -> str:
        """Return why there is no kernel, without compiling; empty if there may be one."""
        try:
            graph = self.graph(dtype)
            write_kernel(graph, dtype, self.signature)
            self._require_several_operations(graph)
        except (NoKernelError, UncompiledError) as error:
            return str(error)
        return ""

    def graph(self, dtype: np.dtype[Any]) -> Graph:
        """Trace the body; raise `NoKernelError` if it has no graph, or a graph with other bits."""
        graph = self._trace(dtype)
        # A body in float64 hides a lost second word from any number of float32 probes.
        for kind in dict.fromkeys((dtype, _FLOAT64)):
            traced = graph if kind == dtype else self._trace(kind)
            arrays = self._probes(kind, traced)
            expected = self._body_results(arrays)
            try:
                written = self._write_function(traced)
                inputs = dict(zip(self.spaces, arrays, strict=True))
                actual = self._reshape_results(written(**inputs), arrays[0])
            except Exception as error:
                problem = f"expressions of the body fail, with {_first_line(error)}"
                raise NoKernelError(problem) from error
            for one, other in zip(actual, expected, strict=True):
                if other.dtype != kind:
                    raise NoKernelError(f"the body returns {other.dtype} for {kind}")
                _require_equal(
                    one, other, "expressions of the body have other bits than the body itself"
                )
        return graph

    def _trace(self, dtype: np.dtype[Any], use: GraphUse = "kernel") -> Graph:
        columns, dtypes = self.signature.columns, dict.fromkeys(self.spaces, dtype)
        if columns is not None and columns < 2:
            raise NoKernelError("a row of one element has no sum")
        if self.signature.by_index:
            dtypes[self.signature.inputs[-1]] = _INT64
        try:
            return trace(self.function, dtypes, columns, use)
        except TraceError as error:
            raise NoKernelError(str(error)) from error

    def _require_several_operations(self, graph: Graph) -> None:
        operations = [graph.nodes[node_id].op for node_id in graph.live_nodes()]
        count = sum(op not in (INPUT, CONSTANT) for op in operations)
        if self.signature.columns is None and not self.signature.summed and count == 1:
            # A kernel saves passes over the memory, and here there is only one.
            raise NoKernelError("NumPy computes it in one operation")

    # The probes, and what the body and its graph return for them.

    def _probes(self, dtype: np.dtype[Any], graph: Graph) -> list[NDArray]:
        """Return arguments of the function, which meet the ends of its tables."""
        spaces, columns = tuple(self.spaces.values()), self.signature.columns
        if columns is None:
            nodes = [graph.nodes[node_id] for node_id in graph.live_nodes()]
            lengths = tuple(len(node.value) for node in nodes if node.op == LOOK_UP)
            return list(element_probes(spaces, dtype, lengths))
        arrays = row_probes(spaces, dtype, columns, by_index=self.signature.by_index)
        return [self._to_body_layout(x) for x in arrays]

    @property
    def _layout(self) -> Literal["C", "F"]:
        """The layout of rows as the body gets them."""
        return "F" if self.signature.order == "columns" else "C"

    def _to_body_layout(self, x: NDArray) -> NDArray:
        """Return an array as the body gets it."""
        return x if x.ndim == 1 else np.asarray(x, order=self._layout)

    def _to_kernel_layout(self, x: NDArray) -> NDArray:
        """Return an array as the kernel gets it."""
        return self._to_body_layout(x)

    def _result_shapes(self, first: NDArray) -> list[tuple[int, ...]]:
        """Return the shapes of the results for a first argument."""
        signature, of_values = self.signature, first.shape[:1]
        shapes = [of_values] * signature.values + [first.shape] * signature.derivatives
        return shapes + [of_values] * signature.is_checked

    def _body_results(self, arrays: list[NDArray]) -> tuple[NDArray, ...]:
        """Return the results of the body."""
        arguments = [array.copy(order="K") for array in arrays]
        for array in arguments:
            # As in calls, where a body that writes to its arguments is refused.
            array.setflags(write=False)
        try:
            with np.errstate(all="ignore"):
                results = self.function(np, *arguments)
        except Exception as error:
            problem = f"the body fails at arguments of its spaces, with {_first_line(error)}"
            raise NoKernelError(problem) from error
        results = results if isinstance(results, tuple) else (results,)
        if [getattr(result, "shape", None) for result in results] != self._result_shapes(arrays[0]):
            raise NoKernelError("the body returns another shape than its arguments ask for")
        return results

    def _reshape_results(self, results: Sequence[NDArray], first: NDArray) -> tuple[NDArray, ...]:
        """Return results of a function that is written out in the shapes of the body's."""
        if self.signature.columns is None:
            return tuple(results)
        return tuple(
            np.broadcast_to(result[:, 0] if len(shape) == 1 else result, shape)
            for result, shape in zip(results, self._result_shapes(first), strict=False)
        )

    # The machine code.

    def _compare(self, kernel: Kernel, arrays: list[NDArray]) -> None:
        """Raise `NoKernelError` if the machine code has other bits than the body at probes."""
        signature, count = kernel.signature, len(arrays[0])
        weight = np.linspace(0.25, 4.0, count) if signature.weighted else None
        expected, terms, is_outside = self._expected_output(kernel, arrays, weight)
        options: dict[str, Any] = {} if weight is None else {"weight": weight}
        options |= {name: self._to_kernel_layout(np.zeros_like(x)) for name, x in expected.items()}
        arrays = [self._to_kernel_layout(x) for x in arrays]
        step = _FEW if signature.columns is None else 1
        is_known = np.zeros(count, bool)
        for start in range(0, count, step):
            piece = slice(start, start + step)
            parts = {name: array[piece] for name, array in options.items()}
            _, is_known[piece] = kernel(*(array[piece] for array in arrays), **parts)
        is_known |= is_outside
        if not is_known.any():
            raise NoKernelError("the kernel leaves all of its probes to the body")
        problem = "the machine code has other bits than the body"
        for name, array in expected.items():
            _require_equal(options[name][is_known], array[is_known], problem)
        # Once more, all of them in one call.
        options = {name: self._to_kernel_layout(array[is_known]) for name, array in options.items()}
        total, inside = kernel(*(self._to_kernel_layout(x[is_known]) for x in arrays), **options)
        for name, array in expected.items():
            _require_equal(options[name], array[is_known], problem)
        with np.errstate(all="ignore"):
            added = np.add.reduce(terms[is_known], dtype=_FLOAT64) if signature.has_sum else 0.0
        _require_equal(np.array([total]), np.array([added]), f"{problem}, in a sum")
        if inside is bool(is_outside.any()):
            raise NoKernelError("the kernel does not report what lies outside of the domain")

    def _expected_output(
        self, kernel: Kernel, arrays: list[NDArray], weight: NDArray | None
    ) -> tuple[dict[str, NDArray], NDArray, NDArray]:
        """Return what a kernel should write, the terms of its sum, and what lies outside."""
        signature, results = kernel.signature, iter(self._body_results(arrays))
        written = dict[str, NDArray]()
        terms, is_outside = np.zeros(len(arrays[0])), np.zeros(len(arrays[0]), bool)
        with np.errstate(all="ignore"):
            if signature.values:
                terms = next(results)
                if weight is None:
                    written["values"] = terms
                else:
                    terms = weight * terms.astype(_FLOAT64)
            if signature.derivatives:
                derivatives = next(results)
                if weight is not None:
                    each = weight.reshape(-1, *(1,) * (derivatives.ndim - 1))
                    derivatives = (derivatives * (each * 1.0)).astype(kernel.dtype)
                written["derivatives"] = derivatives
        if signature.is_checked:
            is_outside = next(results) != 0
        return written, terms, is_outside


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".partition("\n")[0]


def _require_equal(actual: NDArray, expected: NDArray, problem: str) -> None:
    """Raise `NoKernelError` unless arrays agree in every bit except for those of NaN."""
    count = count_differences(actual, expected)
    if count:
        raise NoKernelError(f"{problem}, at {count} of {len(expected)} points")

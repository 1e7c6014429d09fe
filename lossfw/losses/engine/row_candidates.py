"""Row candidates: functions of rows that may have a kernel, and the making of it.

As in `lossfw.losses.engine.candidates`, a kernel is used only if the graph and the machine code
have the bits of the body. A kernel is for rows of one length.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from lossfw.components.spaces import Space
from lossfw.errors import MissingExtraError, TraceError
from lossfw.losses.engine.candidates import NoKernelError, need_equal
from lossfw.losses.engine.row_probes import row_probes
from lossfw.numerics.arrays import NDArray
from lossfw.numerics.compiled.layout import UncompiledError
from lossfw.numerics.compiled.operations import type_of
from lossfw.numerics.compiled.row_ir import intermediate_of_rows
from lossfw.numerics.compiled.row_kernel import RowKernel
from lossfw.numerics.compiled.row_shape import RowShape, SumOrder
from lossfw.numerics.symbolic.graph import Graph
from lossfw.numerics.symbolic.replay import replay_rows
from lossfw.numerics.symbolic.rows import trace_rows

_FLOAT64, _INT64 = np.dtype(np.float64), np.dtype(np.int64)


@dataclass(frozen=True)
class RowCandidate:
    """A function of rows that may have a kernel.

    Attributes
    ----------
    owner, form : str
        What it is of, and which function, for messages.
    function : callable
        ``function(xp, *arrays)``.
    spaces : dict of str to Space
        The names of its arrays and their spaces.
    columns : int
        The length of a row.
    by_index : bool
        The second array is a class for each row.
    losses, slopes : bool
        It returns one number for each row, one for each element, or both in this order.
    order : {"pairwise", "columns"}
        How NumPy adds up the rows that the body gets.
    """

    owner: str
    form: str
    function: Callable[..., Any]
    spaces: dict[str, Space]
    columns: int
    by_index: bool
    losses: bool
    slopes: bool
    order: SumOrder

    @property
    def shape(self) -> RowShape:
        """What a kernel of this function computes."""
        return RowShape(
            tuple(self.spaces), self.by_index, self.columns, self.losses, self.slopes, self.order
        )

    @property
    def _layout(self) -> Literal["C", "F"]:
        return "F" if self.order == "columns" else "C"

    def graph(self, dtype: np.dtype[Any]) -> Graph:
        """Trace the function, and hold the graph to it.

        Raises
        ------
        NoKernelError
            If the body cannot be traced, or its graph has other bits.
        """
        graph = self._traced(dtype)
        # What goes by float64 hides a lost second word from any number of float32 probes.
        for kind in dict.fromkeys((dtype, _FLOAT64)):
            checked = graph if kind == dtype else self._traced(kind)
            arrays = self._probes(kind)
            wanted = self._results(arrays)
            replayed = replay_rows(checked, self.columns, self._layout, **arrays)
            for found, result in zip(replayed, wanted, strict=True):
                if result.dtype != kind:
                    raise NoKernelError(f"the body returns {result.dtype} for {kind}")
                shaped = found[:, 0] if result.ndim == 1 else found
                need_equal(
                    np.broadcast_to(shaped, result.shape),
                    result,
                    "expressions of the body have other bits than the body itself",
                )
        return graph

    def _traced(self, dtype: np.dtype[Any]) -> Graph:
        if self.columns < 2:
            raise NoKernelError("a row of one element has no sum")
        dtypes = dict.fromkeys(self.spaces, dtype)
        if self.by_index:
            dtypes[list(dtypes)[-1]] = _INT64
        try:
            return trace_rows(self.function, dtypes, self.columns)
        except TraceError as error:
            raise NoKernelError(str(error)) from error

    def _probes(self, dtype: np.dtype[Any]) -> dict[str, NDArray]:
        spaces = tuple(self.spaces.values())
        arrays = row_probes(spaces, dtype, self.columns, by_index=self.by_index)
        laid = (x if x.ndim == 1 else np.asarray(x, order=self._layout) for x in arrays)
        return dict(zip(self.spaces, laid, strict=True))

    def _results(self, arrays: dict[str, NDArray]) -> tuple[NDArray, ...]:
        given = {name: x.copy(order="K") for name, x in arrays.items()}
        with np.errstate(all="ignore"):
            results = self.function(np, *given.values())
        results = results if isinstance(results, tuple) else (results,)
        shape = next(iter(arrays.values())).shape
        wanted = [*([shape[:1]] if self.losses else []), *([shape] if self.slopes else [])]
        if [getattr(result, "shape", None) for result in results] != wanted:
            raise NoKernelError("the body returns another shape than that of rows")
        return results

    def kernel(self, dtype: np.dtype[Any], *, weighted: bool = False) -> RowKernel:
        """Make the kernel, and hold it to the body.

        Raises
        ------
        NoKernelError
            If there is none that has the bits of the body, or nothing to make it with.
        """
        try:
            made = RowKernel(self.graph(dtype), dtype, self.shape)
        except (UncompiledError, MissingExtraError) as error:
            raise NoKernelError(str(error)) from error
        self._hold(made)
        return made

    def _hold(self, kernel: RowKernel) -> None:
        arrays = self._probes(kernel.dtype)
        wanted = self._results(arrays)
        rows = next(iter(arrays.values()))
        losses = np.empty(len(rows), kernel.dtype) if self.losses else None
        slopes = np.empty_like(rows) if self.slopes else None
        kernel(*arrays.values(), losses=losses, slopes=slopes)
        found = [x for x in (losses, slopes) if x is not None]
        for one, other in zip(found, wanted, strict=True):
            need_equal(one, other, "the machine code has other bits than the body")

    def problem(self, dtype: np.dtype[Any]) -> str:
        """Return why there is no kernel, without making one; empty if there may be one."""
        try:
            intermediate_of_rows(self.graph(dtype), type_of(dtype), self.shape)
        except (NoKernelError, UncompiledError) as error:
            return str(error)
        return ""

"""Row candidates: functions of rows that may have a kernel, one for each length of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from lossfw.losses.engine.compilable import Compilable, NoKernelError, need_equal
from lossfw.losses.engine.row_probes import row_probes
from lossfw.numerics.arrays import NDArray
from lossfw.numerics.compiled.operations import type_of
from lossfw.numerics.compiled.row_ir import intermediate_of_rows
from lossfw.numerics.compiled.row_kernel import RowKernel
from lossfw.numerics.compiled.row_shape import RowShape, SumOrder
from lossfw.numerics.symbolic.graph import Graph
from lossfw.numerics.symbolic.replay import replay_rows
from lossfw.numerics.symbolic.rows import trace_rows

_INT64 = np.dtype(np.int64)


@dataclass(frozen=True)
class RowCandidate(Compilable[RowKernel]):
    """A function of rows that may have a kernel.

    Attributes
    ----------
    owner, function, form, spaces
        See `Compilable`.
    columns : int
        The length of a row.
    by_index : bool
        The second array is a class for each row.
    losses, slopes : bool
        It returns one number for each row, one for each element, or both in this order.
    order : {"pairwise", "columns"}
        How NumPy adds up the rows that the body gets.
    checked : bool
        It also returns, last, 1 for each row that lies outside of the domain and else 0. The
        kernel tells whether there are any.
    """

    columns: int
    by_index: bool
    losses: bool
    slopes: bool
    order: SumOrder
    checked: bool = False

    @property
    def shape(self) -> RowShape:
        """The inputs and outputs of a kernel of this function."""
        return RowShape(
            tuple(self.spaces),
            self.by_index,
            self.columns,
            self.losses,
            self.slopes,
            self.order,
            self.checked,
        )

    @property
    def _layout(self) -> Literal["C", "F"]:
        return "F" if self.order == "columns" else "C"

    def _trace(self, dtype: np.dtype[Any]) -> Graph:
        if self.columns < 2:
            raise NoKernelError("a row of one element has no sum")
        dtypes = dict.fromkeys(self.spaces, dtype)
        if self.by_index:
            dtypes[list(dtypes)[-1]] = _INT64
        return trace_rows(self.function, dtypes, self.columns)

    def _probes(self, dtype: np.dtype[Any], graph: Graph) -> dict[str, NDArray]:
        spaces = tuple(self.spaces.values())
        arrays = row_probes(spaces, dtype, self.columns, by_index=self.by_index)
        laid = (x if x.ndim == 1 else np.asarray(x, order=self._layout) for x in arrays)
        return dict(zip(self.spaces, laid, strict=True))

    def _shapes(self, first: NDArray) -> list[tuple[int, ...]]:
        return [
            *([first.shape[:1]] if self.losses else []),
            *([first.shape] if self.slopes else []),
            *([first.shape[:1]] if self.checked else []),
        ]

    def _replayed(self, graph: Graph, arrays: dict[str, NDArray]) -> tuple[NDArray, ...]:
        shapes = self._shapes(next(iter(arrays.values())))
        results = replay_rows(graph, self.columns, self._layout, **arrays)
        return tuple(
            np.broadcast_to(result[:, 0] if len(shape) == 1 else result, shape)
            for result, shape in zip(results, shapes, strict=True)
        )

    def _text(self, graph: Graph, dtype: np.dtype[Any]) -> str:
        return intermediate_of_rows(graph, type_of(dtype), self.shape).text

    def _compiled(self, graph: Graph, dtype: np.dtype[Any], weighted: bool) -> RowKernel:
        return RowKernel(graph, dtype, self.shape)

    def _compare(self, kernel: RowKernel, arrays: dict[str, NDArray], weighted: bool) -> None:
        arrays = self._known(kernel, arrays)
        wanted = list(self._results(arrays))
        losses, slopes = self._room(next(iter(arrays.values())))
        inside = kernel(*arrays.values(), losses=losses, slopes=slopes)
        told = "the machine code has other bits than the body"
        outside = wanted.pop().any() if self.checked else False
        need_equal(np.array([1.0 * inside]), np.array([1.0 - outside]), told)
        found = [x for x in (losses, slopes) if x is not None]
        for one, other in zip(found, wanted, strict=True):
            need_equal(one, other, told)

    def _room(self, rows: NDArray) -> tuple[NDArray | None, NDArray | None]:
        """Return arrays for losses and slopes."""
        losses = np.empty(len(rows), rows.dtype) if self.losses else None
        return losses, np.empty_like(rows) if self.slopes else None

    def _known(self, kernel: RowKernel, arrays: dict[str, NDArray]) -> dict[str, NDArray]:
        """Return the probes that a kernel does not leave to the body."""
        rows = next(iter(arrays.values()))
        results = self._results(arrays)
        outside = results[-1] != 0 if self.checked else np.zeros(len(rows), bool)
        losses, slopes = self._room(rows[:1])
        inside = [
            kernel(*(x[at : at + 1] for x in arrays.values()), losses=losses, slopes=slopes)
            for at in range(len(rows))
        ]
        known = np.array(inside) | outside
        if not known.any():
            raise NoKernelError("the kernel leaves all of its probes to the body")
        return {
            name: x[known] if x.ndim == 1 else np.asarray(x[known], order=self._layout)
            for name, x in arrays.items()
        }

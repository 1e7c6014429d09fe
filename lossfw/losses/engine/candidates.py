"""Candidates: elementwise functions that may have a kernel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossfw.components.spaces import Counts, Interval, Members, Space
from lossfw.losses.engine.call_kernels import ResultForm
from lossfw.losses.engine.compilable import FLOAT64, Compilable, NoKernelError, need_equal
from lossfw.losses.engine.probes import probes
from lossfw.numerics.arrays import NDArray
from lossfw.numerics.compiled.ir import Bound, Shape, intermediate
from lossfw.numerics.compiled.kernel import Kernel
from lossfw.numerics.compiled.layout import Layout, UncompiledError
from lossfw.numerics.compiled.operations import type_of
from lossfw.numerics.symbolic.graph import LOOK_UP, Graph
from lossfw.numerics.symbolic.replay import replay
from lossfw.numerics.symbolic.trace import trace

# A kernel goes through the probes a second time, so many at once: an ordinary one is not
# always in the company of a rare one then.
_FEW = 4


@dataclass(frozen=True)
class Candidate(Compilable[Kernel]):
    """An elementwise function that may have a kernel.

    Attributes
    ----------
    owner, function, spaces
        See `Compilable`.
    form : {"value", "gradient", "hessian", "both"}
    checked : bool
        The kernel tells whether arguments lie outside of the spaces.
    summed : bool
        The kernel sums the losses.
    """

    form: ResultForm
    checked: bool = False
    summed: bool = True

    def shape(self, weighted: bool) -> Shape:
        """Return the inputs and outputs of a kernel of this function."""
        losses, slopes = self.form in ("value", "both"), self.form != "value"
        bounds = tuple(_bounds(self.spaces)) if self.checked else ()
        return Shape(tuple(self.spaces), losses, slopes, weighted, bounds, self.summed)

    def _trace(self, dtype: np.dtype[Any]) -> Graph:
        return trace(self.function, dict.fromkeys(self.spaces, dtype))

    def _probes(self, dtype: np.dtype[Any], graph: Graph) -> dict[str, NDArray]:
        nodes = [graph.nodes[number] for number in graph.live()]
        lengths = tuple(len(node.value) for node in nodes if node.op == LOOK_UP)
        arrays = probes(tuple(self.spaces.values()), dtype, lengths)
        return dict(zip(self.spaces, arrays, strict=True))

    def _shapes(self, first: NDArray) -> list[tuple[int, ...]]:
        return [first.shape] * (2 if self.form == "both" else 1)

    def _replayed(self, graph: Graph, arrays: dict[str, NDArray]) -> tuple[NDArray, ...]:
        return replay(graph, **arrays)

    def _text(self, graph: Graph, dtype: np.dtype[Any]) -> str:
        self._need_more_than_one_operation(graph)
        return intermediate(graph, type_of(dtype), self.shape(weighted=False))[0]

    def _need_more_than_one_operation(self, graph: Graph) -> None:
        if not self.summed and Layout.of(graph).operations == 1:
            # A kernel saves passes over the memory, and here there is only one.
            raise UncompiledError("NumPy computes it in one operation")

    def _compiled(self, graph: Graph, dtype: np.dtype[Any], weighted: bool) -> Kernel:
        self._need_more_than_one_operation(graph)
        return Kernel(graph, dtype, self.shape(weighted))

    def _compare(self, kernel: Kernel, arrays: dict[str, NDArray], weighted: bool) -> None:
        arrays = self._known(kernel, arrays, weighted)
        wanted = list(self._results(arrays))
        shape = kernel.shape
        weight = np.linspace(0.25, 4.0, len(wanted[0])) if weighted else None
        losses = np.empty_like(wanted[0]) if shape.losses and not weighted else None
        slopes = np.empty_like(wanted[0]) if shape.slopes else None
        total, _ = kernel(*arrays.values(), losses=losses, slopes=slopes, weight=weight)
        told = "the machine code has other bits than the body"
        right: list[tuple[NDArray, NDArray]] = []
        with np.errstate(all="ignore"):
            if shape.losses:
                result = wanted.pop(0)
                terms = result if weight is None else weight * result.astype(FLOAT64)
                added = np.add.reduce(terms, dtype=FLOAT64) if shape.summed else 0.0
                need_equal(np.array([total]), np.array([added]), f"{told}, in a sum")
                if losses is not None:
                    right.append((losses, result))
            if slopes is not None:
                result = wanted.pop(0)
                if weight is not None:
                    result = (result * (weight * 1.0)).astype(slopes.dtype)
                right.append((slopes, result))
        for found, result in right:
            need_equal(found, result, told)
        for few in _pieces(len(next(iter(arrays.values())))):
            kernel(
                *(array[few] for array in arrays.values()),
                losses=None if losses is None else losses[few],
                slopes=None if slopes is None else slopes[few],
                weight=None if weight is None else weight[few],
            )
        for found, result in right:
            need_equal(found, result, told)

    def _known(
        self, kernel: Kernel, arrays: dict[str, NDArray], weighted: bool
    ) -> dict[str, NDArray]:
        """Return the probes that a kernel does not leave to the body."""
        count = len(next(iter(arrays.values())))
        known = np.zeros(count, bool)
        slopes = np.empty(count, kernel.dtype) if kernel.shape.slopes else None
        losses = np.empty(count, kernel.dtype) if kernel.shape.losses and not weighted else None
        weight = np.ones(count) if weighted else None
        for few in _pieces(count):
            _, known[few] = kernel(
                *(array[few] for array in arrays.values()),
                losses=None if losses is None else losses[few],
                slopes=None if slopes is None else slopes[few],
                weight=None if weight is None else weight[few],
            )
        if not known.any():
            raise NoKernelError("the kernel leaves all of its probes to the body")
        return {name: array[known] for name, array in arrays.items()}


def _pieces(count: int) -> list[slice]:
    return [slice(first, first + _FEW) for first in range(0, count, _FEW)]


def _bounds(spaces: dict[str, Space]) -> Iterator[Bound]:
    """Yield a bound for each end of a space, which numbers outside break."""
    for name, space in spaces.items():
        if isinstance(space, Interval):
            if space.low != -np.inf:
                yield Bound(name, "olt" if space.low_included else "ole", (space.low,))
            if space.high != np.inf:
                yield Bound(name, "ogt" if space.high_included else "oge", (space.high,))
        elif isinstance(space, Members):
            yield Bound(name, "members", space.members)
        elif isinstance(space, Counts):
            yield Bound(name, "olt", (0.0,))
            yield Bound(name, "whole")

"""Candidates: functions of bodies that may have a kernel, and the making of it.

A kernel is used only if the graph has the bits of the body on `probes` of the declared spaces,
in the dtype and in float64, and if the machine code has them too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossfw.components.spaces import Counts, Interval, Members, Space
from lossfw.errors import MissingExtraError, TraceError
from lossfw.losses.engine.call_kernels import ResultForm
from lossfw.losses.engine.probes import probes
from lossfw.numerics.arrays import NDArray
from lossfw.numerics.compiled.ir import Bound, Shape
from lossfw.numerics.compiled.kernel import Kernel
from lossfw.numerics.compiled.layout import Layout, UncompiledError
from lossfw.numerics.symbolic.graph import Graph
from lossfw.numerics.symbolic.replay import replay
from lossfw.numerics.symbolic.trace import trace

_FLOAT64 = np.dtype(np.float64)


class NoKernelError(Exception):
    """A function has no kernel; the message says why."""


@dataclass(frozen=True)
class Candidate:
    """A function that may have a kernel.

    Attributes
    ----------
    owner : str
        What it is of, for messages.
    function : callable
        ``function(xp, *arrays)``, elementwise.
    form : {"value", "gradient", "hessian", "both"}
    spaces : dict of str to Space
        The names of its arrays and their spaces.
    checked : bool
        The kernel tells whether arguments lie outside of the spaces.
    summed : bool
        The kernel sums the losses.
    """

    owner: str
    function: Callable[..., Any]
    form: ResultForm
    spaces: dict[str, Space]
    checked: bool = False
    summed: bool = True

    def shape(self, weighted: bool) -> Shape:
        """Return what a kernel of this function computes."""
        losses, slopes = self.form in ("value", "both"), self.form != "value"
        bounds = tuple(_bounds(self.spaces)) if self.checked else ()
        return Shape(tuple(self.spaces), losses, slopes, weighted, bounds, self.summed)

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
            for found, result in zip(replay(checked, **arrays), wanted, strict=True):
                if result.dtype != kind:
                    raise NoKernelError(f"the body returns {result.dtype} for {kind}")
                need_equal(found, result, "a second run of the body has other bits than the first")
        return graph

    def _traced(self, dtype: np.dtype[Any]) -> Graph:
        try:
            return trace(self.function, dict.fromkeys(self.spaces, dtype))
        except TraceError as error:
            raise NoKernelError(str(error)) from error

    def _probes(self, dtype: np.dtype[Any]) -> dict[str, NDArray]:
        arrays = probes(tuple(self.spaces.values()), dtype)
        return dict(zip(self.spaces, arrays, strict=True))

    def _results(self, arrays: dict[str, NDArray]) -> tuple[NDArray, ...]:
        with np.errstate(all="ignore"):
            results = self.function(np, *arrays.values())
        results = results if isinstance(results, tuple) else (results,)
        if any(getattr(result, "shape", None) != (len(arrays[name]),)
               for result in results for name in arrays):  # fmt: skip
            raise NoKernelError("the body returns another shape than that of its arguments")
        return results

    def kernel(self, dtype: np.dtype[Any], *, weighted: bool = False) -> Kernel:
        """Make the kernel, and hold it to the body.

        Raises
        ------
        NoKernelError
            If there is none that has the bits of the body, or nothing to make it with.
        """
        try:
            made = Kernel(self.graph(dtype), dtype, self.shape(weighted))
        except (UncompiledError, MissingExtraError) as error:
            raise NoKernelError(str(error)) from error
        self._hold(made, weighted)
        return made

    def _hold(self, kernel: Kernel, weighted: bool) -> None:
        arrays = self._probes(kernel.dtype)
        wanted = list(self._results(arrays))
        shape = kernel.shape
        weight = np.linspace(0.25, 4.0, len(wanted[0])) if weighted else None
        losses = np.empty_like(wanted[0]) if shape.losses and not weighted else None
        slopes = np.empty_like(wanted[0]) if shape.slopes else None
        total, _ = kernel(*arrays.values(), losses=losses, slopes=slopes, weight=weight)
        told = "the machine code has other bits than the body"
        with np.errstate(all="ignore"):
            if shape.losses:
                result = wanted.pop(0)
                terms = result if weight is None else weight * result.astype(_FLOAT64)
                added = np.add.reduce(terms, dtype=_FLOAT64) if shape.summed else 0.0
                need_equal(np.array([total]), np.array([added]), f"{told}, in a sum")
                if losses is not None:
                    need_equal(losses, result, told)
            if slopes is not None:
                result = wanted.pop(0)
                if weight is not None:
                    result = (result * (weight * 1.0)).astype(slopes.dtype)
                need_equal(slopes, result, told)

    def problem(self, dtype: np.dtype[Any]) -> str:
        """Return why there is no kernel, without making one; empty if there may be one."""
        try:
            Layout.of(self.graph(dtype))
        except (NoKernelError, UncompiledError) as error:
            return str(error)
        return ""


def need_equal(found: NDArray, wanted: NDArray, told: str) -> None:
    """Raise `NoKernelError` unless arrays agree in every bit but those of NaN."""
    differ = (found != wanted) & ~(np.isnan(found) & np.isnan(wanted))
    zeros = (wanted == 0) & (np.signbit(found) != np.signbit(wanted))
    count = int(np.count_nonzero(differ | zeros))
    if found.dtype != wanted.dtype or count:
        raise NoKernelError(f"{told}, at {count} of {len(wanted)} points")


def _bounds(spaces: dict[str, Space]) -> Iterator[Bound]:
    """Yield what holds for numbers outside of spaces."""
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

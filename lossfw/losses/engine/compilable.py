"""Compilable: a function of a body that may have a kernel, and the tests that the kernel passes.

A kernel is used only if the graph has the bits of the body on probes of the declared spaces, in
the dtype and in float64, and if the machine code has them too.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from lossfw.components.spaces import Space
from lossfw.errors import MissingExtraError, TraceError
from lossfw.losses.engine.trial import count_unlike
from lossfw.numerics.arrays import NDArray
from lossfw.numerics.compiled.kernel import Kernel
from lossfw.numerics.compiled.layout import UncompiledError
from lossfw.numerics.compiled.row_kernel import RowKernel
from lossfw.numerics.symbolic.graph import Graph

FLOAT64 = np.dtype(np.float64)

MadeKernel = TypeVar("MadeKernel", Kernel, RowKernel)


class NoKernelError(Exception):
    """A function has no kernel; the message says why."""


@dataclass(frozen=True)
class Compilable(ABC, Generic[MadeKernel]):
    """A function that may have a kernel.

    Attributes
    ----------
    owner : str
        The component, for messages.
    function : callable
        ``function(xp, *arrays)``.
    form : str
        Which function of the component, for messages.
    spaces : dict of str to Space
        The names of its arrays and their spaces.
    """

    owner: str
    function: Callable[..., Any]
    form: str
    spaces: dict[str, Space]

    def kernel(self, dtype: np.dtype[Any], *, weighted: bool = False) -> MadeKernel:
        """Make the kernel, and compare it with the body.

        Raises
        ------
        NoKernelError
            If there is none that has the bits of the body, or nothing to make it with.
        """
        graph = self.graph(dtype)
        try:
            made = self._compiled(graph, dtype, weighted)
        except (UncompiledError, MissingExtraError) as error:
            raise NoKernelError(str(error)) from error
        self._compare(made, self._probes(dtype, graph), weighted)
        return made

    def problem(self, dtype: np.dtype[Any]) -> str:
        """Return why there is no kernel, without making one; empty if there may be one."""
        try:
            self._text(self.graph(dtype), dtype)
        except (NoKernelError, UncompiledError) as error:
            return str(error)
        return ""

    def graph(self, dtype: np.dtype[Any]) -> Graph:
        """Trace the function, and compare the graph with it.

        Raises
        ------
        NoKernelError
            If the body cannot be traced, or its graph has other bits.
        """
        graph = self._traced(dtype)
        # A body in float64 hides a lost second word from any number of float32 probes.
        for kind in dict.fromkeys((dtype, FLOAT64)):
            checked = graph if kind == dtype else self._traced(kind)
            arrays = self._probes(kind, checked)
            results = self._results(arrays)
            try:
                replayed = self._replayed(checked, arrays)
            except Exception as error:
                raise NoKernelError(f"expressions of the body fail, with {_said(error)}") from error
            for found, result in zip(replayed, results, strict=True):
                if result.dtype != kind:
                    raise NoKernelError(f"the body returns {result.dtype} for {kind}")
                told = "expressions of the body have other bits than the body itself"
                need_equal(found, result, told)
        return graph

    def _traced(self, dtype: np.dtype[Any]) -> Graph:
        try:
            return self._trace(dtype)
        except TraceError as error:
            raise NoKernelError(str(error)) from error

    def _results(self, arrays: dict[str, NDArray]) -> tuple[NDArray, ...]:
        """Return the results of the body at probes."""
        given = [array.copy(order="K") for array in arrays.values()]
        for array in given:
            # As in calls, where a body that writes to its arguments is refused.
            array.setflags(write=False)
        try:
            with np.errstate(all="ignore"):
                results = self.function(np, *given)
        except Exception as error:
            raise NoKernelError(
                f"the body fails at arguments of its spaces, with {_said(error)}"
            ) from error
        results = results if isinstance(results, tuple) else (results,)
        shapes = [getattr(result, "shape", None) for result in results]
        if shapes != self._shapes(next(iter(arrays.values()))):
            raise NoKernelError("the body returns another shape than its arguments ask for")
        return results

    @abstractmethod
    def _trace(self, dtype: np.dtype[Any]) -> Graph:
        """Trace the function once."""

    @abstractmethod
    def _probes(self, dtype: np.dtype[Any], graph: Graph) -> dict[str, NDArray]:
        """Return arguments of the function, which meet the ends of its tables."""

    @abstractmethod
    def _shapes(self, first: NDArray) -> list[tuple[int, ...]]:
        """Return the shapes of the results for a first argument."""

    @abstractmethod
    def _replayed(self, graph: Graph, arrays: dict[str, NDArray]) -> tuple[NDArray, ...]:
        """Return the results of the graph, in the shapes of the body's."""

    @abstractmethod
    def _text(self, graph: Graph, dtype: np.dtype[Any]) -> str:
        """Return the text of the kernel, which may raise `UncompiledError`."""

    @abstractmethod
    def _compiled(self, graph: Graph, dtype: np.dtype[Any], weighted: bool) -> MadeKernel:
        """Make the machine code."""

    @abstractmethod
    def _compare(self, kernel: MadeKernel, arrays: dict[str, NDArray], weighted: bool) -> None:
        """Raise `NoKernelError` if the machine code has other bits than the body at probes."""


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".partition("\n")[0]


def need_equal(found: NDArray, wanted: NDArray, told: str) -> None:
    """Raise `NoKernelError` unless arrays agree in every bit but those of NaN."""
    count = count_unlike(found, wanted)
    if count:
        raise NoKernelError(f"{told}, at {count} of {len(wanted)} points")

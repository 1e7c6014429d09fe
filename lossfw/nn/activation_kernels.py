"""Kernels of activations: values and pulled-back gradients of large arrays, with the same bits."""

from __future__ import annotations

import functools
from itertools import pairwise
from typing import Any, Literal, TypeAlias

import numpy as np

from lossfw.components.spaces import REAL
from lossfw.losses.engine import threads
from lossfw.losses.engine.compiled import may_have_kernel
from lossfw.losses.engine.reduction import BLOCK_ELEMENTS, block_rows
from lossfw.numerics.arrays import NDArray

# The functions of an activation that networks spend their time in.
Use: TypeAlias = Literal["value", "vjp"]

_DTYPES = (np.dtype(np.float32), np.dtype(np.float64))


def candidate_of(activation: Any, use: Use) -> Any:
    """Return a function of an activation as it may be compiled, a `Candidate`."""
    from lossfw.losses.engine.candidates import Candidate

    if use == "value":
        return Candidate(repr(activation), activation.value, "value", {"x": REAL}, summed=False)
    return Candidate(repr(activation), activation.vjp, "gradient", {"x": REAL, "v": REAL})


def row_candidate_of(activation: Any, use: Use, columns: int) -> Any:
    """Return a function of an activation of rows as it may be compiled, a `RowCandidate`."""
    from lossfw.losses.engine.row_candidates import RowCandidate

    names = ("x",) if use == "value" else ("x", "v")
    return RowCandidate(
        owner=repr(activation),
        form=f"{use} of {columns} columns",
        function=getattr(activation, use),
        spaces=dict.fromkeys(names, REAL),
        columns=columns,
        by_index=False,
        losses=False,
        slopes=True,
        order="pairwise",
    )


def value(activation: Any, x: NDArray) -> NDArray:
    """Return ``activation.value(np, x)``."""
    kernel = _kernel(activation, "value", x)
    if kernel is None:
        found: NDArray = activation.value(np, x)
        return found
    out = np.empty_like(x)
    _run(kernel, activation.takes_rows, (x,), out)
    return out


def vjp(activation: Any, x: NDArray, v: NDArray) -> NDArray:
    """Return ``activation.vjp(np, x, v)``."""
    alike = v.dtype == x.dtype and v.shape == x.shape and v.flags.c_contiguous
    kernel = _kernel(activation, "vjp", x) if alike else None
    if kernel is None:
        found: NDArray = activation.vjp(np, x, v)
        return found
    out = np.empty_like(x)
    _run(kernel, activation.takes_rows, (x, v), out)
    return out


def _kernel(activation: Any, use: Use, x: NDArray) -> Any:
    """Return the `Kernel` for an array, None while or where there is none."""
    if not may_have_kernel(x.size) or x.dtype not in _DTYPES or not x.flags.c_contiguous:
        return None
    # Imported on use, as in `lossfw.losses.engine.compiled`.
    from lossfw.losses.engine import kernels

    key: tuple[Any, ...] = (type(activation), activation.identity, use)
    candidate: Any = functools.partial(candidate_of, activation, use)
    if activation.takes_rows:
        key = (*key, x.shape[-1])
        candidate = functools.partial(row_candidate_of, activation, use, x.shape[-1])
    return kernels.find(key, candidate, x.dtype, x.size)


def _run(kernel: Any, takes_rows: bool, arrays: tuple[NDArray, ...], out: NDArray) -> None:
    """Compute an array in pieces, on several threads if there are many."""
    shape: tuple[int, ...] = (-1,)
    size = BLOCK_ELEMENTS
    if takes_rows:
        # Pieces of whole rows.
        shape, size = (-1, out.shape[-1]), block_rows(out.shape[-1])
    flat, result = [x.reshape(shape) for x in arrays], out.reshape(shape)
    if len(result) <= size:
        # The usual layer of a network: all that stands around its kernel counts.
        kernel(*flat, **{"losses" if kernel.shape.losses else "slopes": result})
        return

    def piece(span: tuple[int, int]) -> None:
        part = slice(*span)
        given = [x[part] for x in flat]
        if kernel.shape.losses:
            kernel(*given, losses=result[part])
        else:
            kernel(*given, slopes=result[part])

    edges = [*range(0, len(result), size), len(result)]
    threads.run(piece, list(pairwise(edges)))

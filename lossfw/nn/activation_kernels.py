"""Activations of large arrays: kernels, or pieces for the body, with the same bits."""

from __future__ import annotations

import functools
from collections.abc import Callable
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
    return _applied(activation, "value", x)


def vjp(activation: Any, x: NDArray, v: NDArray) -> NDArray:
    """Return ``activation.vjp(np, x, v)``."""
    return _applied(activation, "vjp", x, v)


def _applied(activation: Any, use: Use, x: NDArray, *others: NDArray) -> NDArray:
    """Return a function of an activation, by its kernel or by its body."""
    body: Callable[..., NDArray] = functools.partial(getattr(activation, use), np)
    if not all(_alike(x, array) for array in (x, *others)):
        return body(x, *others)
    kernel = _kernel(activation, use, x)
    if kernel is None:
        return _of_body(body, activation.takes_rows, x, *others)
    out = np.empty_like(x)
    name = "losses" if kernel.shape.losses else "slopes"

    def task(results: NDArray, *arrays: NDArray) -> None:
        kernel(*arrays, **{name: results})

    _run(task, activation.takes_rows, out, x, *others)
    return out


def _alike(x: NDArray, other: NDArray) -> bool:
    return other.dtype == x.dtype and other.shape == x.shape and other.flags.c_contiguous


def _of_body(body: Callable[..., NDArray], takes_rows: bool, *arrays: NDArray) -> NDArray:
    """Return a function of arrays that are alike, in pieces where they are large.

    The temporaries of a piece stay in the processor's caches: a softmax of 10 million
    elements takes a third of the time, with the same bits.
    """
    x = arrays[0]
    shape = (-1, x.shape[-1]) if takes_rows else (-1,)
    size, flat = _piece(takes_rows, x), [array.reshape(shape) for array in arrays]
    if len(flat[0]) <= size:
        return body(*arrays)
    first = body(*(array[:size] for array in flat))
    if first.dtype != x.dtype or first.shape != flat[0][:size].shape:
        # The body has rules of its own for dtypes or shapes, which the caller deals with.
        return body(*arrays)
    out = np.empty_like(x)
    results = out.reshape(shape)
    results[:size] = first

    def task(piece: NDArray, *given: NDArray) -> None:
        piece[...] = body(*given)

    _run(task, takes_rows, results[size:], *(array[size:] for array in flat))
    return out


def _kernel(activation: Any, use: Use, x: NDArray) -> Any:
    """Return the `Kernel` for an array, None while or where there is none."""
    if not may_have_kernel(x.size) or x.dtype not in _DTYPES:
        return None
    # Imported on use, as in `lossfw.losses.engine.compiled`.
    from lossfw.losses.engine import kernels

    key: tuple[Any, ...] = (type(activation), activation.identity, use)
    candidate: Any = functools.partial(candidate_of, activation, use)
    if activation.takes_rows:
        key = (*key, x.shape[-1])
        candidate = functools.partial(row_candidate_of, activation, use, x.shape[-1])
    return kernels.find(key, candidate, x.dtype, x.size)


def _piece(takes_rows: bool, x: NDArray) -> int:
    """Return the rows, or elements, of a piece."""
    return block_rows(x.shape[-1]) if takes_rows else BLOCK_ELEMENTS


def _run(task: Callable[..., None], takes_rows: bool, out: NDArray, *arrays: NDArray) -> None:
    """Do a task on pieces of arrays, on several threads if there are many.

    Parameters
    ----------
    task : callable
        Called with a piece of the results, which it writes, and one of each array.
    takes_rows : bool
        Whether a piece consists of whole rows.
    out : ndarray
        The results.
    arrays : ndarray
        In the shape of the results, in C order.
    """
    shape = (-1, out.shape[-1]) if takes_rows else (-1,)
    flat = [array.reshape(shape) for array in (out, *arrays)]
    size, length = _piece(takes_rows, out), len(flat[0])
    if length <= size:
        # The usual layer of a network: all that stands around its kernel counts.
        task(*flat)
        return

    def piece(span: tuple[int, int]) -> None:
        part = slice(*span)
        task(*(array[part] for array in flat))

    edges = [*range(0, length, size), length]
    threads.run(piece, list(pairwise(edges)))

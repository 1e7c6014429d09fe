"""Activations of large arrays: kernels, or pieces for the body, with the same bits."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from lossfw.components.spaces import REAL
from lossfw.losses.engine import kernels, threads
from lossfw.losses.engine.read_only import raise_for_writing, read_only
from lossfw.losses.engine.reduction import BLOCK_ELEMENTS, block_rows
from lossfw.numerics.arrays import NDArray
from lossfw.numerics.compiled.signature import KernelSignature

if TYPE_CHECKING:
    # Imported on use, by the thread that compiles.
    from lossfw.losses.engine.candidates import Candidate

# The functions of an activation that networks spend their time in; "both" is value and
# derivative, which training wants.
Use: TypeAlias = Literal["value", "vjp", "both"]

_METHODS: dict[Use, str] = {"value": "value", "vjp": "vjp", "both": "value_and_derivative"}

# The names of functions of elements in messages.
_FORMS: dict[Use, str] = {"value": "value", "vjp": "gradient", "both": "both"}

_DTYPES = (np.dtype(np.float32), np.dtype(np.float64))


def candidate_of(activation: Any, use: Use, columns: int | None = None) -> Candidate:
    """Return a function of an activation as it may be compiled, of rows for a number of columns."""
    from lossfw.losses.engine.candidates import Candidate

    names = ("x", "v") if use == "vjp" else ("x",)
    if columns is None:
        form = _FORMS[use]
        signature = KernelSignature(names, use != "vjp", use != "value", summed=False)
    else:
        form = f"{use} of {columns} columns"
        signature = KernelSignature(names, False, True, columns=columns)
    function = getattr(activation, _METHODS[use])
    return Candidate(repr(activation), form, function, dict.fromkeys(names, REAL), signature)


def value(activation: Any, x: NDArray) -> NDArray:
    """Return ``activation.value(np, x)``."""
    return _applied(activation, "value", x)[0]


def vjp(activation: Any, x: NDArray, v: NDArray) -> NDArray:
    """Return ``activation.vjp(np, x, v)``."""
    return _applied(activation, "vjp", x, v)[0]


def value_and_derivative(activation: Any, x: NDArray) -> tuple[NDArray, NDArray]:
    """Return ``activation.value_and_derivative(np, x)``, of a function of elements."""
    result, slope = _applied(activation, "both", x)
    return result, slope


def _applied(activation: Any, use: Use, *arrays: NDArray) -> tuple[NDArray, ...]:
    """Return a function of an activation, by its kernel or by its body."""
    x = arrays[0]
    plain = x.flags.c_contiguous and (len(arrays) == 1 or _alike(x, arrays[1]))
    found = _kernel(activation, use, x) if plain else None
    results = None if found is None else _by_kernel(activation, found.kernel, arrays)
    trial = found and found.trial
    if results is not None and trial is None:
        return results
    wanted = _of_body(getattr(activation, _METHODS[use]), activation.takes_rows, plain, arrays)
    if results is not None and trial is not None:
        trial.compare(results, wanted, x.size)
    return wanted


def _by_kernel(
    activation: Any, kernel: Any, arrays: tuple[NDArray, ...]
) -> tuple[NDArray, ...] | None:
    """Return a function of an activation by its kernel; None where the kernel cannot tell."""
    x, signature = arrays[0], kernel.signature
    outputs = {"values": signature.values, "derivatives": signature.derivatives}
    out = {name: np.empty_like(x) for name, is_written in outputs.items() if is_written}
    results = tuple(out.values())
    if not activation.takes_rows and x.size <= BLOCK_ELEMENTS:
        # The usual layer of a network: all that is around its kernel counts.
        return results if kernel(*arrays, **out)[1] else None
    inside = list[bool]()

    def task(*pieces: NDArray) -> None:
        written = dict(zip(out, pieces, strict=False))
        inside.append(kernel(*pieces[len(out) :], **written)[1])

    _run(task, activation.takes_rows, *results, *arrays)
    return results if all(inside) else None


def _alike(x: NDArray, other: NDArray) -> bool:
    return other.dtype == x.dtype and other.shape == x.shape and other.flags.c_contiguous


# As a decorator it takes half the time of a with block.
@np.errstate(all="ignore")
def _of_body(
    method: Callable[..., Any], takes_rows: bool, plain: bool, arrays: tuple[NDArray, ...]
) -> tuple[NDArray, ...]:
    """Return a function of arrays, in pieces where they are alike and large.

    The temporaries of a piece stay in the processor's caches: a softmax of 10 million
    elements takes a third of the time, with the same bits.
    """
    x = arrays[0]
    threads.keep_freed_memory()
    size = _piece(takes_rows, x)
    given = (read_only(x),) if len(arrays) == 1 else tuple(map(read_only, arrays))
    if not plain or x.size <= size * (x.shape[-1] if takes_rows else 1):
        return _called(method, given, arrays)
    shape = (-1, x.shape[-1]) if takes_rows else (-1,)
    flat = [array.reshape(shape) for array in given]
    first = _called(method, [array[:size] for array in flat])
    if any(one.dtype != x.dtype or one.shape != flat[0][:size].shape for one in first):
        # The body has rules of its own for dtypes or shapes, which the caller deals with.
        return _called(method, given, arrays)
    out = tuple(np.empty_like(x) for _ in first)
    results = [array.reshape(shape) for array in out]
    for result, one in zip(results, first, strict=True):
        result[:size] = one

    def task(*pieces: NDArray) -> None:
        found = _called(method, pieces[len(out) :])
        for piece, one in zip(pieces, found, strict=False):
            piece[...] = one

    _run(task, takes_rows, *(array[size:] for array in (*results, *flat)))
    return out


def _called(
    method: Callable[..., Any], given: Sequence[NDArray], arrays: Sequence[NDArray] = ()
) -> tuple[NDArray, ...]:
    """Call a function of an activation; a view that it returns becomes the array again."""
    try:
        results = _as_tuple(method(np, *given))
    except ValueError as error:
        raise_for_writing(error, method)
    if arrays and results[0] is given[0]:
        return (arrays[0], *results[1:])
    return results


def _as_tuple(results: Any) -> tuple[NDArray, ...]:
    return results if isinstance(results, tuple) else (results,)


def _kernel(activation: Any, use: Use, x: NDArray) -> kernels.UsableKernel | None:
    """Return what `kernels.find_kernel` does for an array."""
    if not kernels.may_have_kernel(x.size) or x.dtype not in _DTYPES:
        return None
    columns = x.shape[-1] if activation.takes_rows else None
    key = (type(activation), activation.identity, use, columns)
    candidate = functools.partial(candidate_of, activation, use, columns)
    return kernels.find_kernel(key, candidate, x.dtype, x.size)


def _piece(takes_rows: bool, x: NDArray) -> int:
    """Return the rows, or elements, of a piece."""
    return block_rows(x.shape[-1]) if takes_rows else BLOCK_ELEMENTS


def _run(task: Callable[..., None], takes_rows: bool, *arrays: NDArray) -> None:
    """Do a task on pieces of arrays, on several threads if there are many.

    Parameters
    ----------
    task : callable
        Called with a piece of each array, and writes those of results.
    takes_rows : bool
        Whether a piece consists of whole rows.
    *arrays : ndarray
        Results and arguments of one shape, in C order.
    """
    shape = (-1, arrays[0].shape[-1]) if takes_rows else (-1,)
    flat = [array.reshape(shape) for array in arrays]
    size, length = _piece(takes_rows, arrays[0]), len(flat[0])
    if length <= size:
        task(*flat)
        return

    def piece(span: tuple[int, int]) -> None:
        part = slice(*span)
        task(*(array[part] for array in flat))

    edges = [*range(0, length, size), length]
    threads.run(piece, list(pairwise(edges)))

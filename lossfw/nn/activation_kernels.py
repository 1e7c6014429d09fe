"""Activations of large arrays: kernels, or pieces for the body, with the same bits."""

from __future__ import annotations

import functools
import time
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
    from lossfw.numerics.compiled.kernel import Kernel

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
    return _apply(activation, "value", x)[0]


def vjp(activation: Any, x: NDArray, v: NDArray) -> NDArray:
    """Return ``activation.vjp(np, x, v)``."""
    return _apply(activation, "vjp", x, v)[0]


def value_and_derivative(activation: Any, x: NDArray) -> tuple[NDArray, NDArray]:
    """Return ``activation.value_and_derivative(np, x)``, of a function of elements."""
    result, derivative = _apply(activation, "both", x)
    return result, derivative


def _apply(activation: Any, use: Use, *arrays: NDArray) -> tuple[NDArray, ...]:
    """Return a function of an activation, by its kernel or by its body."""
    x = arrays[0]
    columns = x.shape[-1] if activation.takes_rows else None
    is_plain = x.flags.c_contiguous and (len(arrays) == 1 or _is_alike(x, arrays[1]))
    results = trial = watched = None
    if is_plain and kernels.may_have_kernel(x.size) and x.dtype in _DTYPES:
        key = (type(activation), activation.identity, use, columns)
        candidate = functools.partial(candidate_of, activation, use, columns)
        watched = kernels.watch(key, candidate, x.dtype)
        usable = watched.usable_kernel()
        if usable is not None:
            results, trial = _by_kernel(usable.kernel, arrays, columns), usable.trial
    if results is not None and trial is None:
        return results
    started_at = time.thread_time()
    expected = _by_body(getattr(activation, _METHODS[use]), arrays, columns, is_plain)
    if watched is not None:
        watched.add_seconds(time.thread_time() - started_at)
    if results is not None and trial is not None:
        trial.compare(results, expected, x.size)
    return expected


def _is_alike(x: NDArray, other: NDArray) -> bool:
    return other.dtype == x.dtype and other.shape == x.shape and other.flags.c_contiguous


def _by_kernel(
    kernel: Kernel, arrays: tuple[NDArray, ...], columns: int | None
) -> tuple[NDArray, ...] | None:
    """Return a function of arrays by its kernel; None where it leaves them to the body."""
    x, signature = arrays[0], kernel.signature
    out = dict[str, Any]()
    if signature.values:
        out["values"] = np.empty_like(x)
    if signature.derivatives:
        out["derivatives"] = np.empty_like(x)
    results = tuple(out.values())
    if columns is None and x.size <= BLOCK_ELEMENTS:
        # The usual layer of a network: all that is around its kernel counts.
        return results if kernel(*arrays, **out)[1] else None
    inside = list[bool]()

    def task(*pieces: NDArray) -> None:
        written: dict[str, Any] = dict(zip(out, pieces, strict=False))
        inside.append(kernel(*pieces[len(out) :], **written)[1])

    _run_in_pieces(task, columns, *results, *arrays)
    return results if all(inside) else None


# As a decorator it takes half the time of a with block.
@np.errstate(all="ignore")
def _by_body(
    method: Callable[..., Any], arrays: tuple[NDArray, ...], columns: int | None, is_plain: bool
) -> tuple[NDArray, ...]:
    """Return a function of arrays, in pieces where they are alike and large.

    The temporaries of a piece stay in the processor's caches: a softmax of 10 million
    elements takes a third of the time, with the same bits.
    """
    x = arrays[0]
    threads.keep_freed_memory()
    size = block_rows(columns or 1)
    arguments = (read_only(x),) if len(arrays) == 1 else tuple(map(read_only, arrays))
    if not is_plain or x.size <= size * (columns or 1):
        return _call(method, arguments, arrays)
    flat = _flatten(columns, arguments)
    first = _call(method, [array[:size] for array in flat])
    if any(result.dtype != x.dtype or result.shape != flat[0][:size].shape for result in first):
        # The body has rules of its own for dtypes or shapes, which the caller deals with.
        return _call(method, arguments, arrays)
    out = tuple(np.empty_like(x) for _ in first)
    flat_out = _flatten(columns, out)
    for array, result in zip(flat_out, first, strict=True):
        array[:size] = result

    def task(*pieces: NDArray) -> None:
        for piece, result in zip(pieces, _call(method, pieces[len(out) :]), strict=False):
            piece[...] = result

    _run_in_pieces(task, columns, *(array[size:] for array in (*flat_out, *flat)))
    return out


def _call(
    method: Callable[..., Any], arguments: Sequence[NDArray], arrays: Sequence[NDArray] = ()
) -> tuple[NDArray, ...]:
    """Call a function of an activation; a view that it returns becomes the array again."""
    try:
        results = method(np, *arguments)
    except ValueError as error:
        raise_for_writing(error, method)
    results = results if isinstance(results, tuple) else (results,)
    if arrays and results[0] is arguments[0]:
        return (arrays[0], *results[1:])
    return results


def _flatten(columns: int | None, arrays: Sequence[NDArray]) -> list[NDArray]:
    """Return views of arrays with one axis, or with one axis and rows."""
    return [array.reshape((-1,) if columns is None else (-1, columns)) for array in arrays]


def _run_in_pieces(task: Callable[..., None], columns: int | None, *arrays: NDArray) -> None:
    """Do a task on pieces of results and arguments of one shape, on several threads if many.

    The task gets a piece of each array, of whole rows if there are columns, and writes those of
    results.
    """
    flat = _flatten(columns, arrays)
    size, length = block_rows(columns or 1), len(flat[0])
    if length <= size:
        task(*flat)
        return

    def run_piece(bounds: tuple[int, int]) -> None:
        task(*(array[slice(*bounds)] for array in flat))

    threads.run(run_piece, list(pairwise([*range(0, length, size), length])))

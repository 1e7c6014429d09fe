"""The kernels of activations of large arrays."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from lossfw.components.spaces import REAL
from lossfw.losses.engine.kernels.watched import may_have_kernel, watch
from lossfw.losses.engine.pieces import run_in_pieces
from lossfw.losses.engine.reduction import BLOCK_ELEMENTS
from lossfw.numerics.arrays import NDArray
from lossfw.numerics.compiled.signature import KernelSignature

if TYPE_CHECKING:
    # Imported on use, by the thread that compiles.
    from lossfw.losses.engine.kernels.candidates import Candidate
    from lossfw.numerics.compiled.kernel import Kernel

# The functions of an activation that networks spend their time in, by the names of the methods.
Use: TypeAlias = Literal["value", "vjp", "value_and_derivative"]

# The names of functions of elements in messages.
_FORMS: dict[Use, str] = {"value": "value", "vjp": "gradient", "value_and_derivative": "both"}

_DTYPES = (np.dtype(np.float32), np.dtype(np.float64))


def candidate_of(activation: Any, function_name: Use, columns: int | None = None) -> Candidate:
    """Return the candidate of an activation's function, for rows with a number of columns."""
    from lossfw.losses.engine.kernels.candidates import Candidate

    names = ("x", "v") if function_name == "vjp" else ("x",)
    if columns is None:
        form = _FORMS[function_name]
        signature = KernelSignature(
            names, function_name != "vjp", function_name != "value", summed=False
        )
    else:
        form = f"{function_name} of {columns} columns"
        signature = KernelSignature(names, False, True, columns=columns)
    function = getattr(activation, function_name)
    return Candidate(repr(activation), form, function, dict.fromkeys(names, REAL), signature)


def no_activation_kernel_reason(
    activation: Any, function_name: Use, dtype: np.dtype[Any], columns: int | None = None
) -> str:
    """Return why an activation's function has no kernel; empty if it may have one."""
    return candidate_of(activation, function_name, columns).problem(dtype)


def apply_activation(
    activation: Any,
    function_name: Use,
    arrays: tuple[NDArray, ...],
    by_body: Callable[[], tuple[NDArray, ...]],
) -> tuple[NDArray, ...]:
    """Return a function of an activation, by its kernel or by its body.

    The arrays are contiguous, of one shape and one dtype.
    """
    x = arrays[0]
    if not may_have_kernel(x.size) or x.dtype not in _DTYPES:
        return by_body()
    columns = x.shape[-1] if activation.takes_rows else None
    key = (type(activation), activation._cache_key, function_name, columns)
    candidate = functools.partial(candidate_of, activation, function_name, columns)
    watched = watch(key, candidate, x.dtype)
    usable, results = watched.usable_kernel(), None
    if usable is not None:
        results = _run_kernel(usable.kernel, arrays, columns)
        if results is not None and usable.trial is None:
            return results
    started_at = time.thread_time()
    expected = by_body()
    watched.add_seconds(time.thread_time() - started_at)
    if results is not None and usable is not None and usable.trial is not None:
        usable.trial.compare(results, expected, x.size)
    return expected


def _run_kernel(
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

    run_in_pieces(task, columns, *results, *arrays)
    return results if all(inside) else None

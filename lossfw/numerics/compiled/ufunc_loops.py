"""NumPy's own inner loops, called by address.

NumPy offers them to compilers by experimental functions; without these, nothing is compiled. A loop
computes a ufunc on contiguous arrays, without the interpreter's lock.
"""

from __future__ import annotations

import ctypes
import functools
from typing import Any

import numpy as np

from lossfw.numerics.compiled.operations import FLOAT, UncompiledError

# The name of the capsule, which has the version of its contents.
_CAPSULE = b"numpy_1.24_ufunc_call_info"


class _CallInfo(ctypes.Structure):
    """NumPy's record of a loop, as ``numpy/_core/src/umath/ufunc_object.h`` has it."""

    _fields_ = (
        ("loop", ctypes.c_void_p),
        ("context", ctypes.c_void_p),
        ("extra", ctypes.c_void_p),
        ("needs_lock", ctypes.c_bool),
        ("raises_no_flags", ctypes.c_bool),
    )


@functools.cache
def find_loop(name: str, kind: str) -> tuple[tuple[int, int, int], Any]:
    """Return the addresses of a ufunc's loop, its context and its extra data, and their owner.

    Raises `UncompiledError` if NumPy does not offer them, or the loop needs Python's lock.
    """
    ufunc, dtype = getattr(np, name), np.dtype(np.float32 if kind == FLOAT else np.float64)
    try:
        _, owner = ufunc._resolve_dtypes_and_context((dtype,) * ufunc.nin + (None,))
        ufunc._get_strided_loop(owner, fixed_strides=(None,) * ufunc.nargs)
        pointer = ctypes.pythonapi.PyCapsule_GetPointer
        pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
        info = _CallInfo.from_address(pointer(owner, _CAPSULE))
    except (AttributeError, TypeError, ValueError) as error:
        raise UncompiledError(f"NumPy hands out no loop of {name}: {error}") from error
    if info.needs_lock or not info.loop:
        raise UncompiledError(f"NumPy's loop of {name} needs the interpreter's lock")
    return (info.loop, info.context or 0, info.extra or 0), owner

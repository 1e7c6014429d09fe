"""Arrays of other libraries as arguments: PyTorch, JAX, CuPy, Dask."""

from __future__ import annotations

from typing import Any

import numpy as np

from lossfw.errors import ArgumentError, DtypeError
from lossfw.numerics.arrays import (
    Array,
    Namespace,
    is_foreign,
    is_torch,
    namespace_of,
    supports_float64,
)
from lossfw.numerics.arrays import has_values as has_values

_ROLES = ("prediction", "target", "sample_weight", "where")


def common_namespace(*arguments: Any) -> Namespace:
    """Return the namespace of the arguments of a call: NumPy's for its arrays and for lists.

    Arrays of two libraries raise `ArgumentError`. A missing argument is None.
    """
    if all(x is None or is_torch(x) for x in arguments):
        # The fast way, which a compiler can follow.
        return namespace_of(*arguments)
    for x in arguments:
        if type(x) is not np.ndarray and x is not None and is_foreign(x):
            return _foreign_namespace(arguments)
    return np


def _foreign_namespace(arguments: tuple[Any, ...]) -> Namespace:
    arrays = {role: x for role, x in zip(_ROLES, arguments, strict=True) if x is not None}
    libraries = {role: _library(x) for role, x in arrays.items()}
    if len(set(libraries.values())) > 1:
        listed = ", ".join(f"{role} is of {library}" for role, library in libraries.items())
        raise ArgumentError(f"{listed}: pass arrays of one library.")
    return namespace_of(*arrays.values())


def _library(x: Any) -> str:
    """Return the name of an array's library, or of the type of anything else."""
    if isinstance(x, np.ndarray | np.generic):
        return "numpy"
    if not is_foreign(x):
        return f"type {type(x).__name__}"
    if is_torch(x):
        return "torch"
    name: str = namespace_of(x).__name__
    return name.removeprefix("array_api_compat.").partition(".")[0]


def check_dtype(xp: Namespace, x: Array, role: str) -> None:
    """Raise `DtypeError` for an array that is not of real numbers."""
    if not xp.isdtype(x.dtype, ("real floating", "integral", "bool")):
        raise DtypeError(
            f"{role} has unsupported dtype {x.dtype}: pass float64, float32, float16, bfloat16 or "
            "integers."
        )


def as_floats(xp: Namespace, x: Array) -> Array:
    """Return integers and booleans in the widest float, floats as they are."""
    return x if xp.isdtype(x.dtype, "real floating") else xp.astype(x, widest_float(xp))


def widest_float(xp: Namespace) -> Any:
    """Return float64, or float32 if the library is configured without float64."""
    return xp.float64 if supports_float64(xp) else xp.float32


def may_be_all_true(xp: Namespace, mask: Array) -> bool:
    """Tell whether a mask has no element that is known to be False."""
    return not has_values(mask) or bool(xp.all(mask))

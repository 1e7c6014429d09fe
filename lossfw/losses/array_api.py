"""Arrays of other libraries as arguments: PyTorch, JAX, CuPy, Dask."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import numpy as np

from lossfw.errors import ArgumentError, DtypeError
from lossfw.numerics.arrays import (
    Array,
    Namespace,
    has_double,
    is_foreign,
    is_jax,
    is_torch,
    namespace_of,
)

_ROLES = ("prediction", "target", "sample_weight", "where")


def common_namespace(*arguments: Any) -> Namespace:
    """Return the namespace of the arguments of a call: NumPy's for its arrays and for lists.

    Parameters
    ----------
    *arguments
        Prediction, target, sample weight and mask, None for one that is not given.

    Raises
    ------
    ArgumentError
        If one is an array of another library, and the others are not of that library.
    """
    if all(x is None or is_torch(x) for x in arguments):
        # The fast way, which a compiler can follow.
        return namespace_of(*arguments)
    for x in arguments:
        if type(x) is not np.ndarray and x is not None and is_foreign(x):
            return _foreign_namespace(arguments)
    return np


def _foreign_namespace(arguments: tuple[Any, ...]) -> Namespace:
    given = {role: x for role, x in zip(_ROLES, arguments, strict=True) if x is not None}
    libraries = {role: _library(x) for role, x in given.items()}
    if len(set(libraries.values())) > 1:
        listed = ", ".join(f"{role} is of {library}" for role, library in libraries.items())
        raise ArgumentError(f"{listed}: pass arrays of one library.")
    return namespace_of(*given.values())


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
            f"{role} has dtype {x.dtype}, which is not computed with: pass float64, float32, "
            "float16, bfloat16 or integers."
        )


def as_floats(xp: Namespace, x: Array) -> Array:
    """Return integers and booleans in the widest float, floats as they are."""
    return x if xp.isdtype(x.dtype, "real floating") else xp.astype(x, widest(xp))


def widest(xp: Namespace) -> Any:
    """Return float64, or float32 for a library that is set to have nothing wider."""
    return xp.float64 if has_double(xp) else xp.float32


def has_values(*arrays: Array | None) -> bool:
    """Tell whether arrays have values that can be looked at.

    Those that JAX or PyTorch traces, maps over a batch or compiles have none.
    """
    return all(_has_values(x) for x in arrays)


def _has_values(x: Array | None) -> bool:
    if is_jax(x):
        return not isinstance(x, sys.modules["jax"].core.Tracer)
    return not is_torch(x) or _is_concrete(sys.modules["torch"], x)


def _is_concrete(torch: ModuleType, x: Array) -> bool:
    """Tell whether the numbers of a tensor can be looked at."""
    if torch.compiler.is_compiling() or x.is_meta or type(x).__name__ == "FakeTensor":
        return False
    # There is no public name for what `torch.func` wraps a tensor in.
    functorch = torch._C._functorch
    while functorch.is_functorch_wrapped_tensor(x):
        if functorch.is_batchedtensor(x):
            return False
        x = functorch.get_unwrapped(x)
    return True


def all_known(xp: Namespace, mask: Array) -> bool:
    """Tell whether no element of a mask is known to be False."""
    return not has_values(mask) or bool(xp.all(mask))

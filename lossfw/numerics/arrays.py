"""Arrays: NumPy's, and those of other libraries through the Python array API standard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

# An array of any library that follows the array API standard, and its namespace of
# functions. There is no static type for either, so the names are for readers.
Array: TypeAlias = Any
Namespace: TypeAlias = Any

# A function that an author writes: ``body(xp, *arrays)``.
Body: TypeAlias = Callable[..., Any]

# An array of NumPy, of any dtype.
NDArray: TypeAlias = np.ndarray[Any, np.dtype[Any]]


class TextbookNamespace:
    """Base of the array namespaces on which primitives are their textbook formulas."""

    def __getattr__(self, name: str) -> Any:
        """Say to type checkers that the functions of the array API are there."""
        raise AttributeError(name)


def is_foreign(x: object) -> bool:
    """Tell whether `x` is an array of another library than NumPy."""
    return not isinstance(x, np.ndarray | np.generic) and (
        hasattr(x, "__array_namespace__") or type(x).__module__.partition(".")[0] == "torch"
    )


def is_half(dtype: Any) -> bool:
    """Tell whether a dtype of any library is float16 or bfloat16.

    Examples
    --------
    >>> is_half(np.dtype("float16")), is_half(np.dtype(">f2")), is_half(np.dtype("int16"))
    (True, True, False)
    """
    if isinstance(dtype, np.dtype) and dtype.itemsize != 2:
        # NumPy takes microseconds to name a dtype.
        return False
    name: str = getattr(dtype, "name", None) or str(dtype)
    return name.endswith("float16")


def namespace_of(*arrays: object) -> Namespace:
    """Return the array namespace of `arrays`: NumPy, unless one is foreign.

    Raises
    ------
    TypeError
        If arrays of different libraries are mixed.
    """
    if not any(is_foreign(x) for x in arrays):
        return np
    # Imported on use: most processes have no foreign arrays.
    import array_api_compat

    return array_api_compat.array_namespace(*[x for x in arrays if is_foreign(x)])

"""Arrays: NumPy's, and those of other libraries through the Python array API standard."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

# An array of any library that follows the array API standard, and its namespace of
# functions. There is no static type for either, so the names are for readers.
Array: TypeAlias = Any
Namespace: TypeAlias = Any

# A function that an author writes: ``body(xp, *arrays)``.
Body: TypeAlias = Callable[..., Any]

# Up to so many columns a tile of rows is stored column by column, so that a reduction over a row
# runs along the long, contiguous axis, and a kernel transposes rows: more columns would take long
# to compile, and gain little.
FEW_COLUMNS = 64

# An array of NumPy, of any dtype.
NDArray: TypeAlias = np.ndarray[Any, np.dtype[Any]]

# PyTorch's compiler cannot follow a union of types.
_OF_NUMPY = (np.ndarray, np.generic)

# From so many elements on an array of a number costs less than it saves.
_FILLED = 4096


class TextbookNamespace:
    """Base class of array namespaces on which primitives are their textbook formulas.

    Their numbers have enough digits, so no rounding errors need to be tracked.
    """

    def __getattr__(self, name: str) -> Any:
        """Say to type checkers that the functions of the array API are there."""
        raise AttributeError(name)


def is_foreign(x: object) -> bool:
    """Tell whether `x` is an array of another library than NumPy."""
    return is_torch(x) or (not isinstance(x, _OF_NUMPY) and hasattr(x, "__array_namespace__"))


def is_torch(x: object) -> bool:
    """Tell whether `x` is a tensor of PyTorch.

    By the names of its classes: PyTorch's compiler guards each dictionary that a function looks
    into, and refuses to compile one that fills it.
    """
    if isinstance(x, _OF_NUMPY):
        return False
    # any() of a generator takes four times as long, in each call of a loss.
    for cls in type(x).__mro__:  # noqa: SIM110
        if cls.__name__ == "Tensor" and cls.__module__ == "torch":
            return True
    return False


def is_jax(x: object) -> bool:
    """Tell whether `x` is a JAX array, or stands for one while JAX traces a function."""
    if is_torch(x):
        return False
    jax = sys.modules.get("jax")
    return jax is not None and isinstance(x, jax.Array)


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


def first_rounded_integer(x: NDArray, dtype: Any = np.float64) -> tuple[int, ...] | None:
    """Return the index of the first integer that a float would round, or None.

    Examples
    --------
    >>> (first_rounded_integer(np.array([2**53, 2**53 + 2])),
    ...     first_rounded_integer(np.array([7, 2**53 + 1])))
    (None, (1,))
    """
    if x.dtype.kind not in "iu":
        return None
    # The float has every whole number up to here.
    exact = 2 ** (np.finfo(dtype).nmant + 1)
    if np.iinfo(x.dtype).max <= exact or not x.size:
        return None
    if int(x.max()) <= exact and int(x.min()) >= -exact:
        return None
    for index in np.argwhere((x > exact) | (x < -exact)):
        place = tuple(index.tolist())
        if int(dtype(number := int(x[place]))) != number:
            return place
    return None


def as_numpy(x: Any) -> NDArray:
    """Return an array of any library, or a list, as an array of NumPy."""
    return np.asarray(x.detach().cpu() if is_torch(x) else x)


def namespace_of(*arrays: object) -> Namespace:
    """Return the array namespace of `arrays`: NumPy, unless one is foreign.

    Arrays of different libraries raise `TypeError`.
    """
    foreign = [x for x in arrays if is_foreign(x)]
    if not foreign:
        return np
    if all(is_torch(x) for x in foreign):
        # Without the look at them that no compiler can follow.
        from lossfw.numerics import torch_namespace

        return torch_namespace
    # Imported on use: most processes have no foreign arrays.
    import array_api_compat

    return array_api_compat.array_namespace(*foreign)


def supports_float64(xp: Namespace) -> bool:
    """Tell whether a library computes in float64, which JAX does only on request."""
    if getattr(xp, "__name__", "") != "jax.numpy":
        return True
    return "float64" in xp.__array_namespace_info__().dtypes(kind="real floating")


def has_values(*arrays: Array | None) -> bool:
    """Tell whether the values of arrays are known.

    Arrays that JAX or PyTorch traces, batches by vmap or compiles have no values.
    """
    return all(_has_values(x) for x in arrays)


def _has_values(x: Any) -> bool:
    if is_jax(x):
        return not isinstance(x, sys.modules["jax"].core.Tracer)
    if not is_torch(x):
        return True
    torch = sys.modules["torch"]
    if torch.compiler.is_compiling() or x.is_meta or type(x).__name__ == "FakeTensor":
        return False
    # There is no public name for what `torch.func` wraps a tensor in.
    functorch = torch._C._functorch
    while functorch.is_functorch_wrapped_tensor(x):
        if functorch.is_batchedtensor(x):
            return False
        x = functorch.get_unwrapped(x)
    return True


def device_of(x: Any) -> Any:
    """Return the device for a new array to combine with `x`; None if the library handles it."""
    return None if isinstance(x, np.ndarray) or is_jax(x) else getattr(x, "device", None)


def column_numbers(xp: Namespace, x: Array) -> Array:
    """Return the numbers 0 .. K-1 of the columns of rows, on their device.

    Examples
    --------
    >>> column_numbers(np, np.zeros((5, 3)))
    array([0, 1, 2])
    """
    return xp.arange(x.shape[-1], device=device_of(x))


def extremum_operand(xp: Namespace, a: Array, number: float) -> Array | float:
    """Return a number as the other argument of a maximum or a minimum with `a`.

    NumPy compares an array with a number at a quarter of the speed of two arrays, so a large array
    gets an array.

    Examples
    --------
    >>> extremum_operand(np, np.zeros(2), 3.0)
    3.0
    """
    return number if xp is np and a.size < _FILLED else xp.full_like(a, number)

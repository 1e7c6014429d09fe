"""Parameters as plain numbers: NumPy's are converted, arrays of other libraries refused.

A tensor that is to be trained, or one that JAX traces, would be a constant inside of a
component: it would never learn, without a word.
"""

from __future__ import annotations

import sys
import types
from functools import reduce
from operator import or_
from typing import Annotated, Any, Union, get_args, get_origin

import numpy as np

from lossfw.errors import ParameterError
from lossfw.numerics.arrays import is_foreign, is_jax, is_torch


def to_plain(name: str, value: Any) -> Any:
    """Return NumPy's numbers as Python's, and lists and NumPy's arrays as tuples.

    Examples
    --------
    >>> to_plain("delta", np.array(2.0)), to_plain("weights", [np.float32(0.5), 1])
    (2.0, (0.5, 1))
    """
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, np.floating):
        return float(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple):
        # A named tuple stays what it is.
        parts = [to_plain(f"{name}[{i}]", part) for i, part in enumerate(value)]
        return tuple(parts) if type(value) in (list, tuple) else value
    if is_foreign(value):
        raise ParameterError(_refusal_text(name, value))
    return value


def _refusal_text(name: str, value: Any) -> str:
    number = f"{name}.tolist()" if value.ndim else f"float({name})"
    if is_jax(value) and isinstance(value, sys.modules["jax"].core.Tracer):
        return (
            f"{name} is traced by JAX, but parameters are plain numbers: construct the loss "
            "outside of the function that jit, grad or vmap transforms, or make the argument "
            f"static, as in jax.jit(f, static_argnames={name!r}). There is no derivative with "
            "respect to a parameter."
        )
    kind = "a JAX array" if is_jax(value) else f"a {type(value).__name__}"
    if is_torch(value):
        kind += " of PyTorch"
    told = f"{name} is {kind}, but parameters are plain numbers: pass {number}."
    if is_torch(value) and value.requires_grad:
        told += (
            " There is no derivative with respect to a parameter, so it would not be trained. "
            "Train a scale outside of the loss, such as c in criterion(input / c, target / c)."
        )
    return told


def type_with_tuples(annotation: Any) -> Any:
    """Return a type with tuples of any length in place of lists.

    Examples
    --------
    >>> type_with_tuples(list[float]), type_with_tuples(list[list[int]] | None)
    (tuple[float, ...], tuple[tuple[int, ...], ...] | None)
    """
    if annotation is list:
        return tuple[Any, ...]
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is list:
        return tuple[type_with_tuples(parts[0]), ...]  # type: ignore[misc]  # known at run time alone
    if origin is Annotated:
        return Annotated[(type_with_tuples(parts[0]), *parts[1:])]
    if origin in (Union, types.UnionType):
        return reduce(or_, map(type_with_tuples, parts))
    if origin is tuple:
        return tuple[tuple(map(type_with_tuples, parts))]  # type: ignore[misc]
    return annotation


def value_with_tuples(value: Any) -> Any:
    """Return a value with tuples in place of lists."""
    return tuple(map(value_with_tuples, value)) if isinstance(value, list) else value

"""Call and differentiate functions of other libraries' arrays with NumPy arrays.

Each function here takes a body, an unreduced function of the library's arrays, and returns it as a
function of NumPy arrays, with first and second derivatives by the library.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from lossfw.check.core.subject import Function
from lossfw.errors import ArgumentError
from lossfw.numerics.arrays import NDArray


@dataclass(frozen=True)
class AdaptedFunction:
    """A function of another library on NumPy arrays."""

    value: Function  # value(y, t), unreduced; for an activation value(x)
    # The first and the diagonal second derivative as the library computes them.
    gradient: Function | None = None
    hessian: Function | None = None
    reduce: Function | None = None  # reduce(y, t, sample_weight=None, where=None): weighted mean
    setup: str = ""  # code for snippets that defines all of these only with the library

    def scale_results(self, factor: float) -> AdaptedFunction:
        """Return it with value and derivatives multiplied by a number."""
        if factor == 1:
            return self

        def scale(function: Function | None) -> Any:
            return function and (lambda *arrays: factor * function(*arrays))

        return AdaptedFunction(scale(self.value), scale(self.gradient), scale(self.hessian))


Lifting: TypeAlias = Callable[[Function], AdaptedFunction]


def to_floats(y: Any) -> NDArray:
    """Return predictions as a new array of floats; integers become float64."""
    y = np.asarray(y)
    return np.array(y, y.dtype if y.dtype.kind == "f" else np.float64, order="C")


def as_arrays(y: Any, *targets: Any) -> list[NDArray]:
    """Return predictions and targets as new arrays of one dtype; class indices as int64."""
    arrays = [to_floats(y)]
    for t in map(np.asarray, targets):
        is_index = t.dtype.kind in "iu" and t.ndim < arrays[0].ndim
        arrays.append(np.array(t, np.int64 if is_index else arrays[0].dtype, order="C"))
    return arrays


def adapt_torch(body: Function) -> AdaptedFunction:
    """Return a function of tensors as a function of NumPy arrays, with derivatives by autograd."""
    import torch

    def first_derivative(y: Any, targets: list[Any], **options: Any) -> Any:
        y.requires_grad_()
        return torch.autograd.grad(body(y, *targets).sum(), y, **options)[0]

    def tensors(y: Any, targets: tuple[Any, ...]) -> Any:
        return map(torch.from_numpy, as_arrays(y, *targets))

    def value(y: Any, *targets: Any) -> NDArray:
        return np.asarray(body(*tensors(y, targets)).numpy(force=True))

    def gradient(y: Any, *targets: Any) -> NDArray:
        y, *others = tensors(y, targets)
        return np.asarray(first_derivative(y, others).numpy(force=True))

    def hessian(y: Any, *targets: Any) -> NDArray:
        y, *others = tensors(y, targets)
        first = first_derivative(y, others, create_graph=True)
        second = None
        if first.requires_grad:
            (second,) = torch.autograd.grad(first.sum(), y, allow_unused=True)
        return np.asarray((torch.zeros_like(y) if second is None else second).numpy(force=True))

    return AdaptedFunction(value, gradient, hessian)


def adapt_jax(body: Function, *, compiled: bool = True) -> AdaptedFunction:
    """Return a function of JAX arrays as a function of NumPy arrays; enables float64.

    It is compiled once per shape, instead of compiling each operation.
    """
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def total(y: Any, *targets: Any) -> Any:
        return body(y, *targets).sum()

    gradient = jax.grad(total)
    hessian = jax.grad(lambda y, *targets: gradient(y, *targets).sum())

    def with_numpy_arrays(function: Function) -> Function:
        ready = jax.jit(function) if compiled else function

        def call(y: Any, *targets: Any) -> NDArray:
            return np.asarray(ready(*map(jnp.asarray, as_arrays(y, *targets))))

        return call

    return AdaptedFunction(
        with_numpy_arrays(body), with_numpy_arrays(gradient), with_numpy_arrays(hessian)
    )


def adapt_keras(body: Function, *, compiled: bool = True) -> AdaptedFunction:
    """Return a function of Keras tensors, on JAX or PyTorch, as a function of NumPy arrays.

    On JAX it is compiled as a whole, as Keras compiles it in a training.

    Raises
    ------
    ArgumentError
        If Keras runs on another backend.
    """
    import keras

    backend = keras.backend.backend()
    if backend not in ("jax", "torch"):
        raise ArgumentError(
            f"keras runs on {backend}: set KERAS_BACKEND to jax or torch to check its losses."
        )
    adapted = adapt_jax(body, compiled=compiled) if backend == "jax" else adapt_torch(body)

    def set_float_dtype(function: Function | None) -> Any:
        def call(y: Any, *targets: Any) -> NDArray:
            before = keras.config.floatx()
            # Its functions convert to this dtype, whatever they are given.
            keras.config.set_floatx(to_floats(y).dtype.name)
            try:
                return np.asarray(function and function(y, *targets))
            finally:
                keras.config.set_floatx(before)

        return call

    functions = (adapted.value, adapted.gradient, adapted.hessian)
    return AdaptedFunction(*map(set_float_dtype, functions))

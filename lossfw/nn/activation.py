"""Activation: the function of a layer, with its derivatives."""

from __future__ import annotations

import functools
from typing import Any, ClassVar

import numpy as np

from lossfw.components.claims import ActivationClaims
from lossfw.components.component import Component
from lossfw.components.spaces import REAL, Space
from lossfw.errors import ArgumentError, ShapeError
from lossfw.losses.base import refuse_terms
from lossfw.losses.bodies import UnaryBody
from lossfw.losses.inputs import as_array, result_dtype, work_dtype
from lossfw.nn import large_arrays
from lossfw.numerics.arrays import (
    Array,
    Namespace,
    NDArray,
    column_numbers,
    is_foreign,
    is_half,
    namespace_of,
)
from lossfw.numerics.dual import derivatives as dual
from lossfw.numerics.exact.reference import DerivativeOrder, check_order, reference
from lossfw.numerics.typed_namespace import typed_namespace

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


class Activation(UnaryBody, Component):
    """Base class of activations that act on each element.

    Implement `value`, and `formula`, `derivative` and `second_derivative` if they are known.
    Activations of rows, such as softmax, derive from `RowActivation`.

    Attributes
    ----------
    out_space : Space
        The space of the results.
    """

    kind: ClassVar[str] = "activation"
    out_space: ClassVar[Space] = REAL
    takes_rows: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        refuse_terms(cls)

    @functools.cached_property
    def _cache_key(self) -> str:
        """A text that is the same for two activations of a class that compute the same."""
        return repr(self.parameters)

    def claims(self) -> ActivationClaims:
        """Return the claims of this activation at its parameters; none by default."""
        return ActivationClaims()

    def jvp(self, xp: Namespace, x: Array, v: Array) -> Array:
        """Return the Jacobian at `x` times `v`, both in the shape of `x`."""
        return self.derivative(xp, x) * v

    def vjp(self, xp: Namespace, x: Array, v: Array) -> Array:
        """Return the transposed Jacobian at `x` times `v`, for the backward pass."""
        return self.derivative(xp, x) * v

    def exact(self, x: Any, *, derivative: DerivativeOrder = 0) -> Any:
        """Return the exact value of the activation or of a derivative, with 60 digits.

        Parameters
        ----------
        x : array_like
            Any shape; for a function of rows, rows along the last axis.
        derivative : {0, 1, 2}
            The order of the derivative. At a kink the result is the mean of both one-sided
            derivatives. The first derivative of an activation of rows is the Jacobian, of shape
            (..., K, K); it has no second one.

        Returns
        -------
        ndarray of object
            See `lossfw.losses.loss.Loss.exact`.

        Examples
        --------
        >>> import lossfw
        >>> lossfw.activation("sigmoid").exact([-1000.0])
        array([5.0759588975494567653e-435], dtype=object)
        """
        check_order(derivative)
        array = as_array(x, "argument")
        if self.takes_rows and derivative == 2:
            raise ArgumentError(
                f"{self.name} is a function of rows, whose second derivative would have three "
                "axes: derivative should be 0 or 1."
            )
        if self.takes_rows and array.ndim == 0:
            raise ArgumentError(f"{self.name} takes rows, got the number {array[()]}.")
        rows = (np.atleast_1d(array),)
        exact = reference(self.formula, rows, derivative, rows=self.takes_rows)
        if self.takes_rows and derivative:
            # The axis of the argument comes first here, and last in a Jacobian.
            return np.swapaxes(exact, -1, -2)
        return exact.reshape(array.shape)

    def __call__(self, x: Any) -> Any:
        """Return the activation of an array.

        Parameters
        ----------
        x : array_like
            Any shape; for a function of rows, rows along the last axis.

        Returns
        -------
        array
            In the shape of `x` and, for floats, in its dtype; integers become
            float64. Infinite arguments are legal, NaN stays NaN.

        Examples
        --------
        >>> import lossfw
        >>> lossfw.activation("sigmoid")([0.0, 1000.0])
        array([0.5, 1. ])
        """
        if type(x) is np.ndarray and x.dtype in _FLOATS:
            # Most calls, as those of a network's layers.
            if self.takes_rows:
                self._check_rows(x)
            return self._value_of_floats(x)
        if is_foreign(x):
            self._check_rows(x)
            return self._value_of_foreign(namespace_of(x), x)
        array = as_array(x, "argument")
        self._check_rows(array)
        dtype = result_dtype(array)
        result = self._value_of_floats(array.astype(work_dtype(np, dtype), copy=False))
        return result.astype(dtype, copy=False)

    def _value_of_floats(self, x: NDArray) -> NDArray:
        result = large_arrays.value(self, x)
        if result is x:  # the caller's own array must not come back
            return x.copy()
        if type(result) is np.ndarray and result.dtype is x.dtype:
            return result
        return np.asarray(result).astype(x.dtype, copy=False)

    def _check_rows(self, x: Array) -> None:
        if self.takes_rows and (x.ndim == 0 or x.shape[-1] == 0):
            raise ShapeError(
                f"{self.name} takes rows of at least one number, along the last axis; got shape "
                f"{tuple(x.shape)}."
            )

    def _value_of_foreign(self, xp: Namespace, x: Array) -> Array:
        """Return the activation of another library's array, by the same rules for dtypes."""
        if not xp.isdtype(x.dtype, "real floating"):
            return self._typed_value(xp, xp.astype(x, xp.float64))
        if is_half(x.dtype):
            return xp.astype(self._typed_value(xp, xp.astype(x, xp.float32)), x.dtype)
        return self._typed_value(xp, x)

    def _typed_value(self, xp: Namespace, x: Array) -> Array:
        return self.value(typed_namespace(xp, x), x)


class RowActivation(Activation):
    """Base class of activations of rows, along the last axis.

    Implement `value`, and `jvp` and `vjp` if they are known. `derivative` is the
    full Jacobian of shape (..., K, K): entry [j, k] is the derivative of result j with
    respect to argument k.
    """

    takes_rows: ClassVar[bool] = True

    def jvp(self, xp: Namespace, x: Array, v: Array) -> Array:
        """Return the Jacobian at `x` times `v`, both in the shape of `x`."""
        return dual.derivatives(self.value, xp, x, order=1, direction=v)[1]

    def vjp(self, xp: Namespace, x: Array, v: Array) -> Array:
        """Return the transposed Jacobian at `x` times `v`, for the backward pass."""

        def product(space: Namespace, rows: Array, weights: Array) -> Array:
            return space.sum(weights * self.value(space, rows), axis=-1)

        return dual.row_derivatives(product, xp, x, v, order=1)[1]

    def derivative(self, xp: Namespace, x: Array) -> Array:
        """Return the Jacobian, of shape (..., K, K)."""
        zeros = xp.zeros_like(x)
        number = column_numbers(xp, x)
        rows = [
            self.vjp(xp, x, xp.where(number == j, xp.ones_like(x), zeros))
            for j in range(x.shape[-1])
        ]
        return xp.stack(rows, axis=-2)

    def second_derivative(self, xp: Namespace, x: Array) -> Array:
        """Raise `NotImplementedError`: the second derivative of a row has three axes."""
        raise NotImplementedError(f"{self.name} is a function of rows")

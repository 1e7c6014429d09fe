"""Bodies: the functions that an author writes.

A loss itself is a body, of a residual, of a margin, or of prediction and target. A loss with an
output activation has a second body, of logits; see `lossfw.RawOutputLoss`.

A body is pure: its results depend only on parameters and arguments. It uses only array functions of
the namespace ``xp``, so that it runs on NumPy, on exact and dual numbers, and on the arrays of
other libraries.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from lossfw.losses.inputs import one_hot
from lossfw.numerics.arrays import Array, Namespace, column_numbers
from lossfw.numerics.dual import derivatives as dual


class UnaryBody(ABC):
    """Functions of one argument: `value`, and optionally the others."""

    @abstractmethod
    def value(self, xp: Namespace, x: Array, /) -> Array:
        """Return the value of each element."""

    def formula(self, xp: Namespace, x: Array, /) -> Array:
        """Return the textbook definition; by default `value`."""
        return self.value(xp, x)

    def derivative(self, xp: Namespace, x: Array, /) -> Array:
        """Return the derivative at each element."""
        return dual.derivatives(self.value, xp, x, order=1)[1]

    def second_derivative(self, xp: Namespace, x: Array, /) -> Array:
        """Return the second derivative at each element."""
        return dual.derivatives(self.value, xp, x)[2]

    def value_and_derivative(self, xp: Namespace, x: Array, /) -> tuple[Array, Array]:
        """Return both, from one pass of dual numbers unless the author wrote the derivative."""
        if type(self).derivative is UnaryBody.derivative:
            value, derivative = dual.derivatives(self.value, xp, x, order=1)
            return value, derivative
        return self.value(xp, x), self.derivative(xp, x)


class PairBody(ABC):
    """Functions of a prediction and a target: `value`, and optionally the others."""

    @abstractmethod
    def value(self, xp: Namespace, y: Array, t: Array, /) -> Array:
        """Return the loss, of each element or of each row."""

    def formula(self, xp: Namespace, y: Array, t: Array, /) -> Array:
        """Return the textbook definition; by default `value`."""
        return self.value(xp, y, t)

    def derivative(self, xp: Namespace, y: Array, t: Array, /) -> Array:
        """Return the derivative with respect to the prediction."""
        return self._derivatives_by_duals(xp, y, t, 1)[1]

    def second_derivative(self, xp: Namespace, y: Array, t: Array, /) -> Array:
        """Return the second derivative; for rows, the diagonal."""
        return self._derivatives_by_duals(xp, y, t, 2)[2]

    def value_and_derivative(self, xp: Namespace, y: Array, t: Array, /) -> tuple[Array, Array]:
        """Return both; write it if they share work."""
        return self.value(xp, y, t), self.derivative(xp, y, t)

    @abstractmethod
    def _derivatives_by_duals(
        self, xp: Namespace, y: Array, t: Array, order: int
    ) -> tuple[Array, ...]:
        """Return value and derivatives up to an order from dual numbers."""


class PointwiseBody(PairBody):
    """The functions of an elementwise loss: prediction, target and result have the same shape.

    Examples
    --------
    >>> class Logistic(PointwiseBody):
    ...     "Binary cross-entropy of a logit."
    ...     def value(self, xp, z, t):
    ...         return xp.logaddexp(0.0 * z, z) - t * z
    >>> Logistic().derivative(np, np.array([0.0]), np.array([1.0]))
    array([-0.5])
    """

    def _derivatives_by_duals(
        self, xp: Namespace, y: Array, t: Array, order: int
    ) -> tuple[Array, ...]:
        return dual.derivatives(self.value, xp, y, t, order=order)


class RowBody(PairBody):
    """The functions of a loss of rows of shape (..., K); the result has the shape (...).

    Also implement the functions named ``..._at`` if a class index needs less work than a row.
    """

    def value_at(self, xp: Namespace, y: Array, index: Array, /) -> Array:
        """Return the loss for class indices; by default from one-hot rows."""
        return self.value(xp, y, one_hot_rows(xp, y, index))

    def derivative_at(self, xp: Namespace, y: Array, index: Array, /) -> Array:
        """Return the derivative for class indices; by default from one-hot rows."""
        return self.derivative(xp, y, one_hot_rows(xp, y, index))

    def value_and_derivative_at(
        self, xp: Namespace, y: Array, index: Array, /
    ) -> tuple[Array, Array]:
        """Return both for class indices; by default from the two above, or from one-hot rows."""
        functions = type(self).value_at, type(self).derivative_at
        if RowBody.value_at not in functions and RowBody.derivative_at not in functions:
            return self.value_at(xp, y, index), self.derivative_at(xp, y, index)
        return self.value_and_derivative(xp, y, one_hot_rows(xp, y, index))

    def _derivatives_by_duals(
        self, xp: Namespace, y: Array, t: Array, order: int
    ) -> tuple[Array, ...]:
        return dual.row_derivatives(self.value, xp, y, t, order=order)


def is_derived(body: object, form: str) -> bool:
    """Return whether dual numbers compute a function of a body; `form` is that of its results."""
    name = "second_derivative" if form == "hessian" else "derivative"
    functions = getattr(UnaryBody, name), getattr(PairBody, name)
    return form in ("gradient", "both", "hessian") and getattr(type(body), name, None) in functions


def one_hot_rows(xp: Namespace, y: Array, index: Array) -> Array:
    """Return class indices as rows in the shape and dtype of the prediction."""
    if xp is np and y.ndim == 2:
        rows = one_hot(index, y.shape[-1], y.dtype)
        rows.setflags(write=False)
        return rows
    rows = index[..., np.newaxis] == column_numbers(xp, y)
    return xp.astype(rows, y.dtype) if hasattr(xp, "astype") else rows.astype(y.dtype)

"""Case: some arguments, what a component makes of them, and what is true there.

Value and derivatives of the truth come from one pass of dual numbers over the
exact formula. That is fast, but it trusts the rules of dual numbers, which also
give the derivatives of a component whose author wrote none. So wherever it
matters, and at points drawn by chance, differences of the exact formula are
asked as well (`Case.sides`): they know no rule.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lossfw.check.core.points import Arguments
from lossfw.errors import ArgumentError
from lossfw.losses.loss import Loss
from lossfw.nn.activation import Activation
from lossfw.numerics.arrays import Array, Namespace, NDArray
from lossfw.numerics.dual.derivatives import derivatives, row_derivatives
from lossfw.numerics.exact import differences
from lossfw.numerics.exact.truth import evaluate

# What is computed: the value (0), its first and its second derivative.
ORDERS = (0, 1, 2)


@dataclass
class Case(ABC):
    """Arguments of one shape and dtype, at which a component is measured.

    Attributes
    ----------
    arrays : tuple of ndarray
        Prediction and target, or the argument of an activation. The first axis
        runs over elements or rows.
    some : ndarray of int
        The rows whose derivatives are measured; a row of many columns has many.
    """

    arrays: Arguments
    some: NDArray

    @property
    @abstractmethod
    def rows(self) -> bool:
        """Whether an argument is a row."""

    @property
    @abstractmethod
    def orders(self) -> tuple[int, ...]:
        """The derivatives that there are, 0 for the value."""

    @property
    @abstractmethod
    def formula(self) -> Callable[..., Array]:
        """The textbook formula, a body."""

    @abstractmethod
    def compute(self, order: int, arrays: Arguments) -> NDArray:
        """Return what the component computes."""

    @abstractmethod
    def parts(self, xp: Namespace, y: Array, *constants: Array) -> Array:
        """Return value and derivatives of the formula along one last axis."""

    @abstractmethod
    def split(self, parts: Array, order: int) -> Array:
        """Return one of the `parts`, in the shape of what is computed."""

    @abstractmethod
    def terms(self, order: int) -> tuple[NDArray, ...]:
        """Return the terms that the component says may cancel; usually none."""

    def exactly(self, arrays: Arguments) -> Arguments:
        """Return arguments as the formula takes them."""
        return arrays

    def at(self, order: int) -> Arguments:
        """Return the arguments at which one derivative is measured."""
        return self.arrays if order == 0 else tuple(x[self.some] for x in self.arrays)

    def computed(self, order: int) -> NDArray:
        """Return what the component computes, in the shape of the truth."""
        with np.errstate(all="ignore"):
            return np.asarray(self.compute(order, self.at(order)))

    def truths(self) -> dict[int, Array]:
        """Return the exact value and derivatives by order."""
        all_rows = len(self.some) == len(self.arrays[0])
        found: dict[int, Array] = {}
        if self.orders != (0,):
            arrays = self.exactly(self.at(1))
            try:
                parts = evaluate(self.parts, *arrays, rows=self.rows)
                found = {order: self.split(parts, order) for order in self.orders}
            except ArgumentError:
                # A function without a rule for dual numbers.
                found = {order: self.difference(order) for order in self.orders if order}
        if 0 not in found or not all_rows:
            found[0] = evaluate(self.formula, *self.exactly(self.arrays), rows=self.rows)
        return found

    def difference(self, order: int, which: NDArray | None = None, side: int = 0) -> Array:
        """Return derivatives by differences of the formula, for some of `at` or for all."""
        arrays = self.exactly(self.at(order))
        if which is not None:
            arrays = tuple(x[which] for x in arrays)
        return differences.derivative(self.formula, *arrays, order=order, side=side, rows=self.rows)

    def sides(self, order: int, flat: NDArray) -> tuple[Array, Array]:
        """Return the left and the right derivative for places in the flattened results."""
        shape = self.computed_shape(order)
        row, *rest = np.unravel_index(flat, shape)
        unique, place = np.unique(row, return_inverse=True)
        left, right = (self.difference(order, unique, side)[(place, *rest)] for side in (-1, 1))
        return left, right

    def computed_shape(self, order: int) -> tuple[int, ...]:
        """Return the shape of results of an order."""
        shape = tuple(self.at(order)[0].shape)
        return shape[:1] if order == 0 and self.rows else shape


@dataclass
class LossCase(Case):
    """Pairs of predictions and targets."""

    loss: Loss

    @property
    def rows(self) -> bool:
        """As the loss."""
        return self.loss.takes_rows

    @property
    def orders(self) -> tuple[int, ...]:
        """A class index changes the way to the value alone."""
        return (0,) if self._by_index else ORDERS

    @property
    def _by_index(self) -> bool:
        y, t = self.arrays
        return self.rows and t.ndim < y.ndim and not self.loss.target_per_row

    @property
    def formula(self) -> Callable[..., Array]:
        """That of the loss."""
        return self.loss.unreduced_formula

    def compute(self, order: int, arrays: Arguments) -> NDArray:
        """Call the loss as a user does."""
        function = (self.loss, self.loss.gradient, self.loss.hessian)[order]
        result: NDArray = function(*arrays, reduction="none")
        return result

    def exactly(self, arrays: Arguments) -> Arguments:
        """Return one-hot rows for class indices."""
        y, t = arrays
        return (y, np.eye(y.shape[-1])[t]) if self._by_index else arrays

    def parts(self, xp: Namespace, y: Array, *constants: Array) -> Array:
        """Return value, gradient and Hessian of rows, or three numbers for an element."""
        if not self.rows:
            return xp.stack(derivatives(self.formula, xp, y, *constants), axis=-1)
        value, gradient, hessian = row_derivatives(self.formula, xp, y, *constants)
        return xp.concat([value[:, None], gradient, hessian], axis=1)

    def split(self, parts: Array, order: int) -> Array:
        """Return the columns of one order."""
        if not self.rows or order == 0:
            return parts[:, order]
        columns = self.arrays[0].shape[1]
        return parts[:, 1 + (order - 1) * columns : 1 + order * columns]

    def terms(self, order: int) -> tuple[NDArray, ...]:
        """Ask the loss; see `lossfw.losses.loss.Loss.terms`."""
        y, t = (np.asarray(x, np.float64) for x in self.exactly(self.at(order)))
        return self.loss.terms(np, y, t, order)  # type: ignore[arg-type]  # one of ORDERS


@dataclass
class ActivationCase(Case):
    """Arguments of an activation."""

    activation: Activation

    @property
    def rows(self) -> bool:
        """As the activation."""
        return self.activation.takes_rows

    @property
    def orders(self) -> tuple[int, ...]:
        """A function of rows has a Jacobian and no second derivative."""
        return (0, 1) if self.rows else ORDERS

    @property
    def formula(self) -> Callable[..., Array]:
        """That of the activation."""
        return self.activation.formula

    def compute(self, order: int, arrays: Arguments) -> NDArray:
        """Call the activation, or its author's derivatives."""
        a = self.activation
        function = (a.value, a.derivative, a.second_derivative)[order]
        result: NDArray = function(np, *arrays)
        return result

    def computed_shape(self, order: int) -> tuple[int, ...]:
        """Return the shape of results of an order."""
        shape = self.at(order)[0].shape
        return (*shape, shape[-1]) if self.rows and order else shape

    def parts(self, xp: Namespace, y: Array, *constants: Array) -> Array:
        """Return three numbers for an element; value and Jacobian for a row."""
        if not self.rows:
            return xp.stack(derivatives(self.formula, xp, y), axis=-1)
        columns = y.shape[-1]
        found = []
        for k in range(columns):
            unit = xp.where(xp.arange(columns) == k, xp.ones_like(y), xp.zeros_like(y))
            value, slope = derivatives(self.formula, xp, y, order=1, direction=unit)
            found.append(slope)
        return xp.concat([value, *found], axis=1)

    def split(self, parts: Array, order: int) -> Array:
        """Return the columns of one order; a Jacobian as [row, result, argument]."""
        if not self.rows:
            return parts[:, order]
        columns = self.arrays[0].shape[1]
        if order == 0:
            return parts[:, :columns]
        return np.swapaxes(parts[:, columns:].reshape(-1, columns, columns), 1, 2)

    def difference(self, order: int, which: NDArray | None = None, side: int = 0) -> Array:
        """Return derivatives by differences; a Jacobian as [row, result, argument]."""
        found = super().difference(order, which, side)
        return np.swapaxes(found, 1, 2) if self.rows else found

    def terms(self, order: int) -> tuple[NDArray, ...]:
        """Ask the activation."""
        (x,) = self.at(order)
        return self.activation.terms(np, x.astype(np.float64), order)  # type: ignore[arg-type]  # one of ORDERS

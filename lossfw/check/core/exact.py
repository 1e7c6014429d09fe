"""Exact results of a formula at finite arguments: values, derivatives, one-sided ones, kinks.

Derivatives come from dual numbers over exact ones, which is several times cheaper than differences.
Tests, and `lossfw.check.core.oracle.Oracle`, compare dual numbers with differences.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossfw.errors import ArgumentError
from lossfw.numerics.arrays import Array, NDArray
from lossfw.numerics.dual.derivatives import derivatives, row_derivatives
from lossfw.numerics.exact import differences
from lossfw.numerics.exact.truth import evaluate


@dataclass(frozen=True)
class Formula:
    """A textbook formula on exact numbers, called with the arrays of a component."""

    # body(xp, y, *constants)
    body: Callable[..., Any]
    # Whether `y` holds rows, with partial derivatives for each column.
    rows: bool = False
    # Whether class indices stand for one-hot rows, which a body takes.
    by_index: bool = False
    # Whether a row has a row of results; the derivative is a Jacobian, [row, result, column].
    vector: bool = False

    def class_rows(self, y: NDArray, t: NDArray) -> NDArray:
        """Return targets in the form for the body."""
        return np.eye(y.shape[-1])[t] if self.by_index and t.ndim < y.ndim else t

    def values(self, *arrays: NDArray) -> Any:
        """Return exact values at finite arguments."""
        return evaluate(self.body, *self._arguments(arrays), rows=self.rows)

    def derivatives(self, order: int, *arrays: NDArray) -> tuple[Any, ...]:
        """Return exact derivatives up to an order; for rows, partial ones."""
        arrays = self._arguments(arrays)
        try:
            if self.vector:
                return (evaluate(self._jacobian, *arrays, rows=True),)
            found = evaluate(self._derivatives(order), *arrays, rows=self.rows)
        except ArgumentError:
            # A function without a rule for dual numbers.
            return tuple(self.derivative_by_differences(k, *arrays) for k in range(1, order + 1))
        return tuple(found[..., k] for k in range(order))

    def results(self, order: int, *arrays: NDArray) -> Any:
        """Return exact values (order 0), or derivatives of an order."""
        return self.derivatives(order, *arrays)[order - 1] if order else self.values(*arrays)

    def partials(self, column: int, order: int, *arrays: NDArray) -> tuple[Any, ...]:
        """Return exact derivatives of rows by one column, up to an order."""

        def by_column(xp: Any, y: Any, *constants: Any) -> Any:
            unit = _unit_direction(xp, y, column)
            found = derivatives(self.body, xp, y, *constants, order=order, direction=unit)
            return xp.stack(found[1:], axis=-1)

        found = evaluate(by_column, *self._arguments(arrays), rows=True)
        return tuple(found[..., k] for k in range(order))

    def derivative_by_differences(self, order: int, *arrays: NDArray) -> Array:
        """Return derivatives by differences of both sides."""
        arrays = self._arguments(arrays)
        found = differences.derivative(self.body, *arrays, order=order, rows=self.rows)
        return np.swapaxes(found, 1, 2) if self.vector else found

    def kinks(self, *arrays: NDArray) -> NDArray:
        """Return a mask of points where the first derivative jumps; for rows, per column."""
        return differences.kinks(self.body, *self._arguments(arrays), rows=self.rows)

    def _arguments(self, arrays: tuple[NDArray, ...]) -> tuple[NDArray, ...]:
        return (arrays[0], self.class_rows(*arrays)) if self.by_index else arrays

    def _derivatives(self, order: int) -> Callable[..., Any]:
        rule = row_derivatives if self.rows else derivatives

        def by_order(xp: Any, y: Any, *constants: Any) -> Any:
            return xp.stack(rule(self.body, xp, y, *constants, order=order)[1:], axis=-1)

        return by_order

    def _jacobian(self, xp: Any, y: Any) -> Any:
        columns = range(y.shape[-1])
        partials = (
            derivatives(self.body, xp, y, order=1, direction=_unit_direction(xp, y, k))[1]
            for k in columns
        )
        return xp.stack(list(partials), axis=-1)


def _unit_direction(xp: Any, y: Any, column: int) -> Any:
    """Return the direction of one column."""
    moved = np.arange(y.shape[-1]) == column
    return xp.where(moved, xp.ones_like(y), xp.zeros_like(y))

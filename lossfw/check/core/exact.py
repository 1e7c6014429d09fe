"""Exact results of a formula: values, derivatives, one-sided derivatives, kinks and limits.

Derivatives come from dual numbers over exact ones, which is several times cheaper than
differences. Dual numbers are held to differences by tests of their own, and by
`lossfw.check.core.oracle.Oracle`.

An infinite logit is legal, and where a limit exists it is the result. Exact numbers have no
infinities worth computing with, so finite ones replace them, three sizes in a row. A result
that grows between the second and the third as between the first and the second, or more, goes
to infinity, however small its slope: a class with a probability of 1e-300 does. A result that
has stopped moving has arrived. Nothing is known about others.
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
from lossfw.numerics.exact.namespace import DIGITS, exact_array, namespace
from lossfw.numerics.exact.truth import AGREEMENT_DIGITS, evaluate, rounded

# Beside an infinite logit what is left is below every float (361 digits): fewer never agree.
_FAR_DIGITS = 400


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

    def full(self, y: NDArray, t: NDArray) -> NDArray:
        """Return targets as the body takes them."""
        return np.eye(y.shape[-1])[t] if self.by_index and t.ndim < y.ndim else t

    def values(self, *arrays: NDArray) -> Any:
        """Return exact values; at infinite logits their limit, NaN where there is none."""
        arrays = self._arguments(arrays)
        far = _far(arrays[0])
        if not far.any():
            return evaluate(self.body, *arrays, rows=self.rows)
        y, t = arrays
        found = np.empty(len(y), object)
        found[far] = value_limits(self.body, y[far], t[far])
        found[~far] = evaluate(self.body, y[~far], t[~far], rows=self.rows)
        return found

    def derivatives(self, order: int, *arrays: NDArray) -> tuple[Any, ...]:
        """Return exact derivatives up to an order, of rows the partial ones.

        At infinite logits they are limits, NaN where there is none.
        """
        arrays = self._arguments(arrays)
        y, far = arrays[0], _far(arrays[0])
        if far.any():
            found = tuple(np.empty(y.shape, object) for _ in range(order))
            others = [x[far] for x in arrays[1:]]
            limits = derivative_limits(
                lambda z: self._finite(order, z, *others, digits=_FAR_DIGITS), y[far]
            )
            usual = self._finite(order, *(x[~far] for x in arrays))
            for whole, limit, here in zip(found, limits, usual, strict=True):
                whole[far], whole[~far] = limit, here
            return found
        return self._finite(order, *arrays)

    def results(self, order: int, *arrays: NDArray) -> Any:
        """Return exact values (order 0), or derivatives of an order."""
        return self.derivatives(order, *arrays)[order - 1] if order else self.values(*arrays)

    def partials(self, column: int, order: int, *arrays: NDArray) -> tuple[Any, ...]:
        """Return exact derivatives of rows by one column, up to an order."""

        def slopes(xp: Any, y: Any, *constants: Any) -> Any:
            unit = _unit(xp, y, column)
            found = derivatives(self.body, xp, y, *constants, order=order, direction=unit)
            return xp.stack(found[1:], axis=-1)

        found = evaluate(slopes, *self._arguments(arrays), rows=True)
        return tuple(found[..., k] for k in range(order))

    def difference(self, order: int, *arrays: NDArray, side: int = 0) -> Array:
        """Return derivatives by differences: from the left (-1), the right (+1) or both sides."""
        arrays = self._arguments(arrays)
        found = differences.derivative(self.body, *arrays, order=order, side=side, rows=self.rows)
        return np.swapaxes(found, 1, 2) if self.vector else found

    def kinks(self, *arrays: NDArray) -> NDArray:
        """Tell where the first derivative jumps, of rows in each column."""
        return differences.kinks(self.body, *self._arguments(arrays), rows=self.rows)

    def _finite(self, order: int, *arrays: NDArray, digits: int = DIGITS) -> tuple[Any, ...]:
        """Return derivatives at finite arguments; the digits with which to begin."""
        try:
            if self.vector:
                return (evaluate(self._jacobian, *arrays, rows=True),)
            found = evaluate(self._slopes(order), *arrays, rows=self.rows, digits=digits)
        except ArgumentError:
            # A function without a rule for dual numbers.
            return tuple(self.difference(k, *arrays) for k in range(1, order + 1))
        found = found if digits == DIGITS else namespace(DIGITS).exact(rounded(found, DIGITS))
        return tuple(found[..., k] for k in range(order))

    def _arguments(self, arrays: tuple[NDArray, ...]) -> tuple[NDArray, ...]:
        return (arrays[0], self.full(*arrays)) if self.by_index else arrays

    def _slopes(self, order: int) -> Callable[..., Any]:
        rule = row_derivatives if self.rows else derivatives

        def slopes(xp: Any, y: Any, *constants: Any) -> Any:
            return xp.stack(rule(self.body, xp, y, *constants, order=order)[1:], axis=-1)

        return slopes

    def _jacobian(self, xp: Any, y: Any) -> Any:
        columns = range(y.shape[-1])
        slopes = (
            derivatives(self.body, xp, y, order=1, direction=_unit(xp, y, k))[1] for k in columns
        )
        return xp.stack(list(slopes), axis=-1)


def _unit(xp: Any, y: Any, column: int) -> Any:
    """Return the direction of one column."""
    moved = np.arange(y.shape[-1]) == column
    return xp.where(moved, xp.ones_like(y), xp.zeros_like(y))


def _far(y: NDArray) -> NDArray:
    """Tell which elements or rows hold something infinite; exact numbers do not."""
    if y.dtype == object:
        return np.zeros(len(y), bool)
    return np.asarray(np.isinf(y).any(tuple(range(1, y.ndim))))


# The stand-ins lie beyond the largest finite number of their row, times 1, 3 and 9.
# At the first exp(-y) is below every float's last digit.
_FAR = 1e5
_TIMES = (1, 3, 9)

# So many digits show a slope of 5e-324 next to a value of any size, and a change
# in the digits behind the 400th is rounding.
_DIGITS, _SHOWN = 450, 400

# A number below 10 to this power is 0 in every float.
_NONE_POWER = -330

# Steps three times as long as the last must not bring much less than it did.
_GROWS = 0.9


def value_limits(body: Callable[..., Any], y: NDArray, t: NDArray) -> Any:
    """Return exact values at predictions with infinite ones among them.

    They are infinite where the value grows without bound, and NaN where neither that nor a limit
    shows.
    """
    xp = namespace(_DIGITS)
    target = xp.prepare(t)
    first, second, third = (
        xp.exact(body(xp, xp.exact(_stand_in(y, times)), target)) for times in _TIMES
    )
    result, none = rounded(third, DIGITS), _exactly(10.0) ** _NONE_POWER
    for i, (a, b, c) in enumerate(zip(first, second, third, strict=True)):
        last = c - b
        size = abs(b) + abs(c)
        if size > none and abs(last) * 10**_SHOWN > size:
            grows = last * (b - a) > 0 and abs(last) >= _GROWS * abs(b - a)
            result[i] = _exactly((np.inf if last > 0 else -np.inf) if grows else np.nan)
    return result


def derivative_limits(
    derivative: Callable[[NDArray], tuple[Any, ...]], y: NDArray
) -> tuple[Any, ...]:
    """Return limits of exact derivatives at predictions, some infinite; NaN where none shows."""
    here, there = (derivative(_stand_in(y, times)) for times in _TIMES[:2])
    found = []
    for near, far in zip(here, there, strict=True):
        arrived = np.frompyfunc(_same, 2, 1)(near, far).astype(bool)
        limit = far.copy()
        limit[~arrived] = _exactly(np.nan)
        found.append(limit)
    return tuple(found)


def _same(a: Any, b: Any) -> bool:
    """Tell whether two exact numbers agree in the digits that both are known to."""
    size = abs(a) + abs(b)
    none = _exactly(10.0) ** _NONE_POWER
    return bool(size < none) or bool(abs(a - b) * 10**AGREEMENT_DIGITS <= size)


def _stand_in(y: NDArray, times: int) -> NDArray:
    """Return predictions with finite numbers for infinite ones, far beyond all others."""
    y = y.astype(np.float64)
    finite = np.where(np.isfinite(y), np.abs(y), 0.0)
    size = finite.max(-1, keepdims=True) if y.ndim > 1 else finite
    far = times * (_FAR + 2 * size)
    return np.asarray(np.where(np.isinf(y), np.copysign(far, y), y))


def _exactly(x: float) -> Any:
    return exact_array(np.array([x]))[0]

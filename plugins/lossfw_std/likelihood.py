"""Base class of negative log-likelihoods of distributions with several predicted parameters."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from lossfw import Array, Namespace, PointwiseLoss
from lossfw.numerics import computed_in_float64


class Likelihood(PointwiseLoss):
    """A negative log-likelihood whose value and derivatives are computed from shared parts.

    All functions take the columns of the prediction, and the target, as separate arrays.
    """

    @abstractmethod
    def shared_parts(self, xp: Namespace, *columns: Array) -> tuple[Array, ...]:
        """Return the parts that value and derivatives share."""

    @abstractmethod
    def value_from_parts(self, xp: Namespace, *parts: Array) -> Array:
        """Return the loss from its parts."""

    @abstractmethod
    def second_derivatives_from_parts(self, xp: Namespace, *parts: Array) -> tuple[Array, ...]:
        """Return the second derivative by each column, from the parts."""

    @abstractmethod
    def derivatives_from_parts(self, xp: Namespace, *parts: Array) -> tuple[Array, ...]:
        """Return the derivative by each column, from the parts."""

    @computed_in_float64
    def value(self, xp: Namespace, y: Any, t: Any) -> Array:
        """The definition, in a stable form."""
        return self.value_from_parts(xp, *self._parts_of_row(xp, y, t))

    @computed_in_float64
    def derivative(self, xp: Namespace, y: Any, t: Any) -> tuple[Array, ...]:
        """By each column."""
        return self.derivatives_from_parts(xp, *self._parts_of_row(xp, y, t))

    @computed_in_float64
    def value_and_derivative(
        self, xp: Namespace, y: Any, t: Any
    ) -> tuple[Array, tuple[Array, ...]]:
        """Both, from the same parts."""
        parts = self._parts_of_row(xp, y, t)
        return self.value_from_parts(xp, *parts), self.derivatives_from_parts(xp, *parts)

    @computed_in_float64
    def second_derivative(self, xp: Namespace, y: Any, t: Any) -> Any:
        """By each column."""
        return self.second_derivatives_from_parts(xp, *self._parts_of_row(xp, y, t))

    def _parts_of_row(self, xp: Namespace, y: Any, t: Any) -> tuple[Array, ...]:
        # The target may be one number a row.
        return (
            self.shared_parts(xp, *y, *t) if isinstance(t, tuple) else self.shared_parts(xp, *y, t)
        )

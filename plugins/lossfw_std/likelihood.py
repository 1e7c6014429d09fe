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
    def parts(self, xp: Namespace, *columns: Array) -> tuple[Array, ...]:
        """Return the parts that value and derivatives share."""

    @abstractmethod
    def value_of(self, xp: Namespace, *parts: Array) -> Array:
        """Return the loss from its parts."""

    @abstractmethod
    def second_derivatives_of(self, xp: Namespace, *parts: Array) -> tuple[Array, ...]:
        """Return the second derivative by each column, from the parts."""

    @abstractmethod
    def derivatives_of(self, xp: Namespace, *parts: Array) -> tuple[Array, ...]:
        """Return the derivative by each column, from the parts."""

    @computed_in_float64
    def value(self, xp: Namespace, y: Any, t: Any) -> Array:
        """The definition, in a stable form."""
        return self.value_of(xp, *self._parts(xp, y, t))

    @computed_in_float64
    def derivative(self, xp: Namespace, y: Any, t: Any) -> tuple[Array, ...]:
        """By each column."""
        return self.derivatives_of(xp, *self._parts(xp, y, t))

    @computed_in_float64
    def value_and_derivative(
        self, xp: Namespace, y: Any, t: Any
    ) -> tuple[Array, tuple[Array, ...]]:
        """Both, from the same parts."""
        parts = self._parts(xp, y, t)
        return self.value_of(xp, *parts), self.derivatives_of(xp, *parts)

    @computed_in_float64
    def second_derivative(self, xp: Namespace, y: Any, t: Any) -> Any:
        """By each column."""
        return self.second_derivatives_of(xp, *self._parts(xp, y, t))

    def _parts(self, xp: Namespace, y: Any, t: Any) -> tuple[Array, ...]:
        # The target may be one number a row.
        return self.parts(xp, *y, *t) if isinstance(t, tuple) else self.parts(xp, *y, t)

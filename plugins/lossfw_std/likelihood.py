"""Base class of negative log-likelihoods of distributions with several predicted parameters."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from lossfw import Array, Namespace, PointwiseLoss
from lossfw.numerics import extended_range

# Exponentials of larger numbers are beyond all floats, and `Words` have none of 1e18. So this is
# where a logarithm is held: farther out nothing changes, except for what is linear in it.
FAR = 1e5


def held(xp: Namespace, log: Array) -> Array:
    """Return a logarithm, held where its exponential is beyond all floats."""
    return xp.clip(log, -FAR, FAR)


class Likelihood(PointwiseLoss):
    """A negative log-likelihood whose value and slopes are computed from shared parts.

    All functions take the columns of the prediction, and the target, as separate arrays. Where
    `is_extreme` holds they run on `lossfw.numerics.Words`.
    """

    @abstractmethod
    def is_extreme(self, xp: Namespace, *columns: Array) -> Array:
        """Tell where floats do not suffice for the parts."""

    @abstractmethod
    def parts(self, xp: Namespace, *columns: Array) -> tuple[Array, ...]:
        """Return what value and slopes are computed from."""

    @abstractmethod
    def value_of(self, xp: Namespace, *parts: Array) -> Array:
        """Return the loss of its parts."""

    @abstractmethod
    def bends_of(self, xp: Namespace, *parts: Array) -> tuple[Array, ...]:
        """Return the second derivative by each column of its parts."""

    @abstractmethod
    def slopes_of(self, xp: Namespace, *parts: Array) -> tuple[Array, ...]:
        """Return the derivative by each column of its parts."""

    def value(self, xp: Namespace, y: Any, t: Any) -> Array:
        """The definition, in a stable form."""
        return self._value(xp, *_columns(y, t))

    def derivative(self, xp: Namespace, y: Any, t: Any) -> tuple[Array, ...]:
        """By each column."""
        return self._slopes(xp, *_columns(y, t))

    def value_and_derivative(
        self, xp: Namespace, y: Any, t: Array
    ) -> tuple[Array, tuple[Array, ...]]:
        """Both, from the same parts."""
        value, *slopes = self._both(xp, *_columns(y, t))
        return value, tuple(slopes)

    def second_derivative(self, xp: Namespace, y: Any, t: Any) -> Any:
        """By each column."""
        return self._bends(xp, *_columns(y, t))

    def _is_rare(self, xp: Namespace, *columns: Array) -> Array:
        return self.is_extreme(xp, *columns)

    @extended_range(_is_rare)
    def _value(self, xp: Namespace, *columns: Array) -> Array:
        return self.value_of(xp, *self.parts(xp, *columns))

    @extended_range(_is_rare)
    def _slopes(self, xp: Namespace, *columns: Array) -> tuple[Array, ...]:
        return self.slopes_of(xp, *self.parts(xp, *columns))

    @extended_range(_is_rare)
    def _bends(self, xp: Namespace, *columns: Array) -> tuple[Array, ...]:
        return self.bends_of(xp, *self.parts(xp, *columns))

    @extended_range(_is_rare)
    def _both(self, xp: Namespace, *columns: Array) -> tuple[Array, ...]:
        parts = self.parts(xp, *columns)
        return self.value_of(xp, *parts), *self.slopes_of(xp, *parts)


def _columns(y: Any, t: Any) -> tuple[Array, ...]:
    """Return the columns of the prediction and of the target, which may be one number a row."""
    return (*y, *t) if isinstance(t, tuple) else (*y, t)

"""Location-scale distributions, for losses of censored and ordered targets."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

from lossfw import Array, Namespace


class IntervalEnds(NamedTuple):
    """Intervals a < Z < b; an end may be infinite.

    Attributes
    ----------
    a, b : array
    width : array
        b - a, to full precision.
    """

    a: Array
    b: Array
    width: Array


class StandardDistribution(ABC):
    """A random variable Z with density f and distribution function F.

    The functions return the loss for order 0, and its derivatives by a shift of z, or of both ends,
    for orders 1 and 2. Arrays are float64.
    """

    @abstractmethod
    def interval_loss(self, xp: Namespace, ends: IntervalEnds, order: int) -> Array:
        """Return -log(F(b) - F(a))."""

    @abstractmethod
    def point_loss(self, xp: Namespace, z: Array, order: int) -> Array:
        """Return -log f(z)."""

    @abstractmethod
    def interval_formula(self, xp: Namespace, a: Array, b: Array) -> Array:
        """Return -log(F(b) - F(a)) by its definition, on exact numbers."""

    @abstractmethod
    def point_formula(self, xp: Namespace, z: Array) -> Array:
        """Return -log f(z) by its definition, on exact numbers."""

    @abstractmethod
    def cdf(self, xp: Namespace, z: Array) -> Array:
        """Return F(z)."""

    @abstractmethod
    def quantile(self, xp: Namespace, p: Array) -> Array:
        """Return the quantile of probability p."""


def log1m_exp(xp: Namespace, width: Array) -> Array:
    """Return log(1 - exp(-width)), accurate for small and large widths."""
    narrow = width < 1.0
    near = xp.log(-xp.expm1(-xp.where(narrow, width, xp.ones_like(width))))
    return xp.where(narrow, near, xp.log1p(-xp.exp(-width)))

"""The focal loss of one class, -(1 - s)^gamma log s, and its derivatives by s.

Each is multiplied by the class's fraction of the target; a fraction of 0 drops even an infinite
term.
"""

from __future__ import annotations

from typing import NamedTuple

from lossfw import Array, Namespace
from lossfw.numerics import multiply_or_zero


class ClassProbability(NamedTuple):
    """The probability of a class."""

    share: Array | float  # of the target
    s: Array
    rest: Array  # 1 - s
    log: Array  # of s


def class_one(xp: Namespace, y: Array, share: Array | float) -> ClassProbability:
    """Return the class with probability y."""
    return ClassProbability(share, y, 1.0 - y, xp.log(y))


def other_class(xp: Namespace, y: Array, share: Array) -> ClassProbability:
    """Return the class with probability 1 - y."""
    return ClassProbability(share, 1.0 - y, y, xp.log1p(-y))


def value(xp: Namespace, c: ClassProbability, gamma: float) -> Array:
    """Return the share times -(1 - s)^gamma log s."""
    return -multiply_or_zero(xp, multiply_or_zero(xp, c.share, c.rest**gamma), c.log)


def derivative(xp: Namespace, c: ClassProbability, gamma: float) -> Array:
    """Return the share times gamma (1 - s)^(gamma - 1) log s - (1 - s)^gamma / s."""
    steep = -(c.rest**gamma) / c.s
    if gamma:
        steep = multiply_or_zero(xp, gamma * c.rest ** (gamma - 1.0), c.log) + steep
    return multiply_or_zero(xp, c.share, steep)


def second_derivative(xp: Namespace, c: ClassProbability, gamma: float) -> Array:
    """Return the share times the second derivative.

    It is (1 - s)^(gamma - 1) (gamma (gamma - 1) q + 2 gamma + (1 - s) / s) / s, for q see
    `entropy_fraction`.
    """
    if gamma == 0:
        return multiply_or_zero(xp, c.share, 1.0 / (c.s * c.s))
    share = entropy_fraction(xp, c.s, c.rest, -c.log)
    inner = gamma * (gamma - 1.0) * share + 2.0 * gamma + c.rest / c.s
    return multiply_or_zero(xp, c.share, c.rest ** (gamma - 1.0) * inner / c.s)


def entropy_fraction(xp: Namespace, s: Array, rest: Array, minus_log: Array) -> Array:
    """Return q = -s log s / (1 - s): 0 at s = 0 and 1 at s = 1."""
    sure, one = rest == 0, xp.ones_like(s)
    return xp.where(sure, one, multiply_or_zero(xp, s, minus_log) / xp.where(sure, one, rest))

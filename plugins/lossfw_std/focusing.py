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


def positive_class(xp: Namespace, y: Array, weight: Array | float) -> ClassProbability:
    """Return the class with probability y."""
    return ClassProbability(weight, y, 1.0 - y, xp.log(y))


def negative_class(xp: Namespace, y: Array, weight: Array) -> ClassProbability:
    """Return the class with probability 1 - y."""
    return ClassProbability(weight, 1.0 - y, y, xp.log1p(-y))


def value(xp: Namespace, p: ClassProbability, gamma: float) -> Array:
    """Return the share times -(1 - s)^gamma log s."""
    return -multiply_or_zero(xp, multiply_or_zero(xp, p.share, p.rest**gamma), p.log)


def derivative(xp: Namespace, p: ClassProbability, gamma: float) -> Array:
    """Return the share times gamma (1 - s)^(gamma - 1) log s - (1 - s)^gamma / s."""
    steep = -(p.rest**gamma) / p.s
    if gamma:
        steep = multiply_or_zero(xp, gamma * p.rest ** (gamma - 1.0), p.log) + steep
    return multiply_or_zero(xp, p.share, steep)


def second_derivative(xp: Namespace, p: ClassProbability, gamma: float) -> Array:
    """Return the share times the second derivative.

    It is (1 - s)^(gamma - 1) (gamma (gamma - 1) q + 2 gamma + (1 - s) / s) / s, for q see
    `entropy_fraction`.
    """
    if gamma == 0:
        return multiply_or_zero(xp, p.share, 1.0 / (p.s * p.s))
    share = entropy_fraction(xp, p.s, p.rest, -p.log)
    inner = gamma * (gamma - 1.0) * share + 2.0 * gamma + p.rest / p.s
    return multiply_or_zero(xp, p.share, p.rest ** (gamma - 1.0) * inner / p.s)


def entropy_fraction(xp: Namespace, s: Array, rest: Array, minus_log: Array) -> Array:
    """Return q = -s log s / (1 - s): 0 at s = 0 and 1 at s = 1."""
    sure, one = rest == 0, xp.ones_like(s)
    return xp.where(sure, one, multiply_or_zero(xp, s, minus_log) / xp.where(sure, one, rest))

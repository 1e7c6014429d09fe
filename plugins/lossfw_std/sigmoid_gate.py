"""Activations x s(v) with the sigmoid s of a function v of x: silu, and gelu with tanh."""

from __future__ import annotations

from lossfw import Array, Namespace


def sigmoid_pair(xp: Namespace, v: Array) -> tuple[Array, Array]:
    """Return s(v) and s(-v) from one exponential, both accurate near 0."""
    e = xp.exp(-v)
    return 1.0 / (1.0 + e), 1.0 / (1.0 + 1.0 / e)


def gated_derivative(xp: Namespace, v: Array, rise: Array) -> Array:
    """Return s(v) (1 + x v' s(-v)), of v and x v'."""
    s, rest = sigmoid_pair(xp, v)
    return s + rise * s * rest


def gated_second_derivative(
    xp: Namespace, v: Array, derivative: Array, rise: Array, second_derivative: Array
) -> Array:
    """Return s(v) s(-v) (2 v' + x v'' - x v'^2 tanh(v / 2)), of v, v', x v' and x v''."""
    s, rest = sigmoid_pair(xp, v)
    return s * rest * (2.0 * derivative + second_derivative - rise * derivative * (s - rest))

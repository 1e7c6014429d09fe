"""Derivative and second derivative of the elementary functions, for dual numbers.

A rule computes the first and the second derivative of a function from the namespace, the
argument and the value. A second derivative of None is 0. The forms do not cancel: the derivative of
tanh, for example, is not computed as ``1 - v**2``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from lossfw.numerics.arrays import Array, Namespace


class DerivativeRule(NamedTuple):
    """First and second derivative of an elementary function.

    That of a logarithm is minus the square of the first; `second_derivative` adds nothing.
    """

    derivative: Callable[[Namespace, Array, Array], Array | float]
    second_derivative: Callable[[Namespace, Array, Array], Array | float] | None
    is_logarithm: bool = False


def sech_squared(xp: Namespace, x: Array) -> Array:
    """Return ``1 / cosh(x)**2``, without overflow and without cancellation."""
    e = xp.exp(-2 * xp.abs(x))
    return 4 * e / ((1 + e) * (1 + e))


def _power_of(base: float) -> DerivativeRule:
    """Return the rule of ``base**x``."""

    def log(xp: Namespace, x: Array) -> Array:
        return xp.log(xp.full_like(x, base))

    return DerivativeRule(lambda xp, x, v: log(xp, x) * v, lambda xp, x, v: log(xp, x) ** 2 * v)


def _log_to(base: float) -> DerivativeRule:
    """Return the rule of the logarithm to `base`."""

    def unit(xp: Namespace, x: Array) -> Array:
        return 1 / xp.log(xp.full_like(x, base))

    return DerivativeRule(lambda xp, x, v: unit(xp, x) / x, lambda xp, x, v: -unit(xp, x) / (x * x))


RULES: dict[str, DerivativeRule] = {
    "abs": DerivativeRule(lambda xp, x, v: xp.sign(x), None),
    "square": DerivativeRule(lambda xp, x, v: 2 * x, lambda xp, x, v: 2.0),
    "reciprocal": DerivativeRule(lambda xp, x, v: -v * v, lambda xp, x, v: 2 * v * v * v),
    "sqrt": DerivativeRule(lambda xp, x, v: 0.5 / v, lambda xp, x, v: -0.25 / (x * v)),
    "exp": DerivativeRule(lambda xp, x, v: v, lambda xp, x, v: v),
    "expm1": DerivativeRule(lambda xp, x, v: xp.exp(x), lambda xp, x, v: xp.exp(x)),
    "exp2": _power_of(2.0),
    "log": DerivativeRule(lambda xp, x, v: 1 / x, None, is_logarithm=True),
    "log1p": DerivativeRule(lambda xp, x, v: 1 / (1 + x), None, is_logarithm=True),
    "log2": _log_to(2.0),
    "log10": _log_to(10.0),
    "sin": DerivativeRule(lambda xp, x, v: xp.cos(x), lambda xp, x, v: -v),
    "cos": DerivativeRule(lambda xp, x, v: -xp.sin(x), lambda xp, x, v: -v),
    "tan": DerivativeRule(lambda xp, x, v: 1 + v * v, lambda xp, x, v: 2 * v * (1 + v * v)),
    "asin": DerivativeRule(
        lambda xp, x, v: 1 / xp.sqrt((1 - x) * (1 + x)),
        lambda xp, x, v: x / ((1 - x) * (1 + x)) ** 1.5,
    ),
    "acos": DerivativeRule(
        lambda xp, x, v: -1 / xp.sqrt((1 - x) * (1 + x)),
        lambda xp, x, v: -x / ((1 - x) * (1 + x)) ** 1.5,
    ),
    "atan": DerivativeRule(
        lambda xp, x, v: 1 / (1 + x * x),
        lambda xp, x, v: -2 * x / (1 + x * x) / (1 + x * x),
    ),
    "sinh": DerivativeRule(lambda xp, x, v: xp.cosh(x), lambda xp, x, v: v),
    "cosh": DerivativeRule(lambda xp, x, v: xp.sinh(x), lambda xp, x, v: v),
    "tanh": DerivativeRule(
        lambda xp, x, v: sech_squared(xp, x),
        lambda xp, x, v: -2 * v * sech_squared(xp, x),
    ),
    "asinh": DerivativeRule(
        lambda xp, x, v: 1 / xp.sqrt(1 + x * x),
        lambda xp, x, v: -x / (1 + x * x) ** 1.5,
    ),
    "acosh": DerivativeRule(
        lambda xp, x, v: 1 / xp.sqrt((x - 1) * (x + 1)),
        lambda xp, x, v: -x / ((x - 1) * (x + 1)) ** 1.5,
    ),
    "atanh": DerivativeRule(
        lambda xp, x, v: 1 / ((1 - x) * (1 + x)),
        lambda xp, x, v: 2 * x / ((1 - x) * (1 + x)) ** 2,
    ),
}

# Piecewise constant functions and tests: they take the value only and return no dual number.
VALUE_ONLY = (
    *("sign", "floor", "ceil", "round", "trunc", "isnan", "isinf", "isfinite", "signbit"),
    *("less", "less_equal", "greater", "greater_equal", "equal", "not_equal"),
    *("argmax", "argmin", "argsort", "zeros_like", "ones_like", "full_like", "empty_like"),
)

# Functions that rearrange elements: they rearrange the derivatives in the same way.
REARRANGING = (
    *("reshape", "expand_dims", "squeeze", "permute_dims", "moveaxis", "broadcast_to"),
    *("flip", "roll", "repeat", "tile", "take", "take_along_axis", "astype"),
)

# Linear functions: the derivative of the result is the same function of the derivative.
LINEAR = ("sum", "mean", "cumulative_sum")

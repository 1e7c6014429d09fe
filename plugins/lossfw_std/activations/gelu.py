"""The Gaussian error linear unit, exact and with tanh."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from lossfw import Activation, ActivationClaims, Array, Namespace
from lossfw.numerics import (
    clip_above,
    clip_below,
    computed_in_float64,
    normal_cdf,
    polynomial,
    positive_part,
    scaled_normal_tail,
    select,
)
from lossfw_std.shared_parts import Deferred, with_float32_parts
from lossfw_std.sigmoid_gate import gated_derivative, gated_second_derivative

# With P the normal distribution: -x P(x) at the root x = -0.7517915246935644574...
# of P(x) + x P'(x) ...
GELU_DEPTH = 0.16997120747990366169386847098243392283285239241823775196112896
# ... and P(x) + x P'(x) at the root sqrt(2) of P'(x) (2 - x^2), which is
# (1 + erf(1)) / 2 + 1 / (e sqrt(pi)).
GELU_STEEPEST = 1.1289041451851547863407444422619733123324870139527862134953433

# The same of the form with tanh, at -0.7524614220710162584... and at
# 1.4185040087908283555..., the roots of its first and its second derivative.
GELU_TANH_DEPTH = 0.17004075057125405063906742798755568357709297500584673432358455
GELU_TANH_STEEPEST = 1.1289930686587717654559044703995538457343059219203170644685966

_ONE_OVER_SQRT_TWO_PI = 1 / math.sqrt(2 * math.pi)

# Beyond these the exponentials are 0 in every float format: exp(-x^2 / 2), and
# exp(-v) with v as below.
_FAR = 64.0
_FAR_TANH = 32.0

# In float32 value and derivative are less than half of the least float beyond this.
_FAR_FLOAT32 = 15.0

# exp(x^2 / 2) P(X > x) for x from 0 to 15 as a quotient of two polynomials, by interpolation at
# Chebyshev's points of (x - 3) / (x + 3) with 60 digits; the relative error is below 8e-9, an
# eighth of a unit in the last place of float32. All coefficients are positive: nothing cancels.
_PLAIN_TAIL = (
    0.5000000021756479,
    0.43867425738206206,
    0.18347186143016864,
    0.04070006147737858,
    0.004122528203069215,
)
_PLAIN_TAIL_UNDER = (
    1.0,
    1.6752334168384364,
    1.2035824337408796,
    0.4700843052336978,
    0.10202606508008999,
    0.01033353410301861,
)

# (1 + tanh(u)) / 2 is the sigmoid of v = 2 u = x (k + c x^2), with k = 2 sqrt(2/pi)
# and c = 0.044715 k.
_K = 2.0 * math.sqrt(2.0 / math.pi)
_C = 0.044715 * _K


def _value_from_tail(
    xp: Namespace, x: Array, small: Callable[[], Array], left: Callable[[], Array]
) -> Deferred:
    """Return x P(x) from abs(x) P(-abs(x)), and the derivative from that at -abs(x).

    The value below 0 is that and less than x above; the derivatives at x and at -x sum to 1.
    """

    def derivative() -> Array:
        at_left = left()
        return select(xp, x < 0, at_left, 1.0 - at_left)

    return lambda: positive_part(xp, x) - small(), derivative


def _plain_exact(xp: Namespace, x: Array) -> Deferred:
    """From a = abs(x), whose square is exact, P(-a) and exp(-a^2 / 2)."""
    a = clip_above(xp, xp.abs(x), _FAR_FLOAT32)
    e = xp.exp(-0.5 * (a * a))
    below = polynomial(a, _PLAIN_TAIL) / polynomial(a, _PLAIN_TAIL_UNDER) * e
    return _value_from_tail(xp, x, lambda: a * below, lambda: below - _ONE_OVER_SQRT_TWO_PI * a * e)


def _stable_exact(xp: Namespace, x: Array) -> Deferred:
    """From a = abs(x), P(-a) and exp(-a^2 / 2)."""
    a = clip_above(xp, xp.abs(x), _FAR)
    e = xp.exp(-0.5 * a * a)
    below = scaled_normal_tail(xp, a) * e
    return _value_from_tail(xp, x, lambda: a * below, lambda: below - _ONE_OVER_SQRT_TWO_PI * a * e)


_EXACT = with_float32_parts(_plain_exact, _stable_exact)


@computed_in_float64
def _second_derivative(xp: Namespace, x: Array) -> Array:
    """P'(x) (2 - x^2)."""
    square = clip_above(xp, x * x, _FAR * _FAR)
    return _ONE_OVER_SQRT_TWO_PI * (2.0 - square) * xp.exp(-0.5 * square)


@computed_in_float64
def _tanh_value(xp: Namespace, x: Array) -> Array:
    """x sigmoid(v)."""
    return clip_below(xp, x, -_FAR_TANH) / (1.0 + xp.exp(-x * (_K + _C * (x * x))))


@computed_in_float64
def _tanh_derivative(xp: Namespace, x: Array) -> Array:
    """s(v) (1 + x v' s(-v)), as for silu."""
    x = xp.clip(x, -_FAR_TANH, _FAR_TANH)
    cubic = _C * (x * x)
    return gated_derivative(xp, x * (_K + cubic), x * (_K + 3.0 * cubic))


@computed_in_float64
def _tanh_second_derivative(xp: Namespace, x: Array) -> Array:
    """s(v) s(-v) (2 v' + x v'' - x v'^2 tanh(v / 2)), which is even."""
    x = xp.clip(x, -_FAR_TANH, _FAR_TANH)
    cubic = _C * (x * x)
    derivative = _K + 3.0 * cubic
    return gated_second_derivative(xp, x * (_K + cubic), derivative, x * derivative, 6.0 * cubic)


class Gelu(Activation):
    """Gaussian error linear unit, x P(x) with P the normal distribution.

    Use it when the hidden units of a transformer need a smooth rectifier.

    Any real x, infinite ones included; 0 at -inf.

    Parameters
    ----------
    form : {"exact", "tanh"}
        ``"exact"``: x (1 + erf(x / sqrt(2))) / 2. ``"tanh"``: the approximation
        x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2, less than 0.00048 away.

    Notes
    -----
    The least values, -0.1699712074799036617... (exact) and
    -0.170040750571254050... (tanh), and the largest derivatives, (1 + erf(1)) /
    2 + 1 / (e sqrt(pi)) = 1.1289041451851547863... and
    1.1289930686587717654..., were found with 60-digit arithmetic. It decreases
    below its least value. Source: Hendrycks and Gimpel, *Gaussian error linear
    units*, 2016, doi:10.48550/arXiv.1606.08415.

    See Also
    --------
    silu : with the logistic distribution in place of the normal one.

    Examples
    --------
    >>> Gelu()([-10.0, 0.0, 1.0])
    array([-7.61985302e-23,  0.00000000e+00,  8.41344746e-01])
    >>> Gelu(form="tanh")([1.0])
    array([0.84119199])
    """

    form: Literal["exact", "tanh"] = "exact"

    def formula(self, xp: Namespace, x: Array) -> Array:
        """x P(x), or with tanh in place of the error function."""
        if self.form == "exact":
            return x * normal_cdf(xp, x)
        # (1 + tanh(u)) / 2 = 1 / (1 + exp(-2 u)), which spends no digits on 1 + tanh(u).
        cubic = x + 44715 * (x * x * x) / 1_000_000
        return x / (1 + xp.exp(-2 * xp.sqrt(2 / xp.full_like(x, xp.pi)) * cubic))

    def value(self, xp: Namespace, x: Array) -> Array:
        """The same with every digit of its small values."""
        return (_EXACT.value if self.form == "exact" else _tanh_value)(xp, x)

    def derivative(self, xp: Namespace, x: Array) -> Array:
        """P(x) + x P'(x), or that of the form with tanh."""
        return (_EXACT.derivative if self.form == "exact" else _tanh_derivative)(xp, x)

    def value_and_derivative(self, xp: Namespace, x: Array) -> tuple[Array, Array]:
        """Both, with one exponential and one tail of the normal distribution."""
        if self.form == "exact":
            return _EXACT.both(xp, x)
        return self.value(xp, x), self.derivative(xp, x)

    def second_derivative(self, xp: Namespace, x: Array) -> Array:
        """P'(x) (2 - x^2), or that of the form with tanh."""
        return (_second_derivative if self.form == "exact" else _tanh_second_derivative)(xp, x)

    def claims(self) -> ActivationClaims:
        """Neither monotone nor bounded above."""
        exact = self.form == "exact"
        return ActivationClaims(
            range=(-GELU_DEPTH if exact else -GELU_TANH_DEPTH, float("inf")),
            lipschitz=GELU_STEEPEST if exact else GELU_TANH_STEEPEST,
            breaks=(),
        )

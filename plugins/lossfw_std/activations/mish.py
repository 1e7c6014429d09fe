"""Mish."""

from __future__ import annotations

from lossfw import Activation, ActivationClaims, Array, Namespace
from lossfw.numerics import (
    FAR_EXPONENT,
    at_least,
    at_most,
    computed_in_float64,
    logistic_parts,
    polynomial,
    scaled_exp,
    select,
)
from lossfw_std.shared_parts import Deferred, with_float32_parts

# -x tanh(softplus(x)) at the root x = -1.1924312145154952121... of its derivative.
MISH_DEPTH = 0.30884341301725040662876022904195372845956412325417604377577999

# The derivative at the positive root x = 1.4905711794854284592... of the second.
MISH_STEEPEST = 1.0884981612517278612282936273921257871577511388190668384474928

# Cubes of b = 2 + 2 e + e^2 and 1 + 2 e + 2 e^2, written out: their own would have the
# rounding error of b three times.
_B_CUBED = (8.0, 24.0, 36.0, 32.0, 18.0, 6.0, 1.0)
_D_CUBED = _B_CUBED[::-1]

# With exp(x) = p / q, of which one is 1 and the other at most 1,
#   tanh(softplus(x)) = p (2 q + p) / d         with d = p^2 + 2 q (p + q).

# From here on tanh(softplus(x)) is 1 in float64 that was float32.
_STRAIGHT = 40.0


def _plain_parts(xp: Namespace, x: Array) -> Deferred:
    """x n / (n + 2) with n = e (2 + e) and e = exp(x); n / (n + 2) + 4 x e (1 + e) / (n + 2)^2."""
    e = xp.exp(at_most(xp, x, _STRAIGHT))
    more = 2.0 + e
    n = e * more

    def slope() -> Array:
        a = xp.clip(x, -FAR_EXPONENT, FAR_EXPONENT)
        over = 1.0 / (n + 2.0)
        return e * over * (more + 4.0 * a * ((1.0 + e) * over))

    return lambda: at_least(xp, x, -FAR_EXPONENT) * (n / (n + 2.0)), slope


def _parts(xp: Namespace, x: Array) -> Deferred:
    """x p / d (2 q + p), and p / d (2 q + p + 4 x q^2 (p + q) / d)."""
    a = xp.clip(x, -FAR_EXPONENT, FAR_EXPONENT)
    scaled, unit, p, q = logistic_parts(xp, a)
    top, d = 2.0 * q + p, p * p + 2.0 * (q * (p + q))

    def slope() -> Array:
        steep = 4.0 * a * (q * (q * (p + q) / d))
        return (top + steep) / d * scaled * unit

    return lambda: at_least(xp, x, -FAR_EXPONENT) * scaled * (top / d) * unit, slope


_FUNCTIONS = with_float32_parts(_plain_parts, _parts)


class Mish(Activation):
    """Mish, x tanh(log(1 + exp(x))).

    Use it when hidden units need a smooth rectifier that dips below 0.

    Any real x, infinite ones included; 0 at -inf.

    Notes
    -----
    Its least value, -0.3088434130172504066... at x = -1.1924312145154952121...,
    and the largest derivative, 1.0884981612517278612... at x =
    1.4905711794854284592..., were found with 60-digit arithmetic. It decreases
    below the former point. Source: Misra, *Mish: a self regularized
    non-monotonic activation function*, 2020, doi:10.48550/arXiv.1908.08681.

    See Also
    --------
    silu : x sigmoid(x); near 0 the slope is 1/2 there and 3/5 here.

    Examples
    --------
    >>> Mish()([-1000.0, 0.0, 2.0])
    array([-0.        ,  0.        ,  1.94395896])
    """

    def formula(self, xp: Namespace, x: Array) -> Array:
        """x tanh(log(1 + exp(x)))."""
        return x * xp.tanh(xp.log1p(xp.exp(x)))

    def value(self, xp: Namespace, x: Array) -> Array:
        """The same with one exponential, without overflow or cancellation."""
        return _FUNCTIONS.value(xp, x)

    def derivative(self, xp: Namespace, x: Array) -> Array:
        """tanh(p) + x sigmoid(x) / cosh(p)^2 with p = softplus(x)."""
        return _FUNCTIONS.derivative(xp, x)

    def value_and_derivative(self, xp: Namespace, x: Array) -> tuple[Array, Array]:
        """Both, with one exponential."""
        return _FUNCTIONS.both(xp, x)

    @computed_in_float64
    def second_derivative(self, xp: Namespace, x: Array) -> Array:
        """2 w + x w' with w = sigmoid(x) / cosh(softplus(x))^2."""
        a = xp.clip(xp.abs(x), 0.0, FAR_EXPONENT)
        e = xp.exp(-a)
        left = (4 - 2 * a) + e * ((8 - 2 * a) + e * ((6 + 3 * a) + e * (2 + 2 * a)))
        right = (2 - 2 * a) + e * ((6 - 3 * a) + e * ((8 + 2 * a) + e * (4 + 2 * a)))
        # Their common factors are e and e^2.
        scaled, unit = scaled_exp(xp, select(xp, x < 0, -a, -2 * a))
        over = select(xp, x < 0, polynomial(e, _B_CUBED), polynomial(e, _D_CUBED))
        return 4 * select(xp, x < 0, left, right) * scaled / over * unit

    def claims(self) -> ActivationClaims:
        """Neither monotone nor bounded above."""
        return ActivationClaims(
            range=(-MISH_DEPTH, float("inf")), lipschitz=MISH_STEEPEST, breaks=()
        )

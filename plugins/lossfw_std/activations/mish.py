"""Mish."""

from __future__ import annotations

from lossfw import Activation, ActivationClaims, Array, Namespace
from lossfw.numerics import clip_above, clip_below, computed_in_float64, select
from lossfw_std.shared_parts import Deferred, with_float32_parts

# -x tanh(softplus(x)) at the root x = -1.1924312145154952121... of its derivative.
MISH_DEPTH = 0.30884341301725040662876022904195372845956412325417604377577999

# The derivative at the positive root x = 1.4905711794854284592... of the second.
MISH_STEEPEST = 1.0884981612517278612282936273921257871577511388190668384474928

# From here on tanh(softplus(x)) is 1; below the other exp(x) is 0 in every float format.
_STRAIGHT, _FAR = 40.0, 1000.0


def _parts(xp: Namespace, x: Array) -> Deferred:
    """x n / (n + 2) with n = e (2 + e) and e = exp(x); n / (n + 2) + 4 x e (1 + e) / (n + 2)^2."""
    e = xp.exp(clip_above(xp, x, _STRAIGHT))
    more = 2.0 + e
    n = e * more

    def derivative() -> Array:
        over = 1.0 / (n + 2.0)
        return e * over * (more + 4.0 * xp.clip(x, -_FAR, _FAR) * ((1.0 + e) * over))

    return lambda: clip_below(xp, x, -_FAR) * (n / (n + 2.0)), derivative


_FUNCTIONS = with_float32_parts(_parts, _parts)


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
    silu : x sigmoid(x); near 0 the derivative is 1/2 there and 3/5 here.

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
        a = clip_above(xp, xp.abs(x), _FAR)
        e = xp.exp(-a)
        left = (4 - 2 * a) + e * ((8 - 2 * a) + e * ((6 + 3 * a) + e * (2 + 2 * a)))
        right = (2 - 2 * a) + e * ((6 - 3 * a) + e * ((8 + 2 * a) + e * (4 + 2 * a)))
        # Both have factors of exp(-a), below 0 one and above two.
        over = select(xp, x < 0, 2 + e * (2 + e), 1 + e * (2 + 2 * e))
        return 4 * select(xp, x < 0, e * left, e * e * right) / (over * over * over)

    def claims(self) -> ActivationClaims:
        """Neither monotone nor bounded above."""
        return ActivationClaims(
            range=(-MISH_DEPTH, float("inf")), lipschitz=MISH_STEEPEST, breaks=()
        )

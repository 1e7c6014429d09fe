"""The logistic family: softplus, sigmoid and its logarithm."""

from __future__ import annotations

from lossfw.numerics.arrays import Array, Namespace, extremum_operand
from lossfw.numerics.primitive import primitive


def positive_part(xp: Namespace, x: Array) -> Array:
    """Return max(x, 0), of the shape of `x`; on dual numbers its derivative at 0 is 1/2.

    Examples
    --------
    >>> import numpy as np
    >>> positive_part(np, np.asarray([-1.0, 2.0]))
    array([0., 2.])
    """
    return xp.maximum(x, extremum_operand(xp, x, 0.0))


def _sigmoid_derivative(xp: Namespace, x: Array) -> Array:
    """Return the derivative of the sigmoid: s(x) s(-x), for s (1 - s) loses digits."""
    return sigmoid(xp, x) * sigmoid(xp, -x)


@primitive(
    textbook=lambda xp, x: xp.log1p(xp.exp(x)),
    derivative=lambda xp, x: sigmoid(xp, x),
    second_derivative=_sigmoid_derivative,
)
def softplus(xp: Namespace, x: Array) -> Array:
    """Return log(1 + exp(x)), without overflow and with both tails exact.

    ``max(x, 0) + log1p(exp(-abs(x)))`` is as accurate as ``logaddexp(x, 0)``
    and several times faster. softplus(-inf) is 0, softplus(inf) is inf.

    Examples
    --------
    >>> import numpy as np
    >>> softplus(np, np.asarray([-800.0, 0.0, 800.0]))
    array([0.00000000e+00, 6.93147181e-01, 8.00000000e+02])
    """
    return positive_part(xp, x) + xp.log1p(xp.exp(-xp.abs(x)))


def unit_step(xp: Namespace, x: Array) -> Array:
    """Return 1 where x is at least 0, otherwise 0, in the dtype of `x`.

    The larger of it and exp(-abs(x)) is exp(min(x, 0)), from two cheap passes.

    Examples
    --------
    >>> import numpy as np
    >>> unit_step(np, np.asarray([-1.0, 0.0]))
    array([0., 1.])
    """
    return xp.astype(x >= 0, x.dtype)


@primitive(
    textbook=lambda xp, x: 1 / (1 + xp.exp(-x)),
    derivative=_sigmoid_derivative,
    # s'' = s' (1 - 2 s), and 1 - 2 s(x) = -tanh(x / 2).
    second_derivative=lambda xp, x: -_sigmoid_derivative(xp, x) * xp.tanh(0.5 * x),
)
def sigmoid(xp: Namespace, x: Array) -> Array:
    """Return 1 / (1 + exp(-x)), without overflow; 1 - sigmoid(x) is sigmoid(-x).

    Examples
    --------
    >>> import numpy as np
    >>> sigmoid(np, np.asarray([-np.inf, 0.0, 40.0]))
    array([0. , 0.5, 1. ])
    """
    e = xp.exp(-xp.abs(x))
    return xp.maximum(e, unit_step(xp, x)) / (1 + e)


@primitive(
    textbook=lambda xp, x: -xp.log1p(xp.exp(-x)),
    derivative=lambda xp, x: sigmoid(xp, -x),
    second_derivative=lambda xp, x: -_sigmoid_derivative(xp, x),
)
def log_sigmoid(xp: Namespace, x: Array) -> Array:
    """Return log(sigmoid(x)), which is -softplus(-x).

    Examples
    --------
    >>> import numpy as np
    >>> log_sigmoid(np, np.asarray([-800.0, np.inf]))
    array([-800.,    0.])
    """
    # 0 - softplus, so that the limit is 0 and not -0.
    return 0.0 - softplus(xp, -x)

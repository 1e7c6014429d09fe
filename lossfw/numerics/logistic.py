"""The logistic family: softplus, sigmoid and its logarithm."""

from __future__ import annotations

from typing import NamedTuple

from lossfw.numerics.arrays import Array, Namespace, number_beside
from lossfw.numerics.double_double import scaled_exp
from lossfw.numerics.primitive import primitive


def positive_part(xp: Namespace, x: Array) -> Array:
    """Return max(x, 0), of the shape of `x`; on dual numbers its derivative at 0 is 1/2.

    Examples
    --------
    >>> import numpy as np
    >>> positive_part(np, np.asarray([-1.0, 2.0]))
    array([0., 2.])
    """
    return xp.maximum(x, number_beside(xp, x, 0.0))


def _bend(xp: Namespace, x: Array) -> Array:
    """Return the derivative of the sigmoid: s(x) s(-x), for s (1 - s) loses digits."""
    return sigmoid(xp, x) * sigmoid(xp, -x)


@primitive(
    textbook=lambda xp, x: xp.log1p(xp.exp(x)),
    slope=lambda xp, x: sigmoid(xp, x),
    curvature=_bend,
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


def step_of(xp: Namespace, x: Array) -> Array:
    """Return 1 where x is at least 0, and else 0, in the dtype of `x`.

    The larger of this and exp(-abs(x)) is exp(min(x, 0)), for two cheap passes: 1 above 0.

    Examples
    --------
    >>> import numpy as np
    >>> step_of(np, np.asarray([-1.0, 0.0]))
    array([0., 1.])
    """
    return xp.astype(x >= 0, x.dtype)


class LogisticParts(NamedTuple):
    """What functions of exp(x) are made of, without overflow.

    exp(x) is ``up / down``, of which one is 1 and the other at most 1.
    """

    scaled: Array
    unit: Array | float  # scaled * unit is up
    up: Array  # exp(min(x, 0))
    down: Array  # exp(-max(x, 0))


def logistic_parts(xp: Namespace, x: Array) -> LogisticParts:
    """Return the parts of functions of exp(x) for finite x.

    Multiply by `scaled` first and by `unit` last where a product with `up` may be small; see
    `lossfw.numerics.double_double.scaled_exp`.

    Examples
    --------
    >>> import numpy as np
    >>> parts = logistic_parts(np, np.asarray([-2.0, 2.0]))
    >>> parts.up / (parts.down + parts.up)
    array([0.11920292, 0.88079708])
    """
    above = step_of(xp, x)
    scaled, unit = scaled_exp(xp, -xp.abs(x))
    if isinstance(unit, float):
        # Of 1: the usual case, with the same bits.
        up = xp.maximum(scaled, above)
        return LogisticParts(up, unit, up, xp.maximum(scaled, 1.0 - above))
    e = scaled * unit
    return LogisticParts(
        xp.maximum(scaled, above),
        xp.maximum(unit, above),
        xp.maximum(e, above),
        xp.maximum(e, 1.0 - above),
    )


@primitive(
    textbook=lambda xp, x: 1 / (1 + xp.exp(-x)),
    slope=_bend,
    # s'' = s' (1 - 2 s), and 1 - 2 s(x) = -tanh(x / 2).
    curvature=lambda xp, x: -_bend(xp, x) * xp.tanh(0.5 * x),
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
    return xp.maximum(e, step_of(xp, x)) / (1 + e)


@primitive(
    textbook=lambda xp, x: -xp.log1p(xp.exp(-x)),
    slope=lambda xp, x: sigmoid(xp, -x),
    curvature=lambda xp, x: -_bend(xp, x),
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

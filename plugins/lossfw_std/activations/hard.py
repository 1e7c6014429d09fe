"""Piecewise polynomials in place of sigmoid and silu."""

from __future__ import annotations

from typing import ClassVar

from lossfw import UNIT, Activation, ActivationClaims, Array, Namespace, Space
from lossfw.numerics import select, with_nan_of


def _is_on_ramp(xp: Namespace, x: Array) -> Array:
    """Tell where the ramp from -3 to 3 is."""
    return (x > -3) & (x < 3)


class HardSigmoid(Activation):
    """Hard sigmoid, x/6 + 1/2 clipped to [0, 1].

    Use it when a sigmoid has to be cheap, as on small devices.

    Any real x, infinite ones included. Its derivative at -3 and 3 is set to 0, one of the
    subgradients.

    Notes
    -----
    PyTorch, JAX and Keras 3 have the same function, relu6(x + 3) / 6; Keras 2 and Courbariaux et
    al. have x/5 + 1/2. Its gradient is 0 only outside of [-3, 3]. Source: Howard et al., *Searching
    for MobileNetV3*, 2019, doi:10.1109/ICCV.2019.00140.

    See Also
    --------
    hard_swish : x hard_sigmoid(x).

    Examples
    --------
    >>> HardSigmoid()([-4.0, 0.0, 1.5, 4.0])
    array([0.  , 0.5 , 0.75, 1.  ])
    """

    out_space: ClassVar[Space] = UNIT

    def formula(self, xp: Namespace, x: Array) -> Array:
        """x/6 + 1/2 within [0, 1]."""
        return xp.clip(x / 6 + 0.5, 0.0, 1.0)

    def value(self, xp: Namespace, x: Array) -> Array:
        """(x + 3) / 6: near -3 this sum is exact, and the textbook's is not."""
        return (xp.clip(x, -3.0, 3.0) + 3) / 6

    def derivative(self, xp: Namespace, x: Array) -> Array:
        """1/6 between -3 and 3, else 0."""
        return with_nan_of(xp, x, xp.astype(_is_on_ramp(xp, x), x.dtype) * (1 / 6))

    def second_derivative(self, xp: Namespace, x: Array) -> Array:
        """0 wherever it exists."""
        return with_nan_of(xp, x, xp.zeros_like(x))

    def claims(self) -> ActivationClaims:
        """A ramp."""
        return ActivationClaims(
            monotone=True, range=(0.0, 1.0), lipschitz=1 / 6, breaks=(-3.0, 3.0)
        )


class HardSwish(Activation):
    """Hard swish, x (x + 3) / 6 between -3 and 3, 0 below and x above.

    Use it when a sigmoid linear unit has to be cheap, as on small devices.

    Any real x, infinite ones included. Its derivative at -3 is 0 and at 3 it is 1, each one of the
    subgradients.

    Notes
    -----
    Its least value is -3/8, at -3/2; it decreases from -3 to there. The derivative is up to 3/2,
    just below 3. Source: Howard et al., *Searching for MobileNetV3*, 2019,
    doi:10.1109/ICCV.2019.00140.

    See Also
    --------
    hard_sigmoid : this is x hard_sigmoid(x).

    Examples
    --------
    >>> HardSwish()([-4.0, -1.5, 0.0, 4.0])
    array([ 0.   , -0.375,  0.   ,  4.   ])
    """

    def formula(self, xp: Namespace, x: Array) -> Array:
        """x times x/6 + 1/2 within [0, 1]."""
        return x * xp.clip(x / 6 + 0.5, 0.0, 1.0)

    def value(self, xp: Namespace, x: Array) -> Array:
        """The same with x (x + 3) / 6, which is exact near -3; 0 at -inf."""
        # One of the factors is 1 above 3, and 0 below -3; + 0.0 turns -0.0 into 0.0.
        return xp.maximum(x, xp.full_like(x, -3.0)) * ((xp.clip(x, -3.0, 3.0) + 3) / 6) + 0.0

    def derivative(self, xp: Namespace, x: Array) -> Array:
        """(2 x + 3) / 6 between -3 and 3, else 0 or 1."""
        outer = xp.astype(x > 0, x.dtype)
        return with_nan_of(xp, x, select(xp, _is_on_ramp(xp, x), (2 * x + 3) / 6, outer))

    def second_derivative(self, xp: Namespace, x: Array) -> Array:
        """1/3 between -3 and 3, else 0."""
        return with_nan_of(xp, x, xp.astype(_is_on_ramp(xp, x), x.dtype) * (1 / 3))

    def claims(self) -> ActivationClaims:
        """Neither monotone nor bounded above."""
        return ActivationClaims(range=(-0.375, float("inf")), lipschitz=1.5, breaks=(-3.0, 3.0))

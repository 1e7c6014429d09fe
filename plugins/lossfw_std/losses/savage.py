"""The Savage loss."""

from __future__ import annotations

import math
from decimal import Decimal

from lossfw import Array, Claims, MarginLoss, Namespace
from lossfw.numerics import (
    computed_in_float64,
    excess,
    high_precision,
    pieces,
    select,
    with_float32_form,
)
from lossfw_std.shared_parts import Deferred, shared_parts

# Where the loss turns from concave to convex: the probability of the wrong
# class, 1 / (1 + exp(2 m)), is 2/3 there.
with high_precision():
    _INFLECTION = pieces(Decimal(2).ln() / -2)

# The slope is -4 s^2 (1 - s) with s that probability, steepest at s = 2/3.
_STEEPEST = 16.0 / 27.0

# The curvature is 8 s^2 (1 - s) (2 - 3 s), greatest where its derivative by s,
# 8 s (4 - 15 s + 12 s^2), is 0.
_AT = (15.0 - math.sqrt(33.0)) / 24.0
_MOST_CURVED = 8.0 * _AT * _AT * (1.0 - _AT) * (2.0 - 3.0 * _AT)


# Beyond this exponent, up or down, float32 sees only the limits of exp(2 m).
_NOTHING_LEFT = 130.0


@shared_parts
def _plain(loss: Savage, xp: Namespace, m: Array) -> Deferred:
    """With e = exp(2 m), s = 1 / (1 + e) and the square of s."""
    e = xp.exp(xp.clip(2.0 * m, -_NOTHING_LEFT, _NOTHING_LEFT))
    s = 1.0 / (1.0 + e)
    value = s * s
    return lambda: value, lambda: -4.0 * (value * (e * s))


class Savage(MarginLoss):
    """Savage loss, 1 / (1 + exp(2 m))^2 with m = t y.

    Use it when labels -1 and +1 are noisy and the loss must be smooth.

    Prediction real, target in {-1, +1}, of one shape; one loss per element,
    between 0 and 1.

    Notes
    -----
    Not convex, yet calibrated: with s = 1 / (1 + exp(2 y)) the expected loss is
    p s^2 + (1 - p) (1 - s)^2, the Brier score, which is least at s = 1 - p; the
    best prediction is half the log-odds of +1. Source: Masnadi-Shirazi and
    Vasconcelos, *On the design of loss functions for classification*, NeurIPS
    2008.

    See Also
    --------
    brier : of both probabilities, twice this loss.
    ramp : also bounded.

    Examples
    --------
    >>> Savage()([0.0, 400.0, -400.0], [1, 1, 1], reduction="none")
    array([0.25, 0.  , 1.  ])
    """

    def formula(self, xp: Namespace, m: Array) -> Array:
        return 1 / (1 + xp.exp(2 * m)) ** 2

    @with_float32_form(_plain.value)
    def value(self, xp: Namespace, m: Array) -> Array:
        """The same; for positive m exp(-4 m) / (1 + exp(-2 m))^2, without overflow."""
        return _value(xp, m, xp.exp(-2.0 * xp.abs(m)))

    @with_float32_form(_plain.derivative)
    def derivative(self, xp: Namespace, m: Array) -> Array:
        """-4 exp(2 m) / (1 + exp(2 m))^3."""
        return _slope(xp, m, *_exponentials(xp, m))

    @with_float32_form(_plain.both)
    def value_and_derivative(self, xp: Namespace, m: Array) -> tuple[Array, Array]:
        """Both, from the same exponentials."""
        root, e = _exponentials(xp, m)
        return _value(xp, m, e), _slope(xp, m, root, e)

    def second_derivative(self, xp: Namespace, m: Array) -> Array:
        """8 exp(2 m) (2 exp(2 m) - 1) / (1 + exp(2 m))^4."""
        root, e = _exponentials(xp, m)
        last = select(xp, m > 0, e, root)
        # 2 exp(2 m) - 1, which cancels at the inflection; of positive m divided
        # by exp(2 m).
        left = xp.expm1(2.0 * excess(xp, select(xp, m > 0, 0.0 * e, m), _INFLECTION))
        left = select(xp, m > 0, 2.0 - e, left)
        fourth = 1.0 + e * (4.0 + e * (6.0 + e * (4.0 + e)))
        return 8.0 * last * left / fourth * last

    def claims(self) -> Claims:
        """Bounded, smooth and calibrated, though not convex."""
        return Claims(
            convex=False,
            nonnegative=True,
            bounded=1.0,
            lipschitz=_STEEPEST,
            gradient_lipschitz=_MOST_CURVED,
            twice_smooth=True,
            monotone=True,
            calibrated=True,
        )


def _value(xp: Namespace, m: Array, e: Array) -> Array:
    last = select(xp, m > 0, e, xp.ones_like(e))
    # Here and elsewhere powers of 1 + e are written as sums of powers: most of
    # their rounding errors are then those of a small part.
    return last / (1.0 + e * (2.0 + e)) * last


def _slope(xp: Namespace, m: Array, root: Array, e: Array) -> Array:
    last = select(xp, m > 0, e, root)
    return -4.0 * last / (1.0 + e * (3.0 + e * (3.0 + e))) * last


@computed_in_float64
def _exp(xp: Namespace, x: Array) -> Array:
    """Return exp(x), of float32 to half a unit in the last place."""
    return xp.exp(x)


def _exponentials(xp: Namespace, m: Array) -> tuple[Array, Array]:
    """Return exp(-|m|) and exp(-2 |m|).

    Results are products that end with one of them, and not multiples of their
    squares: those may have lost their digits where the results have not.
    """
    a = xp.abs(m)
    return _exp(xp, -a), _exp(xp, -2.0 * a)

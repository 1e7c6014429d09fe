"""The ramp loss."""

from __future__ import annotations

from lossfw import Array, Claims, MarginLoss, Namespace
from lossfw.numerics import clip_above, positive_part, zero_or_nan


class Ramp(MarginLoss):
    """Ramp loss, min(1, max(0, 1 - m)) with m = t y.

    Use it when labels -1 and +1 are noisy, and the problem need not be convex.

    Prediction real, target in {-1, +1}, of one shape; one loss per element, between 0 and 1.

    Notes
    -----
    Not convex, but calibrated: with p the probability of the more probable target, the expected
    loss of predicting that target is 1 - p, and at least p for a prediction of the other sign or 0.
    So the best prediction is the mode. At both kinks the derivative is taken from outside, 0.
    Source: Collobert, Sinz, Weston and Bottou, *Trading convexity for scalability*, ICML 2006.

    See Also
    --------
    hinge : the same without the upper bound.
    zero_one : never above this loss.

    Examples
    --------
    >>> Ramp()([-5.0, 0.25, 3.0], [1, 1, 1], reduction="none")
    array([1.  , 0.75, 0.  ])
    """

    def formula(self, xp: Namespace, m: Array) -> Array:
        one = xp.ones_like(m)
        return xp.minimum(one, xp.maximum(0 * one, 1 - m))

    def value(self, xp: Namespace, m: Array) -> Array:
        """1 - m, kept within [0, 1]."""
        return clip_above(xp, positive_part(xp, 1.0 - m), 1.0)

    def derivative(self, xp: Namespace, m: Array) -> Array:
        """-1 between 0 and 1, 0 outside."""
        zero = zero_or_nan(xp, m)
        return xp.where((m > 0) & (m < 1), zero - 1.0, zero)

    def second_derivative(self, xp: Namespace, m: Array) -> Array:
        """0 except at the kinks."""
        return zero_or_nan(xp, m)

    def claims(self) -> Claims:
        """Bounded, with kinks at 0 and 1."""
        return Claims(
            convex=False,
            nonnegative=True,
            bounded=1.0,
            zero_at_target=True,
            lipschitz=1.0,
            breaks=(0.0, 1.0),
            monotone=True,
            calibrated=True,
            elicits="mode",
        )

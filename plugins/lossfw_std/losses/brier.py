"""Brier's score."""

from __future__ import annotations

import math
from typing import ClassVar

from lossfw import SIMPLEX, Array, CategoricalLoss, Claims, Namespace, Space


class Brier(CategoricalLoss):
    """Brier's score, sum over classes of (y - t)^2.

    Use it when class probabilities should be calibrated, and one confident mistake must not
    dominate.

    Prediction of shape (..., K): distributions. Target: class indices (...), or
    distributions (..., K), one-hot or soft. One loss per row, from 0 to 2.

    Notes
    -----
    Brier's own definition, the sum over all classes: for two classes it is twice the squared error
    of one of the probabilities. Strictly proper, and unlike cross-entropy bounded: one confident
    mistake cannot dominate the mean. Source: Brier, *Verification of forecasts expressed in terms
    of probability*, 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.

    See Also
    --------
    squared_error : the same with ``per="row"``, for any real numbers.
    cross_entropy : the other strictly proper loss in wide use.

    Examples
    --------
    >>> Brier()([[0.25, 0.75]], [1])
    0.125
    """

    target: ClassVar[Space] = SIMPLEX

    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Sum of (y - t)^2."""
        r = y - t
        return xp.sum(r * r, axis=-1)

    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """2 (y - t)."""
        return 2.0 * (y - t)

    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """2; NaN where the prediction is NaN."""
        return 2.0 + 0.0 * (y - t)

    def claims(self) -> Claims:
        """Quadratic on a set whose corners are sqrt(2) apart."""
        return Claims(
            nonnegative=True,
            bounded=2.0,
            zero_at_target=True,
            strongly_convex=2.0,
            lipschitz=2.0 * math.sqrt(2.0),
            gradient_lipschitz=2.0,
            twice_smooth=True,
            strictly_proper=True,
            calibrated=True,
            permutation_equivariant=True,
            exchangeable=True,
            finite_at_boundary=True,
            elicits="mean",
        )

"""The loss of hazards in intervals of time."""

from __future__ import annotations

from typing import Any, ClassVar

from lossfw import (
    BINARY,
    COUNT,
    VECTOR,
    Array,
    Claims,
    Columns,
    DistributionLoss,
    Namespace,
    PointwiseLoss,
    Space,
)
from lossfw.numerics import column_numbers, sigmoid, softplus


class DiscreteHazard(DistributionLoss, PointwiseLoss):
    """Discrete hazards, the sum of log(1 + exp(y_k)) up to the interval, less y there at an event.

    Use it when time is counted in intervals, such as months, and the shape of the hazard is
    unknown: each interval has its own logit.

    The prediction has shape (..., K): in column k the logit of the hazard of interval k, the
    probability of an event in it for a row that has reached it. The target has shape (..., 2), the
    columns ``interval``, 0 .. K - 1, and ``event``: 1 if the event was in that interval, 0 if the
    row was observed to its end without one. An interval of K or more means that the row outlived
    all columns, with or without an event afterwards. One loss per row.

    Notes
    -----
    Minus the log-likelihood, the sum of the logistic losses of the intervals in which a row was at
    risk. Convex; columns after the interval have derivative 0. Assign a row that is censored within
    an interval to the interval before, because it was not at risk to the end. Source: Gensheimer
    and Narasimhan, *A scalable discrete-time survival model for neural networks*, PeerJ 7, 2019,
    doi:10.7717/peerj.6257.

    See Also
    --------
    aft : for the time itself, with a distribution.
    cox : for the order of times.

    Examples
    --------
    An event in interval 1, and a row observed to the end of interval 1 without one:

    >>> loss = DiscreteHazard()
    >>> loss([[0.5, -1.0, 2.0], [0.5, -1.0, 2.0]], [[1, 1], [1, 0]], reduction="none")
    array([2.28733867, 1.28733867])
    """

    latex: ClassVar[str | None] = (
        r"\sum_{k \le \mathrm{interval}} \log\left(1 + e^{y_{k}}\right) -"
        r" \mathrm{event}\;y_{\mathrm{interval}}"
    )

    prediction: ClassVar[Space] = VECTOR
    target: ClassVar[Space] = Columns.of(interval=COUNT, event=BINARY)

    def formula(self, xp: Namespace, y: Array, t: Any) -> Array:
        k = _column_numbers(xp, y)
        interval, event = t.interval[..., None], t.event[..., None]
        own = xp.where((k == interval) & (event > 0), y, 0 * y)
        return xp.sum(xp.where(k <= interval, xp.log1p(xp.exp(y)), 0 * y) - own, axis=-1)

    def value(self, xp: Namespace, y: Array, t: Any) -> Array:
        """The same, each interval by a term that is not negative."""
        reached, sign = _reached_intervals(xp, y, t)
        return xp.sum(xp.where(reached, softplus(xp, sign * y), xp.zeros_like(y)), axis=-1)

    def derivative(self, xp: Namespace, y: Array, t: Any) -> Array:
        """The hazard, and less 1 at an event."""
        reached, sign = _reached_intervals(xp, y, t)
        return xp.where(reached, sign * sigmoid(xp, sign * y), xp.zeros_like(y))

    def second_derivative(self, xp: Namespace, y: Array, t: Any) -> Array:
        """The hazard times 1 less the hazard."""
        reached, sign = _reached_intervals(xp, y, t)
        second_derivative = sigmoid(xp, sign * y) * sigmoid(xp, -sign * y)
        return xp.where(reached, second_derivative, xp.zeros_like(y))

    def quantile(self, xp: Namespace, y: Array, p: Array) -> Array:
        """Return the first interval by whose end an event has probability p; inf for none."""
        k = _column_numbers(xp, y)
        before = xp.astype(k[:, None] >= k, y.dtype)
        hazards = xp.sum(before * softplus(xp, y)[..., None, :], axis=-1)
        late = hazards < -xp.log1p(-p)[..., None]
        count = xp.sum(xp.astype(late, y.dtype), axis=-1)
        return xp.where(count < y.shape[-1], count, xp.inf + 0.0 * count)

    def cdf(self, xp: Namespace, y: Array, x: Array) -> Array:
        """Return the probability of an event in the intervals up to x."""
        hazards = xp.where(
            _column_numbers(xp, y) <= x[..., None], softplus(xp, y), xp.zeros_like(y)
        )
        return -xp.expm1(-xp.sum(hazards, axis=-1))

    def claims(self) -> Claims:
        """Convex and smooth."""
        return Claims(nonnegative=True, convex=True, twice_smooth=True, gradient_lipschitz=0.25)


def _reached_intervals(xp: Namespace, y: Array, t: Any) -> tuple[Array, Array]:
    """Return in which intervals a row was at risk, and -1 at its event, else 1."""
    k = _column_numbers(xp, y)
    interval, event = t.interval[..., None], t.event[..., None]
    one = xp.ones_like(y)
    sign = xp.where((k == interval) & (event > 0), -one, one)
    # NaN in a row, or in its target, reaches the result.
    unknown = xp.isnan(interval) | xp.isnan(event)
    return (k <= interval) | xp.isnan(y) | unknown, xp.where(unknown, xp.nan * one, sign)


def _column_numbers(xp: Namespace, y: Array) -> Array:
    """Return 0 .. K-1, the numbers of the columns, as floats."""
    k = column_numbers(xp, y)
    return xp.astype(k, y.dtype) if hasattr(xp, "astype") else k

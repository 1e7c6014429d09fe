"""The negative log-likelihood of Weibull's distribution for times that may be censored."""

from __future__ import annotations

from typing import Any, ClassVar

from lossfw import (
    BINARY,
    LOG,
    POSITIVE,
    Array,
    Claims,
    Columns,
    DistributionLoss,
    Namespace,
    Space,
)
from lossfw_std.likelihood import Likelihood
from lossfw_std.losses.weibull_nll import WeibullNll, excess_over_one

_OF_TIME = WeibullNll()


class CensoredWeibullNll(DistributionLoss, Likelihood):
    r"""Weibull negative log-likelihood of censored times, w - e (log w + log k - log t).

    Use it when the target is the time until an event, some rows are censored, and the model
    predicts whether the hazard rises or falls with time.

    The prediction has shape (..., 2): in each row the logarithms of the scale s and of the shape k.
    The target has shape (..., 2), the columns ``time``, above 0, and ``event``: 1 if the event
    happened then, 0 if the row was observed until then without one. One loss per row.

    Notes
    -----
    With w = (t / s)^k, a row with an event has the loss of `weibull_nll`, and one without has w,
    minus the logarithm of the probability of a later event. The median time is s log(2)^(1 / k).
    Convex in the log scale, but not in the row.

    Source: Kalbfleisch and Prentice, *The Statistical Analysis of Failure Time Data*, 2nd edition,
    2002, chapter 3, doi:10.1002/9781118032985.

    See Also
    --------
    aft : also for intervals and other distributions, with one scale for all rows.
    cox : without a distribution of the times.

    Examples
    --------
    An event after two years, and a row that was censored after three:

    >>> loss = CensoredWeibullNll()
    >>> loss([[1.0, 0.5], [1.0, 0.5]], [[2.0, 1], [3.0, 0]], reduction="none").round(6)
    array([1.302016, 1.176547])
    """

    prediction: ClassVar[Space] = Columns.of(log_scale=LOG, log_shape=LOG)
    target: ClassVar[Space] = Columns.of(time=POSITIVE, event=BINARY)

    def formula(self, xp: Namespace, y: Any, t: Any) -> Array:
        s, k = xp.exp(y.log_scale), xp.exp(y.log_shape)
        w = (t.time / s) ** k
        return w - t.event * (xp.log(w) + y.log_shape - xp.log(t.time))

    def shared_parts(self, xp: Namespace, *columns: Array) -> tuple[Array, ...]:
        """Return those of `weibull_nll`, and the event."""
        *of_time, event = columns
        return *_OF_TIME.shared_parts(xp, *of_time), event

    def value_from_parts(self, xp: Namespace, *parts: Array) -> Array:
        """That of `weibull_nll`, or w."""
        *of_event, event = parts
        return xp.where(event > 0, _OF_TIME.value_from_parts(xp, *of_event), of_event[2])

    def derivatives_from_parts(self, xp: Namespace, *parts: Array) -> tuple[Array, ...]:
        """-k (w - e) by the log scale, and (w - e) log w - e by the log shape."""
        _, shape, w, u, event = parts
        rise = xp.where(event > 0, excess_over_one(xp, w, u), w)
        return -shape * rise, u * rise - event

    def second_derivatives_from_parts(self, xp: Namespace, *parts: Array) -> tuple[Array, ...]:
        """k^2 w, and w (log w)^2 + (w - e) log w."""
        _, shape, w, u, event = parts
        rise = xp.where(event > 0, excess_over_one(xp, w, u), w)
        return shape * shape * w, u * (u * w + rise)

    def quantile(self, xp: Namespace, y: Any, p: Array) -> Array:
        """Return the time before which the event comes with probability p."""
        return _OF_TIME.quantile(xp, y, p)

    def cdf(self, xp: Namespace, y: Any, x: Array) -> Array:
        """Return the probability of an event up to time x."""
        return _OF_TIME.cdf(xp, y, x)

    def claims(self) -> Claims:
        """Smooth; a density may be above 1, so that the loss may be negative."""
        return Claims(twice_smooth=True)

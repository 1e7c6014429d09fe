"""The loss of accelerated failure times with a predicted scale."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal

from lossfw import (
    BINARY,
    LOG,
    POSITIVE,
    Array,
    Claims,
    Columns,
    DistributionLoss,
    Namespace,
    PointwiseLoss,
    PromisedRange,
    Space,
)
from lossfw.numerics import (
    computed_in_float64,
    log_normal_cdf,
    normal_hazard,
    normal_mean_excess,
    sigmoid,
    softplus,
)
from lossfw_std.intervals import DISTRIBUTIONS


def _normal_survival_loss(xp: Namespace, z: Array, order: int) -> Array:
    if order == 0:
        return -log_normal_cdf(xp, -z)
    hazard = normal_hazard(xp, z)
    return hazard if order == 1 else hazard * normal_mean_excess(xp, z)


def _logistic_survival_loss(xp: Namespace, z: Array, order: int) -> Array:
    if order == 0:
        return softplus(xp, z)
    return sigmoid(xp, z) if order == 1 else sigmoid(xp, z) * sigmoid(xp, -z)


# -log(1 - F(z)) and its derivatives: the loss of a row that is still waiting.
_WAITING: dict[str, Callable[[Namespace, Array, int], Array]] = {
    "normal": _normal_survival_loss,
    "logistic": _logistic_survival_loss,
    "extreme": lambda xp, z, order: xp.exp(z),
}


class AftNll(DistributionLoss, PointwiseLoss):
    """Accelerated failure time with its scale: -log-likelihood of log T = location + scale Z.

    Use it when the target is the time until an event, some rows are censored, and the model also
    predicts how widely the times are spread.

    The prediction has shape (..., 2): in each row the location of log T and the logarithm of the
    scale. The target has shape (..., 2), the columns ``time``, above 0, and ``event``: 1 if the
    event happened then, 0 if the row was observed until then without one. One loss per row.

    Parameters
    ----------
    distribution : {"normal", "logistic", "extreme"}
        The distribution of Z: log T is normal or logistic, or T is Weibull with shape 1 / scale.

    Notes
    -----
    With z = (log T - location) / scale, a row with an event has -log f(z) + log scale + log T, and
    one without has -log of the probability of a larger z. Convex in the location, but not in the
    row. It has no lower bound, so its accuracy is that of a value of 1. Results are promised for
    times from 1e-10 to 1e10. Source: Wei, *The accelerated failure time model: a useful alternative
    to the Cox regression model in survival analysis*, Statistics in Medicine 11, 1992,
    doi:10.1002/sim.4780111409.

    See Also
    --------
    aft : with one scale for all rows, and for intervals.
    censored_weibull_nll : the extreme value distribution, by scale and shape.

    Examples
    --------
    An event after two years, and a row that was censored after three:

    >>> loss = AftNll()
    >>> loss([[0.0, 0.0], [0.0, 0.0]], [[2.0, 1], [3.0, 0]], reduction="none").round(6)
    array([1.852312, 1.995331])
    """

    latex: ClassVar[str | None] = (
        r"e\left(-\log f(z) + \log\sigma + \log t\right) - (1 - e)\log\left(1 - F(z)\right)"
        r" \quad\text{with } z = \frac{\log t - \mu}{\sigma}"
    )

    prediction: ClassVar[Space] = Columns.of(location=LOG, log_scale=LOG)
    target: ClassVar[Space] = Columns.of(time=POSITIVE, event=BINARY)
    # The exponential of a logarithm has the relative error of its last digit.
    target_range: ClassVar[PromisedRange] = PromisedRange(1e-10, 1e10)

    distribution: Literal["normal", "logistic", "extreme"] = "normal"

    def formula(self, xp: Namespace, y: Any, t: Any) -> Array:
        standard = DISTRIBUTIONS[self.distribution]
        z = (xp.log(t.time) - y.location) / xp.exp(y.log_scale)
        seen = standard.point_formula(xp, z) + y.log_scale + xp.log(t.time)
        return xp.where(t.event > 0, seen, standard.interval_formula(xp, z, xp.inf + 0 * z))

    def _parts(self, xp: Namespace, *columns: Array, orders: tuple[int, ...]) -> tuple[Array, ...]:
        """Return log t, 1 / scale, z, and the loss of z or its derivatives by z."""
        location, log_scale, time, event = columns
        standard = DISTRIBUTIONS[self.distribution]
        # Of the ratio the logarithm has digits that a difference has lost.
        distance, inverse = xp.log(time * xp.exp(-location)), xp.exp(-log_scale)
        z = distance * inverse
        found = [
            xp.where(
                event > 0,
                standard.point_loss(xp, z, order),
                _WAITING[self.distribution](xp, z, order),
            )
            for order in orders
        ]
        return distance + location, inverse, z, *found

    @computed_in_float64
    def _value(self, xp: Namespace, *columns: Array) -> Array:
        log, _, _, of_z = self._parts(xp, *columns, orders=(0,))
        return of_z + columns[-1] * (log + columns[1])

    @computed_in_float64
    def _derivatives(self, xp: Namespace, *columns: Array) -> tuple[Array, ...]:
        _, inverse, z, derivative = self._parts(xp, *columns, orders=(1,))
        return -derivative * inverse, columns[-1] - z * derivative

    @computed_in_float64
    def _second_derivatives(self, xp: Namespace, *columns: Array) -> tuple[Array, ...]:
        _, inverse, z, derivative, second_derivative = self._parts(xp, *columns, orders=(1, 2))
        return second_derivative * inverse * inverse, z * (z * second_derivative + derivative)

    def value(self, xp: Namespace, y: Any, t: Any) -> Array:
        """The same, with the digits of both tails."""
        return self._value(xp, *y, *t)

    def derivative(self, xp: Namespace, y: Any, t: Any) -> tuple[Array, ...]:
        """By the location -g'(z) / scale, by the log scale e - z g'(z)."""
        return self._derivatives(xp, *y, *t)

    def second_derivative(self, xp: Namespace, y: Any, t: Any) -> tuple[Array, ...]:
        """g''(z) / scale^2, and z^2 g''(z) + z g'(z)."""
        return self._second_derivatives(xp, *y, *t)

    def quantile(self, xp: Namespace, y: Any, p: Array) -> Array:
        """Return the time before which the event comes with probability p."""
        z = DISTRIBUTIONS[self.distribution].quantile(xp, p)
        return xp.exp(y.location + xp.exp(y.log_scale) * z)

    def cdf(self, xp: Namespace, y: Any, x: Array) -> Array:
        """Return the probability of an event up to time x; 0 up to 0."""
        some = xp.where(x > 0, x, xp.ones_like(x))
        z = (xp.log(some) - y.location) * xp.exp(-y.log_scale)
        found = DISTRIBUTIONS[self.distribution].cdf(xp, z)
        return xp.where(x > 0, found, xp.zeros_like(x))

    def claims(self) -> Claims:
        """Smooth; a density may be above 1, so that the loss may be negative."""
        return Claims(twice_smooth=True)

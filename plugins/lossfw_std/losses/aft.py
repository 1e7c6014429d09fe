"""The loss of accelerated failure times, which may be censored."""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from lossfw import (
    LOG,
    NONNEGATIVE,
    POSITIVE,
    Array,
    Claims,
    Columns,
    DistributionLoss,
    DomainError,
    Namespace,
    NDArray,
    PointwiseLoss,
    Space,
)
from lossfw.numerics import computed_in_float64, namespace_of
from lossfw_std.intervals import DISTRIBUTIONS, IntervalEnds


class Aft(DistributionLoss, PointwiseLoss):
    """Accelerated failure time: negative log-likelihood of log T = y + sigma Z.

    Use it when the target is the time until an event, and some rows are censored: for them only a
    lower limit of the time is known.

    The prediction has shape (...), the location of log T; exp of it is the median time for the two
    symmetric distributions. The target has shape (..., 2), the columns ``lower`` and ``upper`` of
    the time: equal for a time that was observed, upper infinite for a right-censored row, lower 0
    for a left-censored one, and both finite for an interval. One loss per row.

    Parameters
    ----------
    distribution : {"normal", "logistic", "extreme"}
        The distribution of Z: log T is normal or logistic, or T is Weibull with shape 1 / sigma.
    sigma : float
        The scale of log T, above 0.

    Notes
    -----
    An observed time has the loss minus the log of its density, and the others minus the log of a
    probability, F((log upper - y) / sigma) - F((log lower - y) / sigma). The digits of the
    difference are kept in both tails and for narrow intervals.

    Convex in y, because all three densities are log-concave. XGBoost calls it ``survival:aft`` and
    clips derivatives at 15. Source: Wei, *The accelerated failure time model: a useful alternative
    to the Cox regression model in survival analysis*, Statistics in Medicine 11, 1992,
    doi:10.1002/sim.4780111409.

    See Also
    --------
    cox : without a distribution of the times.
    discrete_hazard : a separate hazard in each interval.

    Examples
    --------
    An event after two years, a row that was censored after three, and an event in between:

    >>> import math
    >>> loss = Aft()
    >>> loss([0.0, 0.0, 0.0], [[2.0, 2.0], [3.0, math.inf], [2.0, 3.0]], reduction="none")
    array([1.85231222, 1.99533125, 2.2243287 ])
    """

    latex: ClassVar[str | None] = (
        r"-\log\frac{f(z)}{\sigma\,\mathrm{upper}} \text{ if } \mathrm{lower} = \mathrm{upper}, "
        r"\quad -\log\left(F(z) - F(a)\right) \text{ otherwise}, \quad\text{with } "
        r"a = \frac{\log \mathrm{lower} - y}{\sigma},\ z = \frac{\log \mathrm{upper} - y}{\sigma}"
    )

    prediction: ClassVar[Space] = LOG
    target: ClassVar[Space] = Columns.of(lower=NONNEGATIVE, upper=POSITIVE).ordered()

    distribution: Literal["normal", "logistic", "extreme"] = "normal"
    sigma: Annotated[float, Field(gt=0.0, allow_inf_nan=False)] = 1.0

    def formula(self, xp: Namespace, y: Array, t: Any) -> Array:
        """The definition; the ends of an interval are left out where they are 0 or infinite."""
        standard = DISTRIBUTIONS[self.distribution]
        infinite = xp.full_like(y, xp.inf)
        lower = xp.where(t.lower > 0, t.lower, 1 + 0 * y)
        upper = xp.where(t.upper < xp.inf, t.upper, 1 + 0 * y)
        z = (xp.log(lower) - y) / self.sigma
        a = xp.where(t.lower > 0, z, -infinite)
        b = xp.where(t.upper < xp.inf, (xp.log(upper) - y) / self.sigma, infinite)
        seen = standard.point_formula(xp, z) + xp.log(lower) + xp.log(self.sigma + 0 * y)
        exact = t.lower == t.upper
        a, b = xp.where(exact, -infinite, a), xp.where(exact, infinite, b)
        return xp.where(exact, seen, standard.interval_formula(xp, a, b))

    @computed_in_float64
    def _loss_or_derivative(self, xp: Namespace, y: Array, t: Any, order: int) -> Array:
        standard = DISTRIBUTIONS[self.distribution]
        exact, low, high = t.lower == t.upper, xp.log(t.lower), xp.log(t.upper)
        a, b = (low - y) / self.sigma, (high - y) / self.sigma
        seen = standard.point_loss(xp, a, order)
        if order == 0:
            seen = seen + low + math.log(self.sigma)
        # The quotient overflows where one end is near 0.
        rise = (t.upper - t.lower) / t.lower
        width = xp.where(rise < xp.inf, xp.log1p(rise), high - low) / self.sigma
        width = xp.where(exact, xp.ones_like(y), width)
        between = standard.interval_loss(xp, IntervalEnds(a, b, width), order)
        # Each derivative of z by y is -1 / sigma.
        return xp.where(exact, seen, between) * (-1.0 / self.sigma) ** order

    def value(self, xp: Namespace, y: Array, t: Any) -> Array:
        """The same, without the cancellation of the two probabilities."""
        return self._loss_or_derivative(xp, y, t, 0)

    def derivative(self, xp: Namespace, y: Array, t: Any) -> Array:
        """For a seen time f'(z) / f(z) / sigma; else (f(b) - f(a)) / (F(b) - F(a)) / sigma."""
        return self._loss_or_derivative(xp, y, t, 1)

    def second_derivative(self, xp: Namespace, y: Array, t: Any) -> Array:
        """Never negative; for a normal Z at most 1 / sigma^2."""
        return self._loss_or_derivative(xp, y, t, 2)

    def quantile(self, xp: Namespace, y: Array, p: Array) -> Array:
        """Return the time by which the event happens with probability p."""
        return xp.exp(y + self.sigma * DISTRIBUTIONS[self.distribution].quantile(xp, p))

    def cdf(self, xp: Namespace, y: Array, x: Array) -> Array:
        """Return the probability of an event up to time x."""
        return DISTRIBUTIONS[self.distribution].cdf(xp, (xp.log(x) - y) / self.sigma)

    def claims(self) -> Claims:
        """Convex and smooth; a density may be above 1, so that the loss may be negative."""
        bound = {"normal": 1.0, "logistic": 0.5, "extreme": None}[self.distribution]
        return Claims(
            convex=True,
            twice_smooth=True,
            lipschitz=1.0 / self.sigma if self.distribution == "logistic" else None,
            gradient_lipschitz=None if bound is None else bound / self.sigma**2,
        )

    def check_domain(self, y: NDArray, t: NDArray, by_index: bool, start: int) -> None:
        """Check too that each lower end is finite; see `Loss.check_domain`."""
        super().check_domain(y, t, by_index, start)
        xp = namespace_of(t)
        endless = t[..., 0] == math.inf
        if bool(xp.any(endless)):
            (first, *_) = xp.nonzero(xp.reshape(endless, (-1,)))[0]
            raise DomainError(
                f"target.lower[{int(first) + start}] = inf: expected the last "
                "time at which the row was seen without its event."
            )

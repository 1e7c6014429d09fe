"""Cox's partial likelihood: which row at risk has the event."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from lossfw import (
    BINARY,
    NONNEGATIVE,
    REAL,
    Array,
    Claims,
    Columns,
    GroupLoss,
    Namespace,
    Space,
)
from lossfw.numerics import computed_in_float64
from lossfw_std import risk_pairs, risk_sets


class Cox(GroupLoss):
    """Cox's partial likelihood, at each event the log of the sum of exp(y) at risk, less its own y.

    Use it when the target is the time until an event, some rows are censored, and only the order of
    the times should count.

    The prediction has shape (N,), the log hazards of the rows up to a constant. The target has
    shape (N, 2), the columns ``time`` and ``event``: 1 if the event happened at that time, 0 if the
    row was observed until then without one. A group is a stratum: only rows of the same stratum are
    compared. One loss per stratum, the sum over its events; without ``group=`` all rows are one
    stratum.

    Parameters
    ----------
    ties : {"efron", "breslow"}
        How tied events are counted. With ``"breslow"`` each has all of them in its risk set; with
        ``"efron"`` the l-th of d has only 1 - l/d of them, as if they had happened one after the
        other in an unknown order.

    Notes
    -----
    A row is at risk until its own time. Convex; the same for scores with a constant added. A row
    without an event counts only in the risk sets, and a stratum without events has loss 0. A mean
    over small batches is another loss, because risk sets are then those of the batch: train on
    whole strata.

    Strata of more than 128 rows take n log n operations and n numbers of memory, smaller ones n^2.
    XGBoost's ``survival:cox`` subtracts rows from the risk set, so that its derivatives lose
    digits, and depend on the order of tied events. Sources: Cox, *Regression models and
    life-tables*, Journal of the Royal Statistical Society B 34, 1972,
    doi:10.1111/j.2517-6161.1972.tb00899.x; Efron, *The efficiency of Cox's likelihood function for
    censored data*, Journal of the American Statistical Association 72, 1977,
    doi:10.1080/01621459.1977.10480613.

    See Also
    --------
    aft : of the times themselves, with a distribution.
    discrete_hazard : a separate hazard in each interval.

    Examples
    --------
    Three rows with the same score, of which the first two had an event:

    >>> Cox()([0.0, 0.0, 0.0], [[1, 1], [2, 1], [3, 0]], reduction="none")
    array([1.79175947])
    """

    latex: ClassVar[str | None] = (
        r"\sum_{i:\,\mathrm{event}_{i} = 1} \left(\log\sum_{j:\,\mathrm{time}_{j} \ge"
        r" \mathrm{time}_{i}} s_{ij}\,e^{y_{j}}"
        r" - y_{i}\right)\quad\text{with } s_{ij} = 1 \text{, or less for ties by Efron}"
    )

    prediction: ClassVar[Space] = REAL
    target: ClassVar[Space] = Columns.of(time=NONNEGATIVE, event=BINARY)
    needs_group: ClassVar[bool] = False
    # Never at risk, and no event.
    neutral: ClassVar[Any] = (0.0, (-1.0, 0.0))

    ties: Literal["efron", "breslow"] = "efron"

    def formula(self, xp: Namespace, y: Array, t: Any) -> Array:
        share = risk_pairs.risk_weights(xp, t.time, t.event, self.ties)
        # The quotients of the hazards, of which the own is exactly 1.
        risk = xp.sum(share * xp.exp(y[..., None, :] - y[..., :, None]), axis=-1)
        return xp.sum(xp.where(t.event > 0, xp.log(risk), 0 * y), axis=-1)

    def value(self, xp: Namespace, y: Array, t: Any) -> Array:
        """The same without overflow, log sum exp(y_j - y_i)."""
        return self._losses_or_derivatives(xp, y, t, (0,))[0]

    def derivative(self, xp: Namespace, y: Array, t: Any) -> Array:
        """The shares of a row in the risk sets of all events, less 1 for its own."""
        return self._losses_or_derivatives(xp, y, t, (1,))[0]

    def value_and_derivative(self, xp: Namespace, y: Array, t: Any) -> tuple[Array, Array]:
        """Both, from the same risk sets."""
        value, derivative = self._losses_or_derivatives(xp, y, t, (0, 1))
        return value, derivative

    def second_derivative(self, xp: Namespace, y: Array, t: Any) -> Array:
        """The sum of p (1 - p) over the shares p of a row in the risk sets of all events."""
        return self._losses_or_derivatives(xp, y, t, (2,))[0]

    @computed_in_float64
    def _losses_or_derivatives(
        self, xp: Namespace, y: Array, t: Any, orders: tuple[int, ...]
    ) -> tuple[Array, ...]:
        form = risk_sets if risk_sets.is_faster(xp, y, t.time, t.event) else risk_pairs
        found = form.losses_or_derivatives(xp, y, t.time, t.event, self.ties, orders)
        # The risk sets are not known without every time and event.
        unknown = xp.any(xp.isnan(t.time) | xp.isnan(t.event), axis=-1)
        return tuple(
            xp.where(unknown if order == 0 else unknown[..., None], xp.nan * part, part)
            for order, part in zip(orders, found, strict=True)
        )

    def claims(self) -> Claims:
        """Convex and smooth; the same for shifted scores and in any order, and 0 for one row."""
        return Claims(
            nonnegative=True,
            convex=True,
            twice_smooth=True,
            shift_invariant=True,
            row_order=True,
            zero_alone=True,
        )

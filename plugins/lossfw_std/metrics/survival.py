"""Metrics of predicted times until an event, with censored rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from lossfw import ArgumentError, DistributionLoss, DomainError, Loss, NDArray, ShapeError
from lossfw.metrics import GroupSumMetric, NestedLoss
from lossfw.numerics import cumulative_logsumexp
from lossfw_std.losses.cox import Cox

# The columns of a target: between what ends the event was, or a time and whether it came then.
_BOUNDS, _EVENT = ("lower", "upper"), "event"


class SurvivalMetric(GroupSumMetric):
    """A metric of predictions of a loss of times."""

    of: NestedLoss = Cox()

    @classmethod
    def examples(cls) -> Sequence[Mapping[str, Any]]:
        """Return the losses of both kinds of targets."""
        return [{"of": "cox"}, {"of": "aft"}]

    def check_rows(self, prediction: NDArray, target: NDArray, start: int) -> None:
        """Check that the target has the columns of the loss, and its numbers."""
        names = getattr(self.of.target_space, "names", ())
        if names != _BOUNDS and names[1:] != (_EVENT,):
            raise ArgumentError(
                f"of: {self.of.name} does not have targets of a time and an event; expected a loss "
                "with the columns lower and upper, or a time and event, such as cox or aft."
            )
        if target.ndim != 2 or target.shape[1] != len(names):
            raise ShapeError(
                f"the rows of target have the shape {target.shape[1:]}; expected "
                f"({len(names)},), the columns {' and '.join(names)} of {self.of.name}."
            )
        try:
            self.of.target_space.check(target, "target", start=start)
        except DomainError as error:
            hint = f"`of` says that {self.name} takes predictions and targets of {self.of.name}."
            raise DomainError(f"{error} {hint}") from None

    def event_interval(self, target: NDArray) -> tuple[NDArray, NDArray]:
        """Return the times between which the event of each row was; the second may be infinite."""
        first, second = target.astype(np.float64).T
        if self.of.target_space.names == _BOUNDS:  # type: ignore[attr-defined]  # checked
            return first, second
        return first, np.where(second > 0, first, np.inf)


class Concordance(SurvivalMetric):
    """Concordance, the fraction of comparable pairs in which the earlier event was predicted.

    Use it when a model predicts times until an event, and only their order counts.

    Prediction and target are those of the loss `of`. Two rows are comparable if the event of one
    was certainly first: at a known time, when the other had no event yet. Equal predictions count
    one half. Pairs are counted within groups, such as strata, and summed over them. NaN if no pair
    is comparable or a prediction is NaN.

    Parameters
    ----------
    of : loss
        The loss whose predictions these are. For `cox` a larger prediction means an earlier event.
        A `DistributionLoss` such as `aft` is ranked by its median time, and predictions of several
        columns, as for `discrete_hazard`, by the probability of an event in any of them.

    Notes
    -----
    Exact, in n log(n)^2 operations. A pair has the product of both weights. Ties are treated as in
    scikit-survival and lifelines: two rows with the same time are comparable if one had an event
    and the other was censored. Source: Harrell, Lee and Mark, *Multivariable prognostic models:
    issues in developing models, evaluating assumptions and adequacy, and measuring and reducing
    errors*, Statistics in Medicine 15, 1996,
    doi:10.1002/(SICI)1097-0258(19960229)15:4<361::AID-SIM168>3.0.CO;2-4.

    Examples
    --------
    The first row has the first event and the highest predicted hazard:

    >>> Concordance()([2.0, 0.5, 1.0], [[1, 1], [2, 1], [3, 0]])
    0.6666666666666666
    """

    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    better: ClassVar[Literal["higher", "lower"] | None] = "higher"
    piecewise_constant: ClassVar[bool] = True
    latex: ClassVar[str | None] = (
        r"P\left(s_{i} > s_{j} \mid T_{i} < T_{j}\right)"
        r" + \tfrac{1}{2}\,P\left(s_{i} = s_{j} \mid T_{i} < T_{j}\right)"
    )

    def formula(
        self, prediction: NDArray, target: NDArray, weight: NDArray, group: NDArray | None
    ) -> Any:
        """The definition, by all pairs of rows of a group."""
        lower, upper = self.event_interval(target)
        risk = _risk_scores(self.of, prediction)
        first, second = np.newaxis, (slice(None), np.newaxis)
        waits = (upper > lower)[first] & (lower[first] == upper[second])
        pairs = np.outer(weight, weight) * ((upper[second] < lower[first]) | waits)
        pairs *= (upper < np.inf)[second]
        if group is not None:
            pairs *= group[first] == group[second]
        order = (risk[second] > risk[first]) + 0.5 * (risk[second] == risk[first])
        return np.sum(pairs * order) / np.sum(pairs)

    def n_sums(self, columns: int) -> int:
        """Concordant and comparable pairs."""
        return 2

    def group_sums(self, prediction: NDArray, target: NDArray, weight: NDArray) -> Any:
        """Return the weights of both."""
        lower, upper = self.event_interval(target)
        return concordant_pairs(lower, upper, _risk_scores(self.of, prediction), weight)

    def value(self, sums: NDArray, columns: int) -> NDArray:
        """Return their quotient."""
        found: NDArray = sums[:, 0] / sums[:, 1]
        return found


class SurvivalBrier(SurvivalMetric):
    """Brier score of survival, the mean of (predicted survival - observed survival)^2.

    Use it when a model predicts the probability of an event by some time, which should be
    calibrated and sharp.

    Prediction and target are those of the loss `of`; an interval between two finite times is
    refused. The result is a list with one number per time, NaN beyond the last time of all rows.

    Parameters
    ----------
    times : tuple of float
        The times to evaluate, in units of the target.
    of : loss
        The loss whose predictions these are. A `DistributionLoss`, such as `aft` or
        `discrete_hazard`, gives the probabilities by its `cdf`. `cox` needs a baseline hazard: it
        is Breslow's estimate from the evaluated rows, so the score judges relative hazards, not
        their level.

    Notes
    -----
    A row that was censored before a time is left out there, and the others are weighted by the
    inverse probability of not being censored, by Kaplan and Meier's estimate from the evaluated
    rows. The estimate is taken just before an event; scikit-survival takes it at the event, which
    differs if a row was censored at the same time. Each stratum has its own estimate. Source: Graf,
    Schmoor, Sauerbrei and Schumacher, *Assessment and comparison of prognostic classification
    schemes for survival data*, Statistics in Medicine 18, 1999,
    doi:10.1002/(SICI)1097-0258(19990915/30)18:17/18<2529::AID-SIM274>3.0.CO;2-5.

    Examples
    --------
    >>> score = SurvivalBrier(times=(1.5,), of="aft")
    >>> found = score([0.0, 1.0, 1.0], [[1.0, 1.0], [2.0, 2.0], [3.0, float("inf")]])
    >>> [round(number, 6) for number in found]
    [0.08993]
    """

    bounds: ClassVar[tuple[float, float]] = (0.0, np.inf)
    better: ClassVar[Literal["higher", "lower"] | None] = "lower"

    times: Annotated[tuple[Annotated[float, Field(ge=0.0)], ...], Field(min_length=1)] = (1.0,)

    def check_rows(self, prediction: NDArray, target: NDArray, start: int) -> None:
        """Refuse intervals too."""
        super().check_rows(prediction, target, start)
        lower, upper = self.event_interval(target)
        between = (lower < upper) & (upper < np.inf)
        if between.any():
            row = int(np.argmax(between))
            raise DomainError(
                f"target[{row + start}]: the event was between {lower[row]:g} and {upper[row]:g}; "
                "survival_brier expects event times and right-censored rows."
            )

    def n_sums(self, columns: int) -> int:
        """For each time the squares, and the weight of the rows."""
        return 2 * len(self.times)

    def group_sums(self, prediction: NDArray, target: NDArray, weight: NDArray) -> Any:
        """Return them for the times up to the last one of the group."""
        time, upper = self.event_interval(target)
        event = upper < np.inf
        at = np.asarray(self.times)
        gone = self._event_probability(prediction, time, event, weight, at)
        in_view = _uncensored_probability(time, event, weight)
        had = event[:, np.newaxis] & (time[:, np.newaxis] <= at)
        waits = time[:, np.newaxis] > at
        before = in_view(time, before=True)[:, np.newaxis]
        squares = np.where(had, (1.0 - gone) ** 2 / before, 0.0)
        squares += np.where(waits, gone**2 / in_view(at, before=False), 0.0)
        known = at <= time.max()
        totals = np.where(known, weight @ squares, 0.0)
        return [*totals, *np.where(known, weight.sum(), 0.0)]

    def value(self, sums: NDArray, columns: int) -> NDArray:
        """Return the mean for each time."""
        found: NDArray = sums[:, : len(self.times)] / sums[:, len(self.times) :]
        return found

    def _event_probability(
        self, prediction: NDArray, time: NDArray, event: NDArray, weight: NDArray, times: NDArray
    ) -> NDArray:
        """Return the chance that each row had its event by each time, (n, times)."""
        if isinstance(self.of, DistributionLoss):
            return np.stack([self.of.probabilities(prediction, float(x)) for x in times], axis=-1)
        y = prediction.astype(np.float64)
        order = np.argsort(-time, kind="stable")
        sums = cumulative_logsumexp(np, (y + np.log(weight))[order])
        # Of each event the risk set at its time, which all rows of that time belong to.
        risk = sums[np.searchsorted(-time[order], -time[event], "right") - 1]
        hazards = weight[event] * np.exp(-(risk - y.max()))
        baseline = np.where(time[event, np.newaxis] <= times, hazards[:, np.newaxis], 0.0).sum(
            axis=0
        )
        gone: NDArray = -np.expm1(-np.exp(y - y.max())[:, np.newaxis] * baseline)
        return gone


def _uncensored_probability(
    time: NDArray, event: NDArray, weight: NDArray
) -> Callable[..., NDArray]:
    """Return Kaplan and Meier's estimate of the chance not to be censored up to some times."""
    times, place = np.unique(time, return_inverse=True)
    lost = np.bincount(place, weight * ~event, len(times))
    had = np.bincount(place, weight * event, len(times))
    at_risk = np.cumsum((lost + had)[::-1])[::-1]
    # Events come before those who are censored at the same time.
    kept = np.cumprod(1.0 - lost / np.where(lost > 0, at_risk - had, 1.0))
    steps = np.append(1.0, kept)

    def estimate(at: NDArray, *, before: bool) -> NDArray:
        found: NDArray = steps[np.searchsorted(times, at, "left" if before else "right")]
        return found

    return estimate


def _risk_scores(loss: Loss, prediction: NDArray) -> NDArray:
    """Return a number for each row that is larger the earlier its event is expected."""
    if not isinstance(loss, DistributionLoss):
        return prediction.astype(np.float64)
    if loss.prediction_space.axes and loss.prediction_space.size is None:
        return loss.probabilities(prediction, float(prediction.shape[-1]))
    return -loss.quantiles(prediction, [0.5])[..., 0]


def concordant_pairs(
    lower: NDArray, upper: NDArray, risk: NDArray, weight: NDArray
) -> tuple[float, float]:
    """Return the weight of the concordant pairs, and of the comparable ones."""
    if np.isnan(risk).any():
        return np.nan, np.nan
    # The latest rows first, and of those with one time the ones that were then without an event.
    is_open = upper > lower
    later = np.lexsort((~is_open, -lower))
    known = np.flatnonzero(upper < np.inf)
    times, waiting = np.sort(lower), np.sort(lower[is_open])
    # How many of `later` are comparable with each row, all at its beginning.
    count = len(lower) - np.searchsorted(times, upper[known], "right")
    count += np.searchsorted(waiting, upper[known], "right")
    count -= np.searchsorted(waiting, upper[known], "left")
    sums = np.append(0.0, np.cumsum(weight[later]))
    comparable = np.sum(weight[known] * sums[count])
    rank = np.unique(risk, return_inverse=True)[1]
    below = _weights_below(rank[later], weight[later], count, rank[known])
    return float(np.sum(weight[known] * below)), float(comparable)


def _weights_below(rank: NDArray, weight: NDArray, count: NDArray, limit: NDArray) -> NDArray:
    """Return the weight of the first `count` rows with a rank below `limit`, equal ones by half.

    A beginning of so many rows is made of blocks whose lengths are its binary digits.
    """
    found, most = np.zeros(len(count)), len(rank) + 1
    for digit in range(len(rank).bit_length()):
        block = np.arange(len(rank)) >> digit
        keys = block * most + rank
        order = np.argsort(keys, kind="stable")
        keys, sums = keys[order], np.append(0.0, np.cumsum(weight[order]))
        asking = np.flatnonzero(count >> digit & 1)
        # The block with this digit begins where the higher ones end.
        own = (count[asking] >> digit + 1) * 2
        start = sums[own << digit]
        key = own * most + limit[asking]
        less, not_more = (sums[np.searchsorted(keys, key, side)] for side in ("left", "right"))
        found[asking] += 0.5 * ((less - start) + (not_more - start))
    return found

"""Cox's likelihood from sums that run over sorted rows: n log n, for large strata.

Rows are sorted from the latest time to the earliest, so each risk set is a prefix. Rows are only
added to a sum of exponentials, because subtracting those that leave would lose digits, and sums
stay logarithms, because the largest score may leave early.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lossfw import Array, Namespace, NDArray
from lossfw.numerics import cumulative_logsumexp, device_of, has_values, segment_logsumexp

# Strata of more rows are sorted: there it takes less time than the pairs.
_LARGE = 128


class _RiskSets(NamedTuple):
    """The risk sets of a stratum, whose rows are sorted: latest first, events last of a time.

    Attributes
    ----------
    order, back : ndarray of int, shape (n,)
        The sorted rows, and the place of each row among them.
    at : ndarray of int, shape (events,)
        The places of the events.
    first : ndarray of int, shape (sets,)
        Of each set of tied events the first, by its number among the events.
    block : ndarray of int, shape (events,)
        The set of each event.
    left : ndarray of float64, shape (events,)
        The fraction of its own set that is still at risk.
    last : ndarray of int, shape (n,)
        The latest set of which a row is part of the risk set, and it is so of all earlier ones;
        as many as there are sets for none. An event has the number of its own set added to
        that of the sets, and 1.
    """

    order: NDArray
    back: NDArray
    at: NDArray
    first: NDArray
    block: NDArray
    left: NDArray
    last: NDArray

    @classmethod
    def from_times(cls, time: NDArray, event: NDArray, ties: str) -> _RiskSets:
        """Return the risk sets of one stratum."""
        order = np.lexsort((event, -time))
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        time = time[order]
        at = np.flatnonzero(event[order] > 0)
        times = time[at]
        first = np.flatnonzero(np.append(True, times[1:] != times[:-1])[: len(at)])
        size = np.diff(np.append(first, len(at)))
        block = np.repeat(np.arange(len(first)), size)
        place = np.arange(len(at)) - first[block]
        left = 1.0 - place / size[block] if ties == "efron" else np.ones(len(at))
        last = np.searchsorted(-times[first], -time, side="left")
        last[at] = len(first) + 1 + block
        return cls(order, back, at, first, block, left, last)


def is_faster(xp: Namespace, y: Array, time: Array, event: Array) -> bool:
    """Return whether strata are large, and arrays whose times can be sorted."""
    return y.shape[-1] > _LARGE and has_values(time, event)


def losses_or_derivatives(
    xp: Namespace, y: Array, time: Array, event: Array, ties: str, orders: tuple[int, ...]
) -> tuple[Array, ...]:
    """Return the losses (...), the derivatives (..., n) or the second ones, by order, of strata."""
    lead, n = tuple(y.shape[:-1]), y.shape[-1]
    times, events = (np.asarray(x).reshape(-1, n) for x in (time, event))
    each = [
        _compute_stratum(xp, row, _RiskSets.from_times(t, e, ties), orders)
        for row, t, e in zip(xp.reshape(y, (-1, n)), times, events, strict=True)
    ]
    shapes = [lead if order == 0 else (*lead, n) for order in orders]
    return tuple(
        xp.reshape(xp.stack(list(parts)), shape)
        for parts, shape in zip(zip(*each, strict=True), shapes, strict=True)
    )


def _compute_stratum(
    xp: Namespace, y: Array, sets: _RiskSets, orders: tuple[int, ...]
) -> list[Array]:
    if not sets.at.size:
        zero = xp.zeros_like(y)
        return [xp.sum(zero) if order == 0 else zero for order in orders]
    ranked = _take(xp, y, sets.order)
    # Scores of any size: their differences alone count.
    ranked = ranked - xp.max(ranked)
    own = _take(xp, ranked, sets.at)
    log_left = _as_floats_like(xp, y, np.log(sets.left))
    risk = _log_risk(xp, ranked, own, log_left, sets)
    found = []
    for order in orders:
        if order == 0:
            found.append(xp.sum(risk - own))
            continue
        share = xp.exp(ranked + _log_sum_of_sets(xp, -risk, log_left, sets))
        if order == 1:
            event = np.zeros(len(sets.order))
            event[sets.at] = 1.0
            part = share - _as_floats_like(xp, y, event)
        else:
            squares = _log_sum_of_sets(xp, -2.0 * risk, 2.0 * log_left, sets)
            part = share - xp.exp(2.0 * ranked + squares)
        found.append(_take(xp, part, sets.back))
    return found


def _log_risk(xp: Namespace, ranked: Array, own: Array, log_left: Array, sets: _RiskSets) -> Array:
    """Return the log of the sum over the risk set of each event."""
    sums = _append_empty(xp, cumulative_logsumexp(xp, ranked))
    # All but the tied events, which are the last of their time: place -1 is none.
    others = _take(xp, sums, sets.at[sets.first][sets.block] - 1)
    tied = _take(xp, segment_logsumexp(xp, own, sets.first), sets.block)
    return xp.logaddexp(others, log_left + tied)


def _log_sum_of_sets(xp: Namespace, each: Array, log_left: Array, sets: _RiskSets) -> Array:
    """Return for each row the log of the sum, over the events it was at risk at, of exp(each)."""
    of_sets = segment_logsumexp(xp, each, sets.first)
    earlier = _append_empty(xp, xp.flip(cumulative_logsumexp(xp, xp.flip(of_sets))))
    # An event has its share of its own set, and all of the earlier ones.
    own = segment_logsumexp(xp, each + log_left, sets.first)
    with_own = xp.logaddexp(earlier[1:], own)
    return _take(xp, xp.concat([earlier, with_own]), sets.last)


def _append_empty(xp: Namespace, sums: Array) -> Array:
    """Return log-sums and one more, the last, of no rows."""
    return xp.concat([sums, xp.full_like(sums[:1], -xp.inf)])


def _as_floats_like(xp: Namespace, y: Array, x: NDArray) -> Array:
    return x.astype(y.dtype) if xp is np else xp.asarray(x, dtype=y.dtype, device=device_of(y))


def _take(xp: Namespace, x: Array, places: NDArray) -> Array:
    if xp is np:
        return x[places]
    return xp.take(x, xp.asarray(places % x.shape[0], device=device_of(x)), axis=0)

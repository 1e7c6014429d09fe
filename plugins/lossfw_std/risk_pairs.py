"""Cox's likelihood from pairs of rows: all of them in arrays (..., n, n), for small strata."""

from __future__ import annotations

import math

import numpy as np

from lossfw import Array, Namespace
from lossfw.numerics import column_numbers, has_values, logsumexp, softmax
from lossfw_std.directions import combine_rows


def risk_weights(xp: Namespace, time: Array, event: Array, ties: str) -> Array:
    """Return the weight of row j in the risk set of row i, (..., i, j)."""
    time_i, time_j = time[..., :, None], time[..., None, :]
    zero = 0 * (time_i + time_j)
    at_risk = xp.where(time_j >= time_i, zero + 1, zero)
    if ties == "breslow":
        return at_risk
    tied = _are_tied(time, event)
    one = xp.where(tied, zero + 1, zero)
    earlier = np.tril(np.ones((time.shape[-1], time.shape[-1]), bool), -1)
    # Of d tied events the l-th has lost l / d of all of them.
    place = xp.sum(xp.where(xp.asarray(earlier), one, zero), axis=-1)
    count = xp.sum(one, axis=-1)
    gone = (place / xp.where(count > 0, count, count + 1))[..., :, None]
    return at_risk - xp.where(tied, gone + zero, zero)


def _are_tied(time: Array, event: Array) -> Array:
    """Return which pairs of rows had events at one time, (..., i, j)."""
    died = event > 0
    return (time[..., :, None] == time[..., None, :]) & died[..., :, None] & died[..., None, :]


def _log_hazard_ratios(xp: Namespace, y: Array, risk_weight: Array, ties: str) -> Array:
    """Return log(share) + y_j - y_i of all pairs, (..., i, j); -inf where j is not at risk."""
    at_risk = risk_weight > 0
    d = y[..., None, :] - y[..., :, None]
    if ties != "breslow":
        d = d + xp.log(xp.where(at_risk, risk_weight, xp.ones_like(risk_weight)))
    return xp.where(at_risk, d, xp.full_like(d, -math.inf))


def _hazard_fractions(xp: Namespace, y: Array, risk_weight: Array, ties: str) -> Array:
    """Return the fraction of the hazard that row j has in the risk set of row i, (..., i, j)."""
    z = y[..., None, :] + xp.zeros_like(risk_weight)
    p = softmax(xp, xp.where(risk_weight > 0, z, xp.full_like(z, -math.inf)))
    if ties != "breslow":
        p = p * risk_weight
        p = p / xp.sum(p, axis=-1, keepdims=True)
    return p


def losses_or_derivatives(
    xp: Namespace, y: Array, time: Array, event: Array, ties: str, orders: tuple[int, ...]
) -> tuple[Array, ...]:
    """Return the losses (...), first or second derivatives (..., n) of strata, by order."""
    died, share = event > 0, risk_weights(xp, time, event, ties)
    found = []
    for order in orders:
        if order == 0:
            each = logsumexp(xp, _log_hazard_ratios(xp, y, share, ties))
            found.append(xp.sum(xp.where(died, each, xp.zeros_like(each)), axis=-1))
            continue
        p = _hazard_fractions(xp, y, share, ties)
        p = xp.where(died[..., :, None], p, xp.zeros_like(p))
        if order == 1:
            found.append(_derivative(xp, y, p, _are_tied(time, event)))
        else:
            leads = column_numbers(xp, p) == xp.argmax(p, axis=-1, keepdims=True)
            rest = xp.sum(xp.where(leads, xp.zeros_like(p), p), axis=-1, keepdims=True)
            found.append(xp.sum(p * xp.where(leads, rest, 1.0 - p), axis=-2))
    return tuple(found)


def _derivative(xp: Namespace, y: Array, p: Array, tied: Array) -> Array:
    """Return the sum of the shares p_ej of a row over the events e, less 1 for its own.

    Each term keeps the digits that the sum has lost where a share is near 1, or where d tied events
    share the hazard: 1 is the mean over these events of the sum of all shares, those of the rows
    that are not tied, and those of the rows that are.
    """
    others = xp.where(tied, xp.zeros_like(p), p)
    found, rest = xp.sum(others, axis=-2), xp.sum(others, axis=-1)
    one = xp.astype(tied, p.dtype)
    count = xp.sum(one, axis=-1)
    if has_values(count) and not bool(xp.any(count > 1)):
        return found - rest
    count = xp.maximum(count, xp.ones_like(count))
    # The hazard of each row over the largest of those that are tied with it, less 1.
    largest = xp.max(xp.where(tied, y[..., None, :], y[..., :, None]), axis=-1)
    less = xp.expm1(y - largest)
    share = xp.max(one * xp.sum(one * p, axis=-2)[..., None, :], axis=-1)
    sums = combine_rows(xp, one, xp.stack([less, rest], axis=-1))
    return found + (share * (count * less - sums[..., 0]) - sums[..., 1]) / count

"""Cox's likelihood from pairs of rows: all of them in arrays (..., n, n), for small strata."""

from __future__ import annotations

import math

import numpy as np

from lossfw import Array, Namespace
from lossfw.numerics import columns, device_of, logsumexp, softmax


def shares(xp: Namespace, time: Array, event: Array, ties: str) -> Array:
    """Return how much row j counts in the risk set of row i, (..., i, j)."""
    time_i, time_j = time[..., :, None], time[..., None, :]
    zero = 0 * (time_i + time_j)
    at_risk = xp.where(time_j >= time_i, zero + 1, zero)
    if ties == "breslow":
        return at_risk
    tied = (time_i == time_j) & (event[..., :, None] > 0) & (event[..., None, :] > 0)
    one = xp.where(tied, zero + 1, zero)
    earlier = np.tril(np.ones((time.shape[-1], time.shape[-1]), bool), -1)
    # Of d tied events the l-th has lost l / d of all of them.
    place = xp.sum(xp.where(xp.asarray(earlier), one, zero), axis=-1)
    count = xp.sum(one, axis=-1)
    gone = (place / xp.where(count > 0, count, count + 1))[..., :, None]
    return at_risk - xp.where(tied, gone + zero, zero)


def _distances(xp: Namespace, y: Array, time: Array, event: Array, ties: str) -> Array:
    """Return log(share) + y_j - y_i of all pairs, (..., i, j); -inf where j is not at risk."""
    share = shares(xp, time, event, ties)
    at_risk = share > 0
    d = y[..., None, :] - y[..., :, None]
    if ties != "breslow":
        d = d + xp.log(xp.where(at_risk, share, xp.ones_like(share)))
    return xp.where(at_risk, d, xp.full_like(d, -math.inf))


def _chances(xp: Namespace, y: Array, time: Array, event: Array, ties: str) -> Array:
    """Return the share of the hazard that row j has in the risk set of row i, (..., i, j)."""
    share = shares(xp, time, event, ties)
    z = y[..., None, :] + xp.zeros_like(share)
    p = softmax(xp, xp.where(share > 0, z, xp.full_like(z, -math.inf)))
    if ties != "breslow":
        p = p * share
        p = p / xp.sum(p, axis=-1, keepdims=True)
    return p


def results(
    xp: Namespace, y: Array, time: Array, event: Array, ties: str, orders: tuple[int, ...]
) -> tuple[Array, ...]:
    """Return the losses (...), the slopes (..., n) or the second ones, by order, of strata."""
    died = event > 0
    found = []
    for order in orders:
        if order == 0:
            each = logsumexp(xp, _distances(xp, y, time, event, ties))
            found.append(xp.sum(xp.where(died, each, xp.zeros_like(each)), axis=-1))
            continue
        p = _chances(xp, y, time, event, ties)
        p = xp.where(died[..., :, None], p, xp.zeros_like(p))
        if order == 1:
            # An event's own share is near 1 where it leads: 1 less it is the sum of the others.
            own = xp.asarray(np.eye(y.shape[-1], dtype=bool), device=device_of(y))
            others = xp.where(own, xp.zeros_like(p), p)
            found.append(xp.sum(others, axis=-2) - xp.sum(others, axis=-1))
        else:
            leads = columns(xp, p) == xp.argmax(p, axis=-1, keepdims=True)
            rest = xp.sum(xp.where(leads, xp.zeros_like(p), p), axis=-1, keepdims=True)
            found.append(xp.sum(p * xp.where(leads, rest, 1.0 - p), axis=-2))
    return tuple(found)

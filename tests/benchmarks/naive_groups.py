"""Naive NumPy for losses of groups: stacks (g, n) of groups of one size; see `naive`."""

import numpy as np
from naive_activations import of_softmax

from lossfw.losses.engine.groups import STACK_ELEMENTS

# There are 5,000 queries of 20 rows each.
QUERIES, ROWS = 5_000, 20


def in_stacks(plain):
    """Return a function in stacks as large as lossfw's: else memory would be measured."""

    def function(y, t, part, derivative):
        step = STACK_ELEMENTS // y.shape[1] ** 2
        found = [
            plain(y[first : first + step], t[first : first + step], part, derivative)
            for first in range(0, len(y), step)
        ]
        values, derivatives = zip(*found, strict=True)
        return np.concatenate(values), derivative and np.concatenate(derivatives)

    return function


def pairs(x):
    return x[:, :, None], x[:, None, :]


def of_pairs(y, t, weight, derivative):
    """Return the logistic loss of weighted pairs."""
    si, sj = pairs(y)
    e = np.exp(sj - si)
    value = (weight * np.log1p(e)).sum(axis=(1, 2))
    p = derivative and weight * e / (1 + e)
    return value, derivative and p.sum(axis=1) - p.sum(axis=2)


def pairwise_logistic(y, t, loss, derivative):
    ti, tj = pairs(t)
    return of_pairs(y, t, (ti > tj).astype(y.dtype), derivative)


def pairwise_hinge(y, t, loss, derivative):
    (si, sj), (ti, tj) = pairs(y), pairs(t)
    cost = np.where(ti > tj, np.maximum(0, 1 - (si - sj)), 0)
    p = derivative and np.sign(cost)
    return cost.sum(axis=(1, 2)), derivative and p.sum(axis=1) - p.sum(axis=2)


def discounts(x):
    place = np.argsort(np.argsort(-x, axis=1, kind="stable"), axis=1)
    return (1 / np.log2(place + 2)).astype(x.dtype)


def lambda_ndcg(y, t, loss, derivative):
    (ti, tj), gain = pairs(t), 2**t - 1
    (gi, gj), (di, dj) = pairs(gain), pairs(discounts(y))
    ideal = np.maximum((gain * discounts(t)).sum(axis=1), 1)
    weight = (ti > tj) * np.abs(gi - gj) * np.abs(di - dj) / ideal[:, None, None]
    return of_pairs(y, t, weight, derivative)


def approx_ndcg(y, t, loss, derivative):
    si, sj = pairs(y)
    p = 1 / (1 + np.exp((si - sj) / loss.temperature))
    rank, gain = 0.5 + p.sum(axis=2), 2**t - 1
    ideal = np.maximum((gain * discounts(t)).sum(axis=1, keepdims=True), 1)
    value = -(gain / np.log2(1 + rank)).sum(axis=1) / ideal[:, 0]
    if not derivative:
        return value, False
    by_rank = gain / ideal * np.log(2) / ((1 + rank) * np.log(1 + rank) ** 2)
    own, other = pairs(by_rank)
    return value, (p * (1 - p) * (other - own)).sum(axis=2) / loss.temperature


def of_weights(y, w, derivative):
    """Return the cross-entropy of weights and the softmax of scores."""
    z = y - y.max(axis=1, keepdims=True)
    e = np.exp(z)
    total = e.sum(axis=1, keepdims=True)
    value = (w * (np.log(total) - z)).sum(axis=1)
    return value, derivative and e / total * w.sum(axis=1, keepdims=True) - w


def softmax_ranking(y, t, loss, derivative):
    return of_weights(y, t, derivative)


def listnet(y, t, loss, derivative):
    return of_weights(y, of_softmax(t), derivative)


def listmle(y, t, loss, derivative):
    order = np.argsort(-t, axis=1, kind="stable")
    s = np.take_along_axis(y, order, axis=1)
    e = np.exp(s)
    left = np.cumsum(e[:, ::-1], axis=1)[:, ::-1]
    value = (np.log(left) - s).sum(axis=1)
    if not derivative:
        return value, False
    sorted_derivative = e * np.cumsum(1 / left, axis=1) - 1
    result = np.empty_like(y)
    np.put_along_axis(result, order, sorted_derivative, axis=1)
    return value, result

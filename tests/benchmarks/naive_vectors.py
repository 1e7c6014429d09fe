"""Naive NumPy: losses of pairs, triplets and batches of vectors."""

import numpy as np
from naive_groups import pairs


def margin_ranking(y, t, loss, derivative):
    missing = loss.margin - t * (y[:, 0] - y[:, 1])
    if not derivative:
        return np.maximum(missing, 0), False
    rise = t * (missing > 0)
    return np.maximum(missing, 0), np.stack([-rise, rise], axis=1)


def triplet_margin(y, t, loss, derivative):
    near, far = (y[:, 0] - y[:, k] + loss.eps for k in (1, 2))
    a, b = (np.linalg.norm(x, axis=1) for x in (near, far))
    value = np.maximum(a - b + loss.margin, 0)
    if not derivative:
        return value, False
    near, far = ((value > 0)[:, None] * x / d[:, None] for x, d in ((near, a), (far, b)))
    return value, np.stack([near - far, -near, far], axis=1)


def cosine_embedding(y, t, loss, derivative):
    norm = np.linalg.norm(y, axis=2, keepdims=True)
    unit = y / norm
    cosine = (unit[:, 0] * unit[:, 1]).sum(axis=1)
    value = np.where(t > 0, 1 - cosine, np.maximum(cosine - loss.margin, 0))
    if not derivative:
        return value, False
    rise = np.where(t > 0, -t, cosine > loss.margin)[:, None, None]
    return value, rise * (unit[:, ::-1] - cosine[:, None, None] * unit) / norm


def info_nce(y, t, loss, derivative):
    query, key = y[:, :, 0], y[:, :, 1]
    z = query @ key.swapaxes(1, 2) / loss.temperature
    e, n = np.exp(z), y.shape[1]
    total = e.sum(axis=2)
    value = (np.log(total) - np.diagonal(z, axis1=1, axis2=2)).mean(axis=1)
    if not derivative:
        return value, False
    rise = (e / total[:, :, None] - np.eye(n, dtype=y.dtype)) / (n * loss.temperature)
    return value, np.stack([rise @ key, rise.swapaxes(1, 2) @ query], axis=2)


def classes(t):
    """Return the pairs of two rows of one class, and those of two classes, as 0 and 1."""
    ti, tj = pairs(t)
    same = (ti == tj).astype(t.dtype)
    return same - np.eye(t.shape[1], dtype=t.dtype), 1 - same


def unit_vectors(y):
    norm = np.linalg.norm(y, axis=2, keepdims=True)
    return y / norm, norm


def by_vectors(unit, norm, rise):
    """Return the derivative by vectors from that by the cosines of their pairs."""
    pull = (rise + rise.swapaxes(1, 2)) @ unit
    return (pull - (pull * unit).sum(axis=2, keepdims=True) * unit) / norm


def nt_xent(y, t, loss, derivative):
    (unit, norm), (same, other) = unit_vectors(y), classes(t)
    e = np.exp(unit @ unit.swapaxes(1, 2) / loss.temperature)
    rest = (other * e).sum(axis=2, keepdims=True)
    count = np.maximum(same.sum(axis=(1, 2)), 1)
    value = (same * np.log1p(rest / e)).sum(axis=(1, 2)) / count
    if not derivative:
        return value, False
    pull = same * rest / (e + rest)
    rise = other * e / rest * pull.sum(axis=2, keepdims=True) - pull
    return value, by_vectors(unit, norm, rise / (count[:, None, None] * loss.temperature))


def supervised_contrastive(y, t, loss, derivative):
    (unit, norm), (same, other) = unit_vectors(y), classes(t)
    z = unit @ unit.swapaxes(1, 2) / loss.temperature
    e, own = (same + other) * np.exp(z), same.sum(axis=2, keepdims=True)
    total = e.sum(axis=2, keepdims=True)
    weight = same / np.maximum(own, 1) / (own > 0).sum(axis=1, keepdims=True, dtype=y.dtype)
    value = (weight * (np.log(total) - z)).sum(axis=(1, 2))
    if not derivative:
        return value, False
    rise = weight.sum(axis=2, keepdims=True) * e / total - weight
    return value, by_vectors(unit, norm, rise / loss.temperature)

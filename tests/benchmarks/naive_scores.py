"""Naive NumPy, and SciPy's normal distribution: scores of distributions that were predicted."""

import math

import numpy as np
from naive_groups import pairs
from scipy.special import ndtr


def crps_normal(y, t, loss, derivative):
    s = np.exp(y[:, 1])
    z = (t - y[:, 0]) / s
    rise = 2 * ndtr(z) - 1
    density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    value = s * (z * rise + 2 * density - 1 / math.sqrt(math.pi))
    return value, derivative and np.stack([-rise, value - s * z * rise], axis=1)


def crps_logistic(y, t, loss, derivative):
    s = np.exp(y[:, 1])
    z = (t - y[:, 0]) / s
    value = s * (z + 2 * np.log1p(np.exp(-z)) - 1)
    if not derivative:
        return value, False
    rise = np.tanh(z / 2)
    return value, np.stack([-rise, value - s * z * rise], axis=1)


def crps_ensemble(y, t, loss, derivative):
    n = y.shape[1]
    count = n * (n - 1) if loss.fair else n * n
    r, (yi, yj) = y - t[:, None], pairs(y)
    value = np.abs(r).mean(axis=1) - np.abs(yi - yj).sum(axis=(1, 2)) / (2 * count)
    return value, derivative and np.sign(r) / n - np.sign(yi - yj).sum(axis=2) / count


def energy_score(y, t, loss, derivative):
    n = y.shape[1]
    r, d = y - t[:, None], y[:, :, None] - y[:, None, :]
    away, apart = np.linalg.norm(r, axis=2), np.linalg.norm(d, axis=3)
    value = away.mean(axis=1) - apart.sum(axis=(1, 2)) / (2 * n * n)
    if not derivative:
        return value, False
    # A vector less itself has no direction.
    directions = d / np.where(apart > 0, apart, 1)[..., None]
    return value, r / away[..., None] / n - directions.sum(axis=2) / (n * n)


def interval_score(y, t, loss, derivative):
    (low, high), k = y.T, 2 / loss.alpha
    value = high - low + k * np.maximum(low - t, 0) + k * np.maximum(t - high, 0)
    return value, derivative and np.stack(
        [np.where(low > t, k - 1, -1), np.where(t > high, 1 - k, 1)], axis=1
    )


def multi_quantile(y, t, loss, derivative):
    q, r = np.array(loss.levels, y.dtype), t[:, None] - y
    value = np.maximum(q * r, (q - 1) * r).mean(axis=1)
    return value, derivative and np.where(r > 0, -q, 1 - q) / len(q)

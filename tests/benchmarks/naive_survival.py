"""Naive NumPy, and SciPy's distributions: times until an event, and classes with an order."""

import math

import numpy as np
from naive_activations import of_sigmoid
from naive_groups import pairs
from scipy.special import ndtr


def normal_density(z):
    return np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)


def logistic_density(z):
    return of_sigmoid(z) * of_sigmoid(-z)


def extreme_density(z):
    # At infinity it would be infinity times 0.
    e = np.exp(np.minimum(z, 80))
    return e * np.exp(-e)


# F, f and the derivative of log f.
NORMAL = (ndtr, normal_density, lambda z: -z)
LOGISTIC = (of_sigmoid, logistic_density, lambda z: 1 - 2 * of_sigmoid(z))
EXTREME = (lambda z: 1 - np.exp(-np.exp(z)), extreme_density, lambda z: 1 - np.exp(z))

DISTRIBUTIONS = {"normal": NORMAL, "logistic": LOGISTIC, "extreme": EXTREME}
LINKS = {"probit": NORMAL, "logit": LOGISTIC, "cloglog": EXTREME}


def aft(y, t, loss, derivative):
    below, density, rise = DISTRIBUTIONS[loss.distribution]
    lower, upper = t.T
    a, b = (np.log(lower) - y) / loss.sigma, (np.log(upper) - y) / loss.sigma
    seen = lower == upper
    p = np.where(seen, density(a) / (loss.sigma * lower), below(b) - below(a))
    if not derivative:
        return -np.log(p), False
    between = (density(b) - density(a)) / p
    return -np.log(p), np.where(seen, rise(a), between) / loss.sigma


def cumulative_link(y, t, loss, derivative):
    below, density, _ = LINKS[loss.link]
    edges, k = np.array([-np.inf, *loss.cuts, np.inf], y.dtype), t.astype(int)
    a, b = edges[k] - y, edges[k + 1] - y
    p = below(b) - below(a)
    return -np.log(p), derivative and (density(b) - density(a)) / p


def discrete_hazard(y, t, loss, derivative):
    interval, event, k = t[:, :1], t[:, 1:], np.arange(y.shape[1])
    reached, own = k <= interval, event * (k == interval)
    value = (reached * np.log1p(np.exp(y)) - own * y).sum(axis=1)
    return value, derivative and reached * of_sigmoid(y) - own


def cox(y, t, loss, derivative):
    time, event = t[..., 0], t[..., 1]
    (ti, tj), (ei, ej) = pairs(time), pairs(event)
    share = (tj >= ti).astype(y.dtype)
    if loss.ties == "efron":
        tied = (ti == tj) * ei * ej
        before = np.tril(tied, -1).sum(axis=2, keepdims=True)
        share -= tied * before / np.maximum(tied.sum(axis=2, keepdims=True), 1)
    each = share * np.exp(y)[:, None, :]
    risk = each.sum(axis=2)
    value = (event * (np.log(risk) - y)).sum(axis=1)
    return value, derivative and (each * (event / risk)[:, :, None]).sum(axis=1) - event


def aft_nll(y, t, loss, derivative):
    time, event = t.T
    scale = np.exp(y[:, 1])
    z = (np.log(time) - y[:, 0]) / scale
    seen = z**2 / 2 + 0.5 * np.log(2 * np.pi) + y[:, 1] + np.log(time)
    gone = 1 - ndtr(z)
    value = np.where(event > 0, seen, -np.log(gone))
    if not derivative:
        return value, False
    g = np.where(event > 0, z, np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) / gone)
    return value, np.stack([-g / scale, event - z * g], axis=1)


# The targets of these losses, as ordinary data has them beside predictions y.


def times(rng, y, loss):
    """Return times of which half were seen, a quarter are censored and a quarter in intervals."""
    time = np.exp(y + rng.uniform(-2, 2, y.shape))
    kind = rng.uniform(size=y.shape)
    upper = np.where(kind < 0.75, np.inf, 1.5 * time)
    return np.stack([time, np.where(kind < 0.5, time, upper)], axis=-1)


def ordered_classes(rng, y, loss):
    noisy = y + rng.uniform(-1, 1, y.shape)
    return sum((noisy > cut) * 1.0 for cut in loss.cuts)


def intervals(rng, y, loss):
    last = rng.integers(0, y.shape[1], len(y))
    return np.stack([last, rng.integers(0, 2, len(y))], axis=-1)


def tied_times(rng, y, loss):
    """Return whole months, of which some are the same, and events in two of three rows."""
    event = rng.uniform(size=y.shape) < 2 / 3
    return np.stack([rng.integers(1, 60, y.shape), event], axis=-1)


def seen_or_not(rng, y, loss):
    """Return times near those that are expected, of which two of three were seen."""
    time = np.exp(y[:, 0] + 0.1 * rng.normal(size=len(y)))
    return np.stack([time, rng.uniform(size=len(y)) < 2 / 3], axis=-1)


TARGETS = {
    "aft_nll": seen_or_not,
    "censored_weibull_nll": seen_or_not,
    "aft": times,
    "cumulative_link": ordered_classes,
    "discrete_hazard": intervals,
    "cox": tied_times,
}

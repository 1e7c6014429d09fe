"""Naive NumPy, and SciPy's gamma functions: likelihoods of rows with several parameters."""

import math

import numpy as np
from scipy.special import digamma, gammaln

HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)


def lognormal_nll(y, t, loss, derivative):
    m, s = y.T
    z = (np.log(t) - m) / np.exp(s)
    value = np.log(t) + s + HALF_LOG_TWO_PI + z**2 / 2
    return value, derivative and np.stack([-z / np.exp(s), 1 - z**2], axis=1)


def weibull_nll(y, t, loss, derivative):
    s, k = np.exp(y).T
    w = (t / s) ** k
    value = w - (k - 1) * np.log(t / s) - np.log(k / s)
    return value, derivative and np.stack([-k * (w - 1), k * np.log(t / s) * (w - 1) - 1], axis=1)


def censored_weibull_nll(y, t, loss, derivative):
    s, k = np.exp(y).T
    time, event = t.T
    w = (time / s) ** k
    value = w - event * (np.log(w) + y[:, 1] - np.log(time))
    return value, derivative and np.stack(
        [-k * (w - event), np.log(w) * (w - event) - event], axis=1
    )


def gamma_nll(y, t, loss, derivative):
    m, k = np.exp(y).T
    value = gammaln(k) - k * np.log(k / m) - (k - 1) * np.log(t) + k * t / m
    if not derivative:
        return value, False
    by_shape = k * (digamma(k) - np.log(k / m) - 1 - np.log(t) + t / m)
    return value, np.stack([-k * (t / m - 1), by_shape], axis=1)


def zero_inflated_poisson_nll(y, t, loss, derivative):
    m, p = np.exp(y[:, 0]), 1 / (1 + np.exp(-y[:, 1]))
    zero = p + (1 - p) * np.exp(-m)
    count = m - t * y[:, 0] + gammaln(t + 1) - np.log(1 - p)
    value = np.where(t == 0, -np.log(zero), count)
    if not derivative:
        return value, False
    forced = p / zero
    by_mean = np.where(t == 0, m * (1 - forced), m - t)
    return value, np.stack([by_mean, np.where(t == 0, p - forced, p)], axis=1)


def negative_binomial_nll(y, t, loss, derivative):
    m, a = np.exp(y).T
    r = 1 / a
    gammas = gammaln(t + r) - gammaln(r) - gammaln(t + 1)
    value = -(gammas + r * np.log(1 / (1 + a * m)) + t * np.log(a * m / (1 + a * m)))
    if not derivative:
        return value, False
    by_mean = (m - t) / (1 + a * m)
    by_shape = r * (digamma(t + r) - digamma(r) - np.log(1 + a * m)) + by_mean
    return value, np.stack([by_mean, by_shape], axis=1)


def student_t_nll(y, t, loss, derivative):
    m, s, v = y[:, 0], np.exp(y[:, 1]), np.exp(y[:, 2])
    z = (t - m) / s
    value = (
        gammaln(v / 2) - gammaln((v + 1) / 2) + np.log(v * np.pi) / 2 + np.log(s)
        + (v + 1) / 2 * np.log(1 + z**2 / v)
    )  # fmt: skip
    if not derivative:
        return value, False
    g = (v + 1) / (v + z**2)
    by_freedom = v / 2 * (digamma(v / 2) - digamma((v + 1) / 2) + np.log(1 + z**2 / v)) + 0.5
    return value, np.stack([-g * z / s, 1 - g * z**2, by_freedom - g * z**2 / 2], axis=1)


def normal_mixture_nll(y, t, loss, derivative):
    a, m, s = y[:, 0], y[:, 1], np.exp(y[:, 2])
    e = np.exp(a)
    p = e / e.sum(axis=1, keepdims=True)
    z = (t[:, None] - m) / s
    density = p * np.exp(-(z**2) / 2) / s / math.sqrt(2 * math.pi)
    total = density.sum(axis=1, keepdims=True)
    value = -np.log(total[:, 0])
    if not derivative:
        return value, False
    r = density / total
    return value, np.stack([p - r, -r * z / s, r * (1 - z**2)], axis=1)

"""Naive NumPy: every built-in as one writes it down from a textbook, on whole arrays.

A function takes prediction, target, the component for its parameters, and whether a
derivative is wanted too. It returns the values, of elements or rows, and the derivative or False:
``derivative and ...`` computes it only where it is needed. The target of an activation is None.
None of them is careful: they cancel, overflow and round as the textbook does.
"""

import math

import numpy as np
from naive_activations import *  # noqa: F403  # one table for both
from naive_activations import of_sigmoid, of_softmax
from naive_columns import *  # noqa: F403
from naive_groups import *  # noqa: F403
from naive_scores import *  # noqa: F403
from naive_survival import *  # noqa: F403
from naive_vectors import *  # noqa: F403


def one_hot(t, y):
    return np.eye(y.shape[-1], dtype=y.dtype)[t] if t.ndim < y.ndim else t


def guards(loss, p):
    """Return p and the derivative's divisor with the default guard, (p + delta) / (1 + delta)."""
    return (p + loss.delta) / (1 + loss.delta), p + loss.delta


# Losses of the residual.


def squared_error(y, t, loss, derivative):
    r = y - t
    return r**2, derivative and 2 * r


def absolute_error(y, t, loss, derivative):
    r = y - t
    return np.abs(r), derivative and np.sign(r)


def absolute_percentage_error(y, t, loss, derivative):
    r = y - t
    return np.abs(r / t), derivative and np.sign(r) / np.abs(t)


def huber(y, t, loss, derivative):
    r, d = y - t, loss.delta
    a = np.abs(r)
    return np.where(a <= d, 0.5 * r**2, d * (a - 0.5 * d)), derivative and np.clip(r, -d, d)


def log_cosh(y, t, loss, derivative):
    r = y - t
    a = np.abs(r)
    return a + np.log1p(np.exp(-2 * a)) - math.log(2), derivative and np.tanh(r)


def pseudo_huber(y, t, loss, derivative):
    r, d = y - t, loss.delta
    root = np.sqrt(1 + (r / d) ** 2)
    return d**2 * (root - 1), derivative and r / root


def charbonnier(y, t, loss, derivative):
    r, c = y - t, loss.c
    root = np.sqrt(r**2 + c**2)
    return root - c, derivative and r / root


def cauchy(y, t, loss, derivative):
    r, c = y - t, loss.c
    u = (r / c) ** 2
    return 0.5 * c**2 * np.log1p(u), derivative and r / (1 + u)


def welsch(y, t, loss, derivative):
    r, c = y - t, loss.c
    e = np.exp(-((r / c) ** 2))
    return 0.5 * c**2 * (1 - e), derivative and r * e


def geman_mcclure(y, t, loss, derivative):
    r, c = y - t, loss.c
    square = r**2
    return square / (square + c**2), derivative and 2 * c**2 * r / (square + c**2) ** 2


def fair(y, t, loss, derivative):
    r, c = y - t, loss.c
    x = np.abs(r) / c
    return c**2 * (x - np.log1p(x)), derivative and r / (1 + x)


def tukey(y, t, loss, derivative):
    r, c = y - t, loss.c
    u = np.minimum((r / c) ** 2, 1)
    return c**2 / 6 * (1 - (1 - u) * (1 - u) * (1 - u)), derivative and r * (1 - u) ** 2


def quantile(y, t, loss, derivative):
    r, q = y - t, loss.q
    return np.where(r < 0, -q * r, (1 - q) * r), derivative and np.where(r < 0, -q, 1 - q)


def expectile(y, t, loss, derivative):
    r, q = y - t, loss.q
    w = np.where(r < 0, q, 1 - q)
    return w * r**2, derivative and 2 * w * r


def epsilon_insensitive(y, t, loss, derivative):
    r, epsilon = y - t, loss.epsilon
    over = np.abs(r) - epsilon
    return np.maximum(over, 0), derivative and np.where(over > 0, np.sign(r), 0)


def gaussian_nll(y, t, loss, derivative):
    r, v = y - t, loss.variance
    return 0.5 * (math.log(2 * math.pi * v) + r**2 / v), derivative and r / v


# Losses of the margin.


def hinge(y, t, loss, derivative):
    m = t * y
    return np.maximum(loss.margin - m, 0), derivative and np.where(m < loss.margin, -t, 0)


def squared_hinge(y, t, loss, derivative):
    short = np.maximum(loss.margin - t * y, 0)
    return short**2, derivative and -2 * t * short


def smoothed_hinge(y, t, loss, derivative):
    short, g = np.maximum(1 - t * y, 0), loss.gamma
    value = np.where(short <= g, short**2 / (2 * g), short - g / 2)
    return value, derivative and -t * np.minimum(short / g, 1)


def modified_huber(y, t, loss, derivative):
    m = t * y
    short = np.maximum(1 - m, 0)
    return np.where(m >= -1, short**2, -4 * m), derivative and -2 * t * np.minimum(short, 2)


def perceptron(y, t, loss, derivative):
    m = t * y
    return np.maximum(-m, 0), derivative and np.where(m < 0, -t, 0)


def ramp(y, t, loss, derivative):
    m = t * y
    return np.clip(1 - m, 0, 1), derivative and np.where((m > 0) & (m < 1), -t, 0)


def logistic(y, t, loss, derivative):
    m = t * y
    return np.log1p(np.exp(-m)), derivative and -t / (1 + np.exp(m))


def exponential(y, t, loss, derivative):
    e = np.exp(-t * y)
    return e, derivative and -t * e


def savage(y, t, loss, derivative):
    p = 1 / (1 + np.exp(2 * t * y))
    return p**2, derivative and -4 * t * p**2 * (1 - p)


def dwd(y, t, loss, derivative):
    m, q = t * y, loss.q
    near = m <= q / (q + 1)
    x = np.where(near, 1, m)
    tail = q**q / (q + 1) ** (q + 1) / x**q
    return np.where(near, 1 - m, tail), derivative and -t * np.where(near, 1, q * tail / x)


def zero_one(y, t, loss, derivative):
    return np.where(t * y > 0, 0, 1), derivative and np.zeros_like(y)


# Losses of prediction and target.


def binary_cross_entropy(y, t, loss, derivative):
    if loss.from_logits:
        value = np.maximum(y, 0) - y * t + np.log1p(np.exp(-np.abs(y)))
        return value, derivative and of_sigmoid(y) - t
    (p, own), (q, other) = guards(loss, y), guards(loss, 1 - y)
    value = -t * np.log(p) - (1 - t) * np.log(q)
    return value, derivative and (1 - t) / other - t / own


def focal(y, t, loss, derivative):
    p = of_sigmoid(y) if loss.from_logits else y
    g = loss.gamma
    c = np.where(t > 0.5, p, 1 - p)
    log, rest = np.log(c), 1 - c
    if not derivative:
        return -(rest**g) * log, False
    rise = g * rest ** (g - 1) * log - rest**g / c
    chain = p * (1 - p) if loss.from_logits else 1
    return -(rest**g) * log, np.where(t > 0.5, rise, -rise) * chain


def poisson_deviance(y, t, loss, derivative):
    mean = np.exp(y) if loss.link == "log" else y
    value = 2 * (np.where(t > 0, t * np.log(np.maximum(t, 1e-30) / mean), 0) - t + mean)
    return value, derivative and (2 * (mean - t) if loss.link == "log" else 2 * (1 - t / mean))


def poisson_nll(y, t, loss, derivative):
    mean, log = (np.exp(y), y) if loss.link == "log" else (y, np.log(y))
    value = mean - t * log
    if loss.full:
        # Stirling's formula, as PyTorch has it.
        some = np.maximum(t, 1)
        value = value + np.where(t > 1, t * np.log(some) - t + 0.5 * np.log(2 * np.pi * some), 0)
    return value, derivative and (mean - t if loss.link == "log" else 1 - t / mean)


def hinge_embedding(y, t, loss, derivative):
    gap = loss.margin - y
    return np.where(t > 0, y, np.maximum(gap, 0)), derivative and np.where(
        t > 0, 1.0, -1.0 * (gap > 0)
    )


def gamma_deviance(y, t, loss, derivative):
    mean = np.exp(y) if loss.link == "log" else y
    share = t / mean
    value = 2 * (share - 1 - np.log(share))
    return value, derivative and (2 * (1 - share) if loss.link == "log" else 2 * (1 - share) / mean)


def tweedie_deviance(y, t, loss, derivative):
    mean = np.exp(y) if loss.link == "log" else y
    a, b = 1 - loss.power, 2 - loss.power
    low, high = mean**a, mean**b
    value = 2 * (t**b / (a * b) - t * low / a + high / b)
    if not derivative:
        return value, False
    return value, 2 * (high - t * low) if loss.link == "log" else 2 * (low - t * low / mean)


def squared_log_error(y, t, loss, derivative):
    d = np.log1p(y) - np.log1p(t)
    return d**2, derivative and 2 * d / (1 + y)


# Losses of rows.


def heteroscedastic_gaussian_nll(y, t, loss, derivative):
    r, e = y[:, 0] - t, np.exp(-y[:, 1])
    square = r**2 * e
    value = 0.5 * (math.log(2 * math.pi) + y[:, 1] + square)
    return value, derivative and np.stack([r * e, 0.5 * (1 - square)], axis=1)


def cross_entropy(y, t, loss, derivative):
    rows = np.arange(len(y))
    if not loss.from_logits:
        p, own = guards(loss, y[rows, t])
        s = derivative and np.zeros_like(y)
        if derivative:
            s[rows, t] = -1 / own
        return -np.log(p), s
    z = y - y.max(axis=1, keepdims=True)
    e = np.exp(z)
    total = e.sum(axis=1, keepdims=True)
    s = derivative and e / total
    if derivative:
        s[rows, t] -= 1
    return np.log(total[:, 0]) - z[rows, t], s


def poly_cross_entropy(y, t, loss, derivative):
    rows, epsilon = np.arange(len(y)), loss.epsilon
    if loss.from_logits:
        value, s = cross_entropy(y, t, loss, derivative)
        p = np.exp(-value)
        return value + epsilon * (1 - p), derivative and (1 + epsilon * p)[:, None] * s
    p = y[rows, t]
    s = derivative and np.zeros_like(y)
    if derivative:
        s[rows, t] = -1 / p - epsilon
    return -np.log(p) + epsilon * (1 - p), s


def generalised_cross_entropy(y, t, loss, derivative):
    rows = np.arange(len(y))
    p, q = y[rows, t], loss.q
    s = derivative and np.zeros_like(y)
    if derivative:
        s[rows, t] = -(p ** (q - 1))
    return (1 - p**q) / q, s


def categorical_focal(y, t, loss, derivative):
    p = of_softmax(y) if loss.from_logits else y
    rows, g = np.arange(len(y)), loss.gamma
    c = p[rows, t]
    log, rest = np.log(c), 1 - c
    if not derivative:
        return -(rest**g) * log, False
    rise = g * rest ** (g - 1) * log - rest**g / c
    if loss.from_logits:
        s = -p * (c * rise)[:, None]
        s[rows, t] += c * rise
    else:
        s = np.zeros_like(y)
        s[rows, t] = rise
    return -(rest**g) * log, s


def brier(y, t, loss, derivative):
    r = y - one_hot(t, y)
    return (r**2).sum(axis=1), derivative and 2 * r


def kl_divergence(y, t, loss, derivative):
    (p, own), (q, _) = guards(loss, y), guards(loss, t)
    return (t * np.log(q / p)).sum(axis=1), derivative and -t / own


def js_divergence(y, t, loss, derivative):
    (p, _), (q, _) = guards(loss, y), guards(loss, t)
    m = 0.5 * (p + q)
    log = np.log(p / m)
    return 0.5 * (t * np.log(q / m) + y * log).sum(axis=1), derivative and 0.5 * log


def multiclass_hinge(y, t, loss, derivative):
    rows = np.arange(len(y))
    gaps = 1 + y - y[rows, t][:, None]
    gaps[rows, t] = 0
    worst = gaps.argmax(axis=1)
    value = np.maximum(gaps[rows, worst], 0)
    s = derivative and np.zeros_like(y)
    if derivative:
        s[rows, worst] += value > 0
        s[rows, t] -= value > 0
    return value, s


def cosine_distance(y, t, loss, derivative):
    a, b = np.linalg.norm(y, axis=1), np.linalg.norm(t, axis=1)
    c = (y * t).sum(axis=1) / (a * b)
    return 1 - c, derivative and c[:, None] * y / a[:, None] ** 2 - t / (a * b)[:, None]


def tversky(y, t, loss, derivative):
    a, b = getattr(loss, "alpha", 0.5), getattr(loss, "beta", 0.5)
    if loss.name == "jaccard":
        a = b = 1.0
    hits = (y * t).sum(axis=1)
    whole = hits + a * (y * (1 - t)).sum(axis=1) + b * ((1 - y) * t).sum(axis=1)
    share = hits / whole
    if not derivative:
        return 1 - share, False
    rise = t + a * (1 - t) - b * t
    return 1 - share, (share[:, None] * rise - t) / whole[:, None]


dice = jaccard = tversky

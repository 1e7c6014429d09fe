"""Naive NumPy for the activations, as `naive` has it for the losses."""

import math

import numpy as np


def of_softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def of_sigmoid(z):
    return 1 / (1 + np.exp(-z))


def identity(x, _, part, derivative):
    return x.copy(), derivative and np.ones_like(x)


def relu(x, _, part, derivative):
    return np.maximum(x, 0), derivative and np.where(x > 0, 1, 0).astype(x.dtype)


def leaky_relu(x, _, part, derivative):
    k = part.negative_slope
    return np.where(x > 0, x, k * x), derivative and np.where(x > 0, 1, k)


def elu(x, _, part, derivative):
    e = part.alpha * (np.exp(np.minimum(x, 0)) - 1)
    return np.where(x > 0, x, e), derivative and np.where(x > 0, 1, e + part.alpha)


def celu(x, _, part, derivative):
    e = np.exp(np.minimum(x, 0) / part.alpha)
    return np.where(x > 0, x, part.alpha * (e - 1)), derivative and np.where(x > 0, 1, e)


def selu(x, _, part, derivative):
    scale, alpha = 1.0507009873554805, 1.6732632423543772
    e = alpha * np.exp(np.minimum(x, 0))
    return scale * np.where(x > 0, x, e - alpha), derivative and scale * np.where(x > 0, 1, e)


def gelu(x, _, part, derivative):
    """The approximation by tanh: NumPy has no error function."""
    k = math.sqrt(2 / math.pi)
    th = np.tanh(k * (x + 0.044715 * x * x * x))
    rise = derivative and k * (1 + 0.134145 * x * x)
    return 0.5 * x * (1 + th), derivative and 0.5 * (1 + th) + 0.5 * x * (1 - th * th) * rise


def mish(x, _, part, derivative):
    th = np.tanh(np.log1p(np.exp(x)))
    return x * th, derivative and th + x * (1 - th * th) * of_sigmoid(x)


def exp(x, _, part, derivative):
    e = np.exp(x)
    return e, derivative and e


def sigmoid(x, _, part, derivative):
    s = of_sigmoid(x)
    return s, derivative and s * (1 - s)


def silu(x, _, part, derivative):
    s = of_sigmoid(x)
    return x * s, derivative and s * (1 + x * (1 - s))


def softplus(x, _, part, derivative):
    b = part.beta
    return np.log1p(np.exp(b * x)) / b, derivative and of_sigmoid(b * x)


def softsign(x, _, part, derivative):
    d = 1 + np.abs(x)
    return x / d, derivative and 1 / d**2


def tanh(x, _, part, derivative):
    th = np.tanh(x)
    return th, derivative and 1 - th * th


def step(x, _, part, derivative):
    return np.where(x > 0, 1, 0).astype(x.dtype), derivative and np.zeros_like(x)


def hard_sigmoid(x, _, part, derivative):
    return np.clip(x / 6 + 0.5, 0, 1), derivative and np.where(np.abs(x) < 3, 1 / 6, 0)


def hard_swish(x, _, part, derivative):
    h = np.clip(x / 6 + 0.5, 0, 1)
    return x * h, derivative and np.where(np.abs(x) < 3, x / 3 + 0.5, h)


def softmax(x, _, part, derivative):
    return of_softmax(x), False


def log_softmax(x, _, part, derivative):
    z = x - x.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True)), False


def sparsemax(x, _, part, derivative):
    z = -np.sort(-x, axis=1)
    sums = z.cumsum(axis=1) - 1
    support = (z * np.arange(1, x.shape[1] + 1) > sums).sum(axis=1)
    limit = sums[np.arange(len(x)), support - 1] / support
    return np.maximum(x - limit[:, None], 0).astype(x.dtype), False

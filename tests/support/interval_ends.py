"""Ends of intervals, read from a result and computed from a textbook."""

import math

import numpy as np
from scipy.stats import norm


def each_pair(interval, value):
    """Return the ends as two arrays, NaN where there is no interval, and the values."""
    value = np.asarray(value)
    ends = np.full((2, value.size), math.nan)
    flat = [interval]
    for _ in range(value.ndim):
        flat = [item for part in flat for item in part]
    for number, pair in enumerate(flat):
        if pair is not None:
            ends[:, number] = pair
    return ends, value.ravel()


def shares_of(draws, left, value, level):
    """Return where BCa cuts, by equations 14.9 to 14.15 of Efron and Tibshirani."""
    tied = np.isclose(draws, value, rtol=0, atol=1e-9 * np.ptp(draws))
    below = ((draws[~tied] < value).sum() + tied.sum() / 2) / len(draws)
    bias = norm.ppf(np.clip(below, 0.5 / len(draws), 1 - 0.5 / len(draws)))
    difference = left.mean() - left
    cube, square = (difference**3).sum(), (difference**2).sum() ** 1.5
    growth = cube / (6 * square) if square > 0 else 0.0
    z = norm.ppf([(1 - level) / 2, (1 + level) / 2])
    return norm.cdf(bias + (bias + z) / (1 - growth * (bias + z)))

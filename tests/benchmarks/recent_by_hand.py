"""The losses of `docs/examples/lossfw-recent` as their users write them without lossfw.

`FORMULAS` has the losses of PyTorch and JAX, which differentiate them; a function gets the library
as a `Library`. `BY_HAND` has NumPy's, with the derivative by hand: ``(losses, slopes)``.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import erf, expit, log_softmax, logsumexp, softmax

ROOT_TWO, PI = math.sqrt(2.0), math.pi


@dataclass(frozen=True)
class Library:
    """The functions of a library, and those that its users take from its modules."""

    xp: Any
    softplus: Any
    sigmoid: Any
    log_softmax: Any
    erf: Any
    largest: Any
    one_hot: Any


def torch_library():
    """Return PyTorch's."""
    import torch
    from torch.nn import functional

    return Library(
        torch,
        functional.softplus,
        torch.sigmoid,
        lambda z: functional.log_softmax(z, -1),
        torch.erf,
        lambda z: torch.amax(z, -1, keepdim=True),
        lambda k, z: functional.one_hot(k, z.shape[-1]).to(z.dtype),
    )


def jax_library():
    """Return JAX's."""
    import jax

    return Library(
        jax.numpy,
        jax.nn.softplus,
        jax.nn.sigmoid,
        jax.nn.log_softmax,
        jax.scipy.special.erf,
        lambda z: z.max(-1, keepdims=True),
        lambda k, z: jax.nn.one_hot(k, z.shape[-1], dtype=z.dtype),
    )


def arctan_pinball(lib, y, t):
    r = y - t
    return (lib.xp.arctan(r / 0.1) / PI) * r + 0.1 / PI


def convolved_quantile(lib, y, t):
    u = (y - t) / 0.5
    return 0.25 * (math.sqrt(2 / PI) * lib.xp.exp(-u * u / 2) + u * lib.erf(u / ROOT_TWO))


def saturating(lib, u):
    u = u * (u > 0)
    return 1 - (u + 1) * lib.xp.exp(-u)


def hawk_eye(lib, y, t):
    return saturating(lib, lib.xp.abs(y - t) - 0.1)


def roboss(lib, y, t):
    return saturating(lib, 1 - t * y)


def wave(lib, y, t):
    u = 1 - t * y
    return 1 - 1 / (1 + u * u * lib.xp.exp(u))


def sigmoid_pair(lib, y, t):
    return lib.softplus(-t * (10 * y - 10))


def robust_preference(lib, y, t):
    m = 0.1 * t * y
    return (0.9 * lib.softplus(-m) - 0.1 * lib.softplus(m)) / 0.8


def hill(lib, z, t):
    p, missed = lib.sigmoid(z), lib.sigmoid(1 - z)
    return lib.xp.where(t > 0, missed**2 * lib.softplus(1 - z), (1.5 - p) * p**2)


def gumbel_cross_entropy(lib, z, t):
    u = lib.xp.exp(-z)
    return lib.xp.where(t > 0, u, -lib.xp.log(-lib.xp.expm1(-u)))


def robust_focal(lib, z, t):
    m = t * z
    return lib.sigmoid(-m) * -lib.xp.expm1(-0.5 * lib.softplus(-m)) / 0.5


def squentropy(lib, z, k):
    one = lib.one_hot(k, z)
    squares = ((1 - one) * z**2).sum(-1) / (z.shape[-1] - 1)
    return squares - (one * lib.log_softmax(z)).sum(-1)


def dual_focal(lib, z, k):
    log = lib.log_softmax(z)
    own = (lib.one_hot(k, z) * log).sum(-1)
    p = lib.xp.exp(log)
    below = lib.largest(lib.xp.where(log < own[:, None], p, 0 * p))[:, 0]
    return -((1 - lib.xp.exp(own) + below) ** 5) * own


def margin_smoothing(lib, z, k):
    gap = lib.largest(z) - z - 10.0
    return 0.1 * (gap * (gap > 0)).sum(-1) - (lib.one_hot(k, z) * lib.log_softmax(z)).sum(-1)


def class_distance(lib, z, k):
    number = lib.xp.arange(z.shape[-1])
    distance = lib.xp.abs(number - k[:, None]) ** 5
    return -(distance * lib.xp.log(1 - lib.xp.exp(lib.log_softmax(z)))).sum(-1)


def active_negative(lib, z, k):
    log, one = lib.log_softmax(z), lib.one_hot(k, z)
    rest = log - math.log(1e-7)
    rest = rest * (rest > 0)
    active = (one * log).sum(-1) / log.sum(-1)
    return 5 * active + 5 * (1 - (one * rest).sum(-1) / rest.sum(-1))


def zlpr(lib, z, t):
    xp = lib.xp
    return xp.log1p((t * xp.exp(-z)).sum(-1)) + xp.log1p(((1 - t) * xp.exp(z)).sum(-1))


def dice_semimetric(lib, y, t):
    return lib.xp.abs(y - t).sum(-1) / (y + t).sum(-1)


def hl_gauss(lib, z, t):
    classes = z.shape[-1]
    ends = (lib.xp.arange(classes + 1) / classes - t[:, None]) / (0.075 * ROOT_TWO)
    below = lib.erf(ends)
    share = below[:, 1:] - below[:, :-1]
    share = share / share.sum(-1)[:, None]
    return -(share * lib.log_softmax(z)).sum(-1)


def censored_likelihood(lib, z, t):
    return -lib.xp.log((t * lib.xp.exp(lib.log_softmax(z))).sum(-1))


def mpd_iou(lib, y, t):
    xp = lib.xp
    side = xp.minimum(y, t)[:, 2:] - xp.maximum(y, t)[:, :2]
    side = side * (side > 0)
    both = side[:, 0] * side[:, 1]
    areas = [(x[:, 2] - x[:, 0]) * (x[:, 3] - x[:, 1]) for x in (y, t)]
    return 1 - both / (areas[0] + areas[1] - both) + ((y - t) ** 2).sum(-1) / 2


# With the derivative by hand, of NumPy arrays.


def arctan_pinball_by_hand(y, t):
    r = y - t
    u = r / 0.1
    angle = np.arctan(u) / PI
    return angle * r + 0.1 / PI, angle + u / (PI * (1 + u * u))


def convolved_quantile_by_hand(y, t):
    u = (y - t) / 0.5
    middle = erf(u / ROOT_TWO)
    return 0.25 * (math.sqrt(2 / PI) * np.exp(-u * u / 2) + u * middle), 0.5 * middle


def saturating_by_hand(u):
    u = np.maximum(u, 0)
    e = np.exp(-u)
    return 1 - (u + 1) * e, u * e


def hawk_eye_by_hand(y, t):
    r = y - t
    value, slope = saturating_by_hand(np.abs(r) - 0.1)
    return value, np.sign(r) * slope


def roboss_by_hand(y, t):
    value, slope = saturating_by_hand(1 - t * y)
    return value, -t * slope


def wave_by_hand(y, t):
    u = 1 - t * y
    e = np.exp(u)
    below = 1 + u * u * e
    return 1 - 1 / below, -t * u * (2 + u) * e / below**2


def sigmoid_pair_by_hand(y, t):
    m = t * (10 * y - 10)
    return np.logaddexp(0, -m), -10 * t * expit(-m)


def robust_preference_by_hand(y, t):
    m = 0.1 * t * y
    missed, value = expit(-m), np.logaddexp(0, -m)
    return (0.9 * value - 0.1 * (value + m)) / 0.8, -0.125 * t * (0.9 * missed + 0.1 * (1 - missed))


def hill_by_hand(z, t):
    p, missed, log = expit(z), expit(1 - z), np.logaddexp(0, 1 - z)
    value = np.where(t > 0, missed**2 * log, (1.5 - p) * p**2)
    label = -(missed**2) * (2 * (1 - missed) * log + missed)
    return value, np.where(t > 0, label, (3 - 3 * p) * p**2 * (1 - p))


def gumbel_cross_entropy_by_hand(z, t):
    u = np.exp(-z)
    rest = -np.expm1(-u)
    return np.where(t > 0, u, -np.log(rest)), np.where(t > 0, -u, u * (1 - rest) / rest)


def robust_focal_by_hand(z, t):
    m = t * z
    miss, power = expit(-m), np.expm1(-0.5 * np.logaddexp(0, -m))
    return -2 * miss * power, t * (2 * miss * (1 - miss) * power - miss * miss * (1 + power))


def squentropy_by_hand(z, k):
    own = np.arange(len(z)), k
    others = z / (z.shape[-1] - 1)
    others[own] = 0
    log = log_softmax(z, -1)
    slope = np.exp(log) + 2 * others
    slope[own] -= 1
    return (others * z).sum(-1) - log[own], slope


def dual_focal_by_hand(z, k):
    own, rows = (np.arange(len(z)), k), np.arange(len(z))
    log = log_softmax(z, -1)
    p = np.exp(log)
    mine = p[own][:, None]
    masked = np.where(p < mine, p, 0)
    j = masked.argmax(-1)
    below = masked[rows, j][:, None]
    gap, logs = 1 - mine + below, log[own][:, None]
    value = -(gap**5) * logs
    by_gap = -5 * gap**4 * logs
    # Derivatives of p_k, p_j and log p_k by a logit.
    slope = (by_gap * (mine - below) + gap**5) * p
    slope[own] -= (by_gap * mine + gap**5)[:, 0]
    slope[rows, j] += (by_gap * below)[:, 0]
    return value[:, 0], slope


def margin_smoothing_by_hand(z, k):
    rows = np.arange(len(z))
    log, j = log_softmax(z, -1), z.argmax(-1)
    gap = z[rows, j][:, None] - z - 10.0
    far = gap > 0
    slope = np.exp(log) - 0.1 * far
    slope[rows, k] -= 1
    slope[rows, j] += 0.1 * far.sum(-1)
    return 0.1 * np.where(far, gap, 0).sum(-1) - log[rows, k], slope


def class_distance_by_hand(z, k):
    distance = np.abs(np.arange(z.shape[-1]) - k[:, None]) ** 5
    p = softmax(z, -1)
    odds = distance * p / (1 - p)
    return -(distance * np.log1p(-p)).sum(-1), odds - p * odds.sum(-1, keepdims=True)


def active_negative_by_hand(z, k):
    own = np.arange(len(z)), k
    log = log_softmax(z, -1)
    kept = log > math.log(1e-7)
    rest = np.where(kept, log - math.log(1e-7), 0)
    total, rests = log.sum(-1), rest.sum(-1)
    slope = (-5 * log[own] / total**2)[:, None] + 5 * kept * (rest[own] / rests**2)[:, None]
    slope[own] += 5 / total - 5 * kept[own] / rests
    value = 5 * log[own] / total + 5 * (1 - rest[own] / rests)
    return value, slope - np.exp(log) * slope.sum(-1, keepdims=True)


def zlpr_by_hand(z, t):
    e = np.exp(np.where(t > 0, -z, z))
    labels, others = (t * e).sum(-1), ((1 - t) * e).sum(-1)
    below = np.where(t > 0, -1 - labels[:, None], 1 + others[:, None])
    return np.log1p(labels) + np.log1p(others), e / below


def dice_semimetric_by_hand(y, t):
    distance, total = np.abs(y - t).sum(-1), (y + t).sum(-1)
    value = distance / total
    return value, (np.sign(y - t) - value[:, None]) / total[:, None]


def hl_gauss_by_hand(z, t):
    classes = z.shape[-1]
    below = erf((np.arange(classes + 1) / classes - t[:, None]) / (0.075 * ROOT_TWO))
    share = below[:, 1:] - below[:, :-1]
    share /= share.sum(-1, keepdims=True)
    log = log_softmax(z, -1)
    return -(share * log).sum(-1), np.exp(log) - share


def censored_likelihood_by_hand(z, t):
    log = log_softmax(z, -1)
    possible = logsumexp(np.where(t > 0, log, -np.inf), -1)
    p = np.exp(log)
    return -possible, p - t * p / np.exp(possible)[:, None]


def mpd_iou_by_hand(y, t):
    low, high = np.maximum(y, t)[:, :2], np.minimum(y, t)[:, 2:]
    side = np.maximum(high - low, 0)
    own, other = (x[:, 2:] - x[:, :2] for x in (y, t))
    both, area = side[:, 0] * side[:, 1], own[:, 0] * own[:, 1]
    union = area + other[:, 0] * other[:, 1] - both
    iou = both / union
    by_both, by_area = -(1 + iou) / union, iou / union
    slope = y - t
    for i in (0, 1):
        by_side = by_both * side[:, 1 - i] * (side[:, i] > 0)
        by_own = by_area * own[:, 1 - i]
        slope[:, i] -= by_side * (y[:, i] > t[:, i]) + by_own
        slope[:, 2 + i] += by_side * (y[:, 2 + i] < t[:, 2 + i]) + by_own
    return 1 - iou + ((y - t) ** 2).sum(-1) / 2, slope


NAMES = [
    name.removesuffix("_by_hand")
    for name in globals()
    if name.endswith("_by_hand") and name != "saturating_by_hand"
]
FORMULAS = {name: globals()[name] for name in NAMES}
BY_HAND = {name: globals()[f"{name}_by_hand"] for name in NAMES}

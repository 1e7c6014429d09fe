"""The elementwise losses once more, in plain mpmath: value, first and second derivative.

Written from the papers and not from the code, and differentiated by hand. A
test compares these derivatives with differences of these values, so that an
error here is found too.
"""

import mpmath as mp
import numpy as np

# Of exp(-1e5) no digit counts in any float format; larger exponents are slow.
FAR = mp.mpf(10) ** 5

# 1 - exp(-u) and log(1 + x) - x need digits beyond those that cancel.
mp.mp.dps = 100


def absolute_error(r):
    return abs(r), mp.sign(r), mp.mpf(0)


def huber(r, delta):
    if abs(r) <= delta:
        return r * r / 2, r, mp.mpf(1)
    return delta * (abs(r) - delta / 2), delta * mp.sign(r), mp.mpf(0)


def log_cosh(r):
    a = abs(r)
    if a > FAR:
        return a - mp.log(2), mp.sign(r), mp.mpf(0)
    # cosh(r) = exp(a) (1 + exp(-2 a)) / 2, and log(1 + 2 sinh(r/2)^2) near 0
    value = mp.log1p(2 * mp.sinh(r / 2) ** 2) if a < 1 else a + mp.log1p(mp.exp(-2 * a)) - mp.log(2)
    return value, mp.tanh(r), mp.sech(r) ** 2


def quantile(r, q):
    return (-q * r, -q, mp.mpf(0)) if r < 0 else ((1 - q) * r, 1 - q, mp.mpf(0))


def expectile(r, q):
    weight = q if r < 0 else 1 - q
    return weight * r * r, 2 * weight * r, 2 * weight


def epsilon_insensitive(r, epsilon, squared=False):
    over = max(mp.mpf(0), abs(r) - epsilon)
    outside = mp.mpf(over > 0)
    if squared:
        return over**2, 2 * over * mp.sign(r), 2 * (outside if epsilon else mp.mpf(1))
    return over, outside * mp.sign(r), mp.mpf(0)


def charbonnier(r, c):
    h = mp.sqrt(r * r + c * c)
    return r * r / (h + c), r / h, c * c / h**3


def pseudo_huber(r, delta):
    value, first, second = charbonnier(r, delta)
    return delta * value, delta * first, delta * second


def cauchy(r, c):
    u = (r / c) ** 2
    return c * c / 2 * mp.log1p(u), r / (1 + u), (1 - u) / (1 + u) ** 2


def geman_mcclure(r, c):
    h = r * r + c * c
    return r * r / h, 2 * r * c * c / h**2, 2 * c * c * (c * c - 3 * r * r) / h**3


def tukey(r, c):
    u = (r / c) ** 2
    if u > 1:
        return c * c / 6, mp.mpf(0), mp.mpf(0)
    return c * c / 6 * u * (3 - 3 * u + u * u), r * (1 - u) ** 2, (1 - u) * (1 - 5 * u)


def welsch(r, c):
    u = (r / c) ** 2
    if u > FAR:
        return c * c / 2, mp.mpf(0), mp.mpf(0)
    e = mp.exp(-u)
    return -c * c / 2 * mp.expm1(-u), r * e, (1 - 2 * u) * e


def fair(r, c):
    x = abs(r) / c
    # Below, the next term of the series is less than 1e-60 of the first.
    small = x * x / 2 - x**3 / 3 + x**4 / 4 - x**5 / 5
    value = c * c * (x - mp.log1p(x) if x > mp.mpf(10) ** -15 else small)
    return value, r / (1 + x), 1 / (1 + x) ** 2


def gaussian_nll(r, variance, full=True):
    log = mp.log(2 * mp.pi * variance) if full else mp.log(variance)
    return (log + r * r / variance) / 2, r / variance, 1 / variance


def hinge(m, margin):
    short = max(mp.mpf(0), margin - m)
    return short, -mp.mpf(short > 0), mp.mpf(0)


def squared_hinge(m, margin):
    short = max(mp.mpf(0), margin - m)
    return short**2, -2 * short, 2 * mp.mpf(short > 0)


def smoothed_hinge(m, gamma):
    # 1 - m would lose a small m, also with 100 digits.
    if m >= 1:
        return mp.mpf(0), mp.mpf(0), mp.mpf(0)
    if m < 1 - gamma:
        return 1 - m - gamma / 2, mp.mpf(-1), mp.mpf(0)
    return (1 - m) ** 2 / (2 * gamma), -(1 - m) / gamma, 1 / gamma


def logistic(m):
    if abs(m) > FAR:
        return max(mp.mpf(0), -m), -mp.mpf(m < 0), mp.mpf(0)
    # Of the larger side, log(1 + exp(x)) = x + log(1 + exp(-x)).
    value = mp.log1p(mp.exp(-abs(m))) + max(mp.mpf(0), -m)
    p, q = 1 / (1 + mp.exp(m)), 1 / (1 + mp.exp(-m))
    return value, -p, p * q


def exponential(m):
    e = mp.exp(-m) if abs(m) < FAR else (mp.mpf(0) if m > 0 else mp.inf)
    return e, -e, e


def savage(m):
    if abs(m) > FAR:
        return mp.mpf(m < 0), mp.mpf(0), mp.mpf(0)
    s, w = 1 / (1 + mp.exp(2 * m)), 1 / (1 + mp.exp(-2 * m))
    return s**2, -4 * s**2 * w, 8 * s**2 * w * (2 - 3 * s)


def ramp(m):
    return min(mp.mpf(1), max(mp.mpf(0), 1 - m)), -mp.mpf(0 < m < 1), mp.mpf(0)


def modified_huber(m):
    if m < -1:
        return -4 * m, mp.mpf(-4), mp.mpf(0)
    short = max(mp.mpf(0), 1 - m)
    return short**2, -2 * short, 2 * mp.mpf(m < 1)


def perceptron(m):
    return max(mp.mpf(0), -m), -mp.mpf(m < 0), mp.mpf(0)


def dwd(m, q):
    joint = q / (q + 1)
    if m <= joint:
        return 1 - m, mp.mpf(-1), mp.mpf(0)
    value = (joint / m) ** q / (q + 1)
    return value, -q * value / m, q * (q + 1) * value / m**2


def zero_one(m):
    return mp.mpf(m <= 0), mp.mpf(0), mp.mpf(0)


DISTANCE = {
    "absolute_error": (absolute_error, {}),
    "huber": (huber, {"delta": 1.0}),
    "log_cosh": (log_cosh, {}),
    "quantile": (quantile, {"q": 0.5}),
    "expectile": (expectile, {"q": 0.5}),
    "epsilon_insensitive": (epsilon_insensitive, {"epsilon": 0.1, "squared": False}),
    "charbonnier": (charbonnier, {"c": 1.0}),
    "pseudo_huber": (pseudo_huber, {"delta": 1.0}),
    "cauchy": (cauchy, {"c": 1.0}),
    "geman_mcclure": (geman_mcclure, {"c": 1.0}),
    "fair": (fair, {"c": 1.0}),
    "tukey": (tukey, {"c": 4.685}),
    "welsch": (welsch, {"c": 2.985}),
    "gaussian_nll": (gaussian_nll, {"variance": 1.0, "full": True}),
}

MARGIN = {
    "hinge": (hinge, {"margin": 1.0}),
    "squared_hinge": (squared_hinge, {"margin": 1.0}),
    "smoothed_hinge": (smoothed_hinge, {"gamma": 1.0}),
    "logistic": (logistic, {}),
    "exponential": (exponential, {}),
    "savage": (savage, {}),
    "ramp": (ramp, {}),
    "modified_huber": (modified_huber, {}),
    "perceptron": (perceptron, {}),
    "dwd": (dwd, {"q": 1.0}),
    "zero_one": (zero_one, {}),
}

# Parameters other than the defaults, most of which no float32 is equal to.
_SCALES = (0.1, 1e-3, 0.0123, 2.985, 1e3)
OTHERS = {
    **{name: [{"c": c} for c in _SCALES] for name in DISTANCE if "c" in DISTANCE[name][1]},
    "huber": [{"delta": c} for c in _SCALES],
    "pseudo_huber": [{"delta": c} for c in _SCALES],
    "quantile": [{"q": 0.1}, {"q": 1e-3}, {"q": 0.999}],
    "expectile": [{"q": 0.1}, {"q": 1e-3}, {"q": 0.999}],
    "epsilon_insensitive": [
        {"epsilon": 0.1, "squared": True},
        {"epsilon": 0.0, "squared": False},
        {"epsilon": 0.0, "squared": True},
        {"epsilon": 1e3, "squared": True},
    ],
    "gaussian_nll": [
        {"variance": 1.0, "full": False},
        {"variance": 0.1, "full": False},
        {"variance": 1e-3, "full": True},
        {"variance": 1e3, "full": True},
    ],
    "hinge": [{"margin": 0.1}, {"margin": 1e3}],
    "squared_hinge": [{"margin": 0.1}, {"margin": 1e3}],
    "smoothed_hinge": [{"gamma": 0.1}, {"gamma": 1e-3}, {"gamma": 1e3}],
    "dwd": [{"q": 0.3}, {"q": 4.0}, {"q": 100.0}, {"q": 1e-3}],
}


def exactly(parameters):
    """Return parameters as exact numbers, flags as they are."""
    return {k: v if isinstance(v, bool) else mp.mpf(v) for k, v in parameters.items()}


def points(dtype, parameters, count, seed=0):
    """Return residuals or margins of both signs: the whole range, near the scales, the edges."""
    rng, info = np.random.default_rng(seed), np.finfo(dtype)
    scales = [v for v in parameters.values() if v and not isinstance(v, bool)] or [1.0]
    low, high = (np.log(float(x)) for x in (info.smallest_subnormal, info.max))
    drawn = [
        np.exp(rng.uniform(low, high * 0.999, count // 3)),
        scales[0] * np.exp(rng.uniform(-9, 9, count // 3)),
        scales[0] * rng.uniform(0, 6, count - 2 * (count // 3)),
    ]
    edges = [0.0, 1e-30, 1e30, *(float(info.max) * f for f in (1, 0.5)), float(info.tiny)]
    edges += [float(info.smallest_subnormal), 1e300, 1e-300, 1e160, 1e-160]
    # Joints, kinks and inflections of all the losses.
    special = [s / np.sqrt(k) for s in scales for k in (1, 2, 3, 5)]
    special += [1.0, 2.0, np.log(2) / 2, *(s / (s + 1) for s in scales), *(1 - s for s in scales)]
    for x in np.abs(np.array(special)).astype(dtype):
        below, above = np.nextafter(x, dtype(0)), np.nextafter(x, dtype(np.inf))
        edges += [x, below, above, np.nextafter(below, dtype(0)), x * dtype(1.001)]
    with np.errstate(over="ignore", under="ignore"):
        x = np.concatenate([*drawn, np.array(edges, dtype=float)]).astype(dtype)
    x = x[np.isfinite(x)]
    return np.concatenate([x, -x])


def ulps(got, truth, dtype, scale=0):
    """Return the distance of a float from the truth, in units in the last place of the truth.

    With `scale`, of the larger of the truth and `scale`. What is beyond the
    largest float counts as equal to infinity.
    """
    info = np.finfo(dtype)
    if np.isnan(got):
        return np.inf
    largest = mp.mpf(float(info.max)) * (1 + mp.mpf(2) ** (-info.nmant - 2))
    if abs(truth) >= largest:
        near = mp.mpf(float(info.max)) * (1 - 4 * mp.mpf(float(info.eps)))
        return 0.0 if mp.sign(truth) * mp.mpf(float(got)) >= near else np.inf
    size = max(abs(truth), scale)
    exponent = max(int(mp.floor(mp.log(size, 2))) if size else info.minexp, info.minexp)
    unit = mp.mpf(2) ** (exponent - info.nmant)
    distance = largest - abs(truth) if np.isinf(got) else abs(mp.mpf(float(got)) - truth)
    return float(distance / unit)


def worst(loss, truth, parameters, dtype, count, seed=0):
    """Return the largest error of value, first and second derivative, each with its place.

    Where a derivative jumps it may be either one-sided value, so it is not
    looked at there. A likelihood is measured against its larger term.
    """
    x = points(dtype, parameters, count, seed)
    with np.errstate(all="ignore"):
        functions = (loss.value, loss.derivative, loss.second_derivative)
        results = [function(np, x) for function in functions]
    claims, exact = loss.claims(), exactly(parameters)
    breaks, second_breaks = claims.breaks or (), claims.second_breaks or ()
    jumps = {0: (), 1: breaks, 2: (*breaks, *second_breaks)}
    least = abs(truth(mp.mpf(0), **exact)[0]) if loss.name == "gaussian_nll" else 0
    found = [(0.0,)] * 3
    for i, place in enumerate(x.tolist()):
        truths = truth(mp.mpf(place), **exact)
        for order, result in enumerate(results):
            assert result.dtype == dtype
            if place in jumps[order]:
                continue
            scale = max(least, abs(truths[0] - least)) if order == 0 and least else 0
            error = ulps(result[i], truths[order], dtype, scale)
            if error > found[order][0]:
                found[order] = (error, place, float(result[i]), mp.nstr(truths[order], 17))
    return found

"""Every built-in loss once more: the formula of its paper, for mpmath's numbers, one line each.

Written from the papers and not from the code. `p` holds the parameters of the
loss. Nothing is done for digits that cancel: there are enough of them.
"""

from types import SimpleNamespace

import mpmath as mp
import numpy as np

# So many that no formula below loses the 50 that are compared.
DIGITS = 150


def parameters_of(loss):
    """Return the parameters of a loss, numbers as mpmath's."""
    fields = {name: getattr(loss, name) for name in type(loss).model_fields}
    return SimpleNamespace(**{k: mp.mpf(v) if type(v) is float else v for k, v in fields.items()})


def paper_value(loss, y, t):
    """Return the loss of one element, or of one row, by the formula of its paper."""
    p = parameters_of(loss)
    with mp.workdps(DIGITS):
        if loss.name in ROWS:
            y = [mp.mpf(float(x)) for x in y]
            t = [mp.mpf(float(x)) for x in t] if np.ndim(t) else mp.mpf(float(t))
            return ROWS[loss.name](y, t, p)
        y, t = mp.mpf(float(y)), mp.mpf(float(t))
        if loss.name in DISTANCES:
            return DISTANCES[loss.name](y - t, p)
        return MARGINS[loss.name](y * t, p) if loss.name in MARGINS else PAIRS[loss.name](y, t, p)


def times(c, x):
    """Return c x with 0 inf = 0; x is not computed for a c of 0."""
    return c * x() if c else mp.mpf(0)


def sigmoid(z):
    return 1 / (1 + mp.exp(-z))


def softmax(row):
    total = sum(map(mp.exp, row))
    return [mp.exp(z) / total for z in row]


def guarded_log(x, p):
    """Return log(x) with the guard of `lossfw.numerics.guards`."""
    guard = "none" if getattr(p, "from_logits", False) else p.guard
    guards = {
        "none": lambda: x,
        "floor": lambda: max(x, p.delta),
        "additive": lambda: x + p.delta,
        "normalised": lambda: (x + p.delta) / (1 + p.delta),
    }
    return mp.log(guards[guard]())


def expected(t, of_class):
    """Return the mean of the losses of the classes, by their probabilities."""
    return sum(times(share, lambda k=k: of_class(k)) for k, share in enumerate(t))


# Of the residual r.
DISTANCES = {
    "absolute_error": lambda r, p: abs(r),
    "squared_error": lambda r, p: p.factor * r**2,
    "huber": lambda r, p: r**2 / 2 if abs(r) <= p.delta else p.delta * (abs(r) - p.delta / 2),
    "log_cosh": lambda r, p: mp.log(mp.cosh(r)),
    "quantile": lambda r, p: max(-p.q * r, (1 - p.q) * r),
    "expectile": lambda r, p: (p.q if r < 0 else 1 - p.q) * r**2,
    "epsilon_insensitive": lambda r, p: max(0, abs(r) - p.epsilon) ** (2 if p.squared else 1),
    "charbonnier": lambda r, p: mp.sqrt(r**2 + p.c**2) - p.c,
    "pseudo_huber": lambda r, p: p.delta**2 * (mp.sqrt(1 + (r / p.delta) ** 2) - 1),
    "cauchy": lambda r, p: p.c**2 / 2 * mp.log(1 + (r / p.c) ** 2),
    "geman_mcclure": lambda r, p: r**2 / (r**2 + p.c**2),
    "tukey": lambda r, p: p.c**2 / 6 * (1 - max(0, 1 - (r / p.c) ** 2) ** 3),
    "welsch": lambda r, p: p.c**2 / 2 * (1 - mp.exp(-((r / p.c) ** 2))),
    "fair": lambda r, p: p.c**2 * (abs(r) / p.c - mp.log(1 + abs(r) / p.c)),
    "gaussian_nll": lambda r, p: (
        (mp.log((2 * mp.pi if p.full else 1) * p.variance) + r**2 / p.variance) / 2
    ),
}

# Of the margin m.
MARGINS = {
    "hinge": lambda m, p: max(0, p.margin - m),
    "squared_hinge": lambda m, p: max(0, p.margin - m) ** 2,
    "smoothed_hinge": lambda m, p: (
        max(0, 1 - m) ** 2 / (2 * p.gamma) if m >= 1 - p.gamma else 1 - m - p.gamma / 2
    ),
    "logistic": lambda m, p: mp.log(1 + mp.exp(-m)),
    "exponential": lambda m, p: mp.exp(-m),
    "savage": lambda m, p: 1 / (1 + mp.exp(2 * m)) ** 2,
    "ramp": lambda m, p: min(1, max(0, 1 - m)),
    "modified_huber": lambda m, p: -4 * m if m < -1 else max(0, 1 - m) ** 2,
    "perceptron": lambda m, p: max(0, -m),
    "dwd": lambda m, p: 1 - m if m <= p.q / (p.q + 1) else (p.q / (p.q + 1) / m) ** p.q / (p.q + 1),
    "zero_one": lambda m, p: mp.mpf(m <= 0),
}


def binary_cross_entropy(y, t, p):
    y = sigmoid(y) if p.from_logits else y
    t = (1 - p.label_smoothing) * t + p.label_smoothing / 2
    own = times(p.pos_weight * t, lambda: guarded_log(y, p))
    return -own - times(1 - t, lambda: guarded_log(1 - y, p))


def focal(y, t, p):
    y = sigmoid(y) if p.from_logits else y
    a, b = (1, 1) if p.alpha is None else (p.alpha, 1 - p.alpha)
    return -times(a * t, lambda: (1 - y) ** p.gamma * mp.log(y)) - times(
        b * (1 - t), lambda: y**p.gamma * mp.log(1 - y)
    )


def tweedie_deviance(y, t, p):
    y = mp.exp(y) if p.link == "log" else y
    a, b = 1 - p.power, 2 - p.power
    # Of a distribution on the whole line the targets below 0 have no such part.
    return 2 * ((max(t, 0) if p.power < 0 else t) ** b / (a * b) - t * y**a / a + y**b / b)


def poisson_deviance(y, t, p):
    y = mp.exp(y) if p.link == "log" else y
    return 2 * (times(t, lambda: mp.log(t / y)) - t + y)


def poisson_nll(y, t, p):
    y = mp.exp(y) if p.link == "log" else y
    return y - times(t, lambda: mp.log(y)) + (mp.loggamma(t + 1) if p.full else 0)


def gamma_deviance(y, t, p):
    y = mp.exp(y) if p.link == "log" else y
    return 2 * (mp.log(y / t) + t / y - 1)


# Of a prediction y and a target t.
PAIRS = {
    "squared_log_error": lambda y, t, p: (mp.log(1 + y) - mp.log(1 + t)) ** 2,
    "absolute_percentage_error": lambda y, t, p: abs(y - t) / max(abs(t), p.floor or 0),
    "hinge_embedding": lambda y, t, p: y if t > 0 else max(0, p.margin - y),
    "poisson_deviance": poisson_deviance,
    "poisson_nll": poisson_nll,
    "gamma_deviance": gamma_deviance,
    "tweedie_deviance": tweedie_deviance,
    "binary_cross_entropy": binary_cross_entropy,
    "focal": focal,
}


def cross_entropy(y, t, p):
    y = softmax(y) if p.from_logits else y
    smoothed = [(1 - p.label_smoothing) * share + p.label_smoothing / len(y) for share in t]
    return expected(smoothed, lambda k: -guarded_log(y[k], p))


def categorical_focal(y, t, p):
    y = softmax(y) if p.from_logits else y
    alpha = [1] * len(y) if p.alpha is None else p.alpha
    alpha = list(map(mp.mpf, alpha)) if isinstance(alpha, (list, tuple)) else [alpha] * len(y)
    return expected(t, lambda k: -alpha[k] * (1 - y[k]) ** p.gamma * mp.log(y[k]))


def multiclass_hinge(y, t, p):
    join = max if p.form == "crammer_singer" else sum

    def of_class(k):
        gaps = (max(0, p.margin + y[j] - y[k]) ** p.power for j in range(len(y)) if j != k)
        return join(gaps) / (len(y) if p.form == "multi_margin" else 1)

    return expected(t, of_class)


def poly_cross_entropy(y, t, p):
    y = softmax(y) if p.from_logits else y
    return expected(t, lambda k: -mp.log(y[k]) + p.epsilon * (1 - y[k]))


def kl_divergence(y, t, p):
    of, against = (y, t) if p.reverse else (t, y)
    return expected(of, lambda k: guarded_log(of[k], p) - guarded_log(against[k], p))


def js_divergence(y, t, p):
    def guarded(x):
        return {"none": x, "floor": max(x, p.delta)}.get(p.guard, x + p.delta)

    def half(of):
        return expected(of, lambda k: mp.log(2 * guarded(of[k]) / (guarded(y[k]) + guarded(t[k]))))

    return (half(y) + half(t)) / 2


def tversky(y, t, p, alpha=None, beta=None):
    alpha, beta = (p.alpha, p.beta) if alpha is None else (mp.mpf(alpha), mp.mpf(beta))
    pairs = list(zip(y, t, strict=True))
    hits = sum(a * b for a, b in pairs)
    wrong = sum(alpha * a * (1 - b) + beta * (1 - a) * b for a, b in pairs)
    return 1 - (hits + p.smooth) / (hits + wrong + p.smooth)


def cosine_distance(y, t, p):
    return 1 - mp.fdot(y, t) / mp.sqrt(mp.fdot(y, y) * mp.fdot(t, t))


def heteroscedastic_gaussian_nll(y, t, p):
    mean, log_variance = y
    constant = mp.log(2 * mp.pi) if p.full else 0
    return (constant + log_variance + (t - mean) ** 2 / mp.exp(log_variance)) / 2


# Of a row of predictions y, and a row of targets t.
ROWS = {
    "brier": lambda y, t, p: sum((a - b) ** 2 for a, b in zip(y, t, strict=True)),
    "cross_entropy": cross_entropy,
    "categorical_focal": categorical_focal,
    "generalised_cross_entropy": lambda y, t, p: expected(t, lambda k: (1 - y[k] ** p.q) / p.q),
    "poly_cross_entropy": poly_cross_entropy,
    "multiclass_hinge": multiclass_hinge,
    "kl_divergence": kl_divergence,
    "js_divergence": js_divergence,
    "tversky": tversky,
    "dice": lambda y, t, p: tversky(y, t, p, 0.5, 0.5),
    "jaccard": lambda y, t, p: tversky(y, t, p, 1, 1),
    "cosine_distance": cosine_distance,
    "heteroscedastic_gaussian_nll": heteroscedastic_gaussian_nll,
}

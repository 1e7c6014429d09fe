"""Losses of a prediction and a target once more: value, first and second derivative.

Bodies for exact numbers, written from the papers and differentiated by hand. A
test compares these derivatives with differences of these values, so that an
error here is found too. `worst` measures a loss against them.
"""

import numpy as np

import lossfw
from lossfw.numerics.exact.truth import evaluate
from lossfw.numerics.exact.ulp import to_float, ulp_error


def _safe(xp, c, x):
    """Return c x with 0 inf = 0."""
    return xp.where(c == 0, xp.zeros_like(x), c * x)


def squared_log_error():
    def distance(xp, y, t):
        return xp.log(1 + y) - xp.log(1 + t)

    return (
        lambda xp, y, t: distance(xp, y, t) ** 2,
        lambda xp, y, t: 2 * distance(xp, y, t) / (1 + y),
        lambda xp, y, t: 2 * (1 - distance(xp, y, t)) / (1 + y) ** 2,
    )


def absolute_percentage_error(floor=None):
    def unit(xp, t):
        return abs(t) if floor is None else xp.maximum(abs(t), xp.full_like(t, floor))

    return (
        lambda xp, y, t: abs(y - t) / unit(xp, t),
        lambda xp, y, t: xp.sign(y - t) / unit(xp, t),
        lambda xp, y, t: xp.zeros_like(y),
    )


def poisson_deviance(link="identity"):
    if link == "log":
        return (
            lambda xp, z, t: 2 * (_safe(xp, t, xp.log(t) - z) - t + xp.exp(z)),
            lambda xp, z, t: 2 * (xp.exp(z) - t),
            lambda xp, z, t: 2 * xp.exp(z),
        )
    return (
        lambda xp, y, t: 2 * (_safe(xp, t, xp.log(t / y)) - t + y),
        lambda xp, y, t: 2 * (1 - t / y),
        lambda xp, y, t: 2 * t / y**2,
    )


def gamma_deviance(link="identity"):
    if link == "log":
        return (
            lambda xp, z, t: 2 * (z - xp.log(t) + t * xp.exp(-z) - 1),
            lambda xp, z, t: 2 * (1 - t * xp.exp(-z)),
            lambda xp, z, t: 2 * t * xp.exp(-z),
        )
    return (
        lambda xp, y, t: 2 * (xp.log(y / t) + t / y - 1),
        lambda xp, y, t: 2 * (y - t) / y**2,
        lambda xp, y, t: 2 * (2 * t - y) / y**3,
    )


def tweedie_deviance(power, link="identity"):
    def value(xp, y, t):
        p = xp.full_like(y, power)
        a, b = 1 - p, 2 - p
        # Over y^b, so that the sum at y = t is exactly 0 at any number of digits.
        return 2 * y**b * ((t / y) ** b - b * (t / y) + a) / (a * b)

    def slope(xp, y, t):
        return 2 * (y - t) * y ** -xp.full_like(y, power)

    def bend(xp, y, t):
        p = xp.full_like(y, power)
        return 2 * y ** (-p - 1) * (y - p * (y - t))

    if link == "identity":
        return value, slope, bend
    return (
        lambda xp, z, t: value(xp, xp.exp(z), t),
        lambda xp, z, t: slope(xp, xp.exp(z), t) * xp.exp(z),
        lambda xp, z, t: (
            bend(xp, xp.exp(z), t) * xp.exp(2 * z) + slope(xp, xp.exp(z), t) * xp.exp(z)
        ),
    )


def binary_cross_entropy(guard="normalised", delta=1e-7, from_logits=False):
    if from_logits:
        return (
            lambda xp, z, t: t * xp.log1p(xp.exp(-z)) + (1 - t) * xp.log1p(xp.exp(z)),
            lambda xp, z, t: (1 - t) / (1 + xp.exp(-z)) - t / (1 + xp.exp(z)),
            lambda xp, z, t: 1 / (1 + xp.exp(z)) / (1 + xp.exp(-z)),
        )
    d = 0 if guard == "none" else delta

    def over(p):
        """Return what is under the logarithm, before it is divided by 1 + d."""
        return p if guard == "floor" else p + d

    def log(xp, p):
        if guard == "floor":
            return xp.log(xp.maximum(p, xp.full_like(p, d)))
        # 1 + d in floats would be rounded.
        return xp.log(over(p) / over(xp.ones_like(p)) if guard == "normalised" else over(p))

    def live(xp, p, x):
        return xp.where(p < d, xp.zeros_like(p), x) if guard == "floor" else x

    def slope(xp, y, t):
        own, other = live(xp, y, t / over(y)), live(xp, 1 - y, (1 - t) / over(1 - y))
        return other - own

    def bend(xp, y, t):
        return live(xp, y, t / over(y) ** 2) + live(xp, 1 - y, (1 - t) / over(1 - y) ** 2)

    def value(xp, y, t):
        return -_safe(xp, t, log(xp, y)) - _safe(xp, 1 - t, log(xp, 1 - y))

    return value, slope, bend


def focal(gamma=2.0, alpha=None, from_logits=False):
    a, b = (1, 1) if alpha is None else (alpha, 1 - alpha)

    def value(xp, s):
        return -((1 - s) ** gamma) * xp.log(s)

    def slope(xp, s):
        return gamma * (1 - s) ** (gamma - 1) * xp.log(s) - (1 - s) ** gamma / s

    def bend(xp, s):
        r = 1 - s
        first = -gamma * (gamma - 1) * r ** (gamma - 2) * xp.log(s)
        return first + 2 * gamma * r ** (gamma - 1) / s + r**gamma / s**2

    def both(of_one, sign):
        return lambda xp, y, t: (
            _safe(xp, a * t, of_one(xp, y)) + sign * _safe(xp, b * (1 - t), of_one(xp, 1 - y))
        )

    bodies = both(value, 1), both(slope, -1), both(bend, 1)
    if not from_logits:
        return bodies

    def through(xp, z):
        s = 1 / (1 + xp.exp(-z))
        return s, s / (1 + xp.exp(z))

    def first(xp, z, t):
        s, ds = through(xp, z)
        return bodies[1](xp, s, t) * ds

    def second(xp, z, t):
        s, ds = through(xp, z)
        return bodies[2](xp, s, t) * ds**2 + bodies[1](xp, s, t) * ds * (1 - 2 * s)

    return lambda xp, z, t: bodies[0](xp, through(xp, z)[0], t), first, second


BODIES = {
    body.__name__: body
    for body in (
        squared_log_error,
        absolute_percentage_error,
        poisson_deviance,
        gamma_deviance,
        tweedie_deviance,
        binary_cross_entropy,
        focal,
    )
}


def worst(name, parameters, y, t, order=0):
    """Return the largest error in ULPs, against its terms where the loss says so."""
    loss = lossfw.loss(name, **parameters)
    function = (loss, loss.gradient, loss.hessian)[order]
    found = function(y, t, reduction="none")
    truth = evaluate(BODIES[name](**parameters)[order], y, t)
    return float(np.max(_errors(loss, found, truth, y, t, order)))


def _errors(loss, found, truth, y, t, order):
    assert found.dtype == y.dtype
    errors = ulp_error(found, truth)
    with np.errstate(all="ignore"):
        wide = (y.astype(np.float64), t.astype(np.float64))
        terms = loss.terms(np, *wide, order)
        for term in terms:
            size = np.abs(to_float(truth, y.dtype))
            larger = np.fmax(size, np.abs(term).astype(y.dtype))
            ratio = np.spacing(size) / np.spacing(larger)
            errors = np.minimum(errors, np.where(np.isfinite(ratio), errors * ratio, errors))
    return errors

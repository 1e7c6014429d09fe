"""Bodies of rows as authors write them, each with the spaces of its predictions and targets."""

from lossfw import LOGITS, REAL, SIMPLEX
from lossfw.numerics import log_softmax


def symmetric(xp, y, t):
    own = -xp.sum(t * xp.log(xp.clip(y, 1e-7, 1.0)), axis=-1)
    logs = xp.log(xp.maximum(t, xp.full_like(t, 1e-4)))
    return 0.5 * own - xp.sum(y * xp.where(t > 0, logs, xp.full_like(t, -4.0)), axis=-1)


def symmetric_of_logits(xp, z, t):
    e = xp.exp(z - xp.max(z, axis=-1, keepdims=True))
    return symmetric(xp, e / xp.sum(e, axis=-1, keepdims=True), t)


def hinge_of_each(xp, z, t):
    own = xp.sum(z * t, axis=-1, keepdims=True)
    return xp.sum((1.0 - t) * xp.maximum(1.0 + z - own, xp.zeros_like(z)), axis=-1)


def cosine(xp, y, t):
    a, b = xp.sqrt(xp.sum(y * y, axis=-1)), xp.sqrt(xp.sum(t * t, axis=-1))
    return 1.0 - xp.sum(y * t, axis=-1) / (a * b + 1e-12)


def distance(xp, y, t):
    return xp.sqrt(xp.sum((y - t) ** 2, axis=-1))


def hellinger(xp, y, t):
    return xp.sqrt(0.5 * xp.sum((xp.sqrt(y) - xp.sqrt(t)) ** 2, axis=-1))


def huber_of_row(xp, y, t):
    r = xp.abs(y - t)
    return xp.mean(xp.where(r < 0.3, 0.5 * r * r, 0.3 * (r - 0.15)), axis=-1)


def centred(xp, y, t):
    a, b = (x - xp.mean(x, axis=-1, keepdims=True) for x in (y, t))
    size = xp.sum(a * a, axis=-1) * xp.sum(b * b, axis=-1)
    return 1.0 - xp.sum(a * b, axis=-1) / xp.sqrt(size + 1e-9)


def dice(xp, y, t):
    both = xp.sum(y, axis=-1) + xp.sum(t, axis=-1)
    return 1.0 - (2 * xp.sum(y * t, axis=-1) + 1.0) / (both + 1.0)


def focal_tversky(xp, y, t):
    hit, false, missed = (xp.sum(x, axis=-1) for x in (y * t, y * (1 - t), (1 - y) * t))
    return (1.0 - (hit + 1e-3) / (hit + 0.3 * false + 0.7 * missed + 1e-3)) ** 0.75


def guarded_log(xp, y, t):
    good = y > 0
    logs = xp.log(xp.where(good, y, xp.ones_like(y)))
    return -xp.sum(t * xp.where(good, logs, -30.0 * xp.ones_like(y)), axis=-1)


def sorted_distance(xp, y, t):
    return xp.sum((xp.sort(y, axis=-1) - xp.sort(t, axis=-1)) ** 2, axis=-1)


def extent(xp, y, t):
    return xp.max(y, axis=-1) - xp.min(y, axis=-1) + xp.sum((y - t) ** 2, axis=-1)


def generalised(xp, y, t):
    return (1.0 - xp.sum(t * y, axis=-1) ** 0.7) / 0.7


def ranked(xp, y, t):
    return xp.sum(xp.cumulative_sum(y - t, axis=-1) ** 2, axis=-1)


# Operations that are rarer in losses.


def steps(xp, y, t):
    d = y[..., 1:] - y[..., :-1]
    return xp.sum(d * d, axis=-1) + xp.sum((y - t) ** 2, axis=-1)


def joined(xp, y, t):
    return xp.sum(xp.concat([y, 1 - t * y], axis=-1) ** 3, axis=-1)


def first_against_rest(xp, y, t):
    return (y[..., 0] - xp.mean(y, axis=-1)) ** 2


def mean_and_scale(xp, y, t):
    return y[..., 1] + (y[..., 0] - t[..., 0]) ** 2 * xp.exp(-y[..., 1])


def pairs(xp, y, t):
    d = y[..., :, None] - y[..., None, :]
    return xp.sum(xp.sum(xp.maximum(1 - d, xp.zeros_like(d)), axis=-1), axis=-1)


def taken(xp, z, t):
    best = xp.argmax(t, axis=-1)[..., None]
    return -xp.take_along_axis(log_softmax(xp, z), best, axis=-1)[..., 0]


def two_guards(xp, y, t):
    # Each choice has a condition of its own, and the gradient of the logarithm is infinite at 0.
    u = xp.log(y)
    zero = xp.zeros_like(y)
    return xp.sum(xp.where(y > 0, t * u, zero) + xp.where(y > 0, u * u, zero), axis=-1)


def later_logs(xp, y, t):
    # The gradient of the logarithm is infinite at 0, also of a column that is left out.
    return xp.sum(t[..., 1:] * xp.log(y)[..., 1:], axis=-1)


def repeated(xp, y, t):
    order = xp.argsort(t, axis=-1)
    return xp.sum(xp.take_along_axis(y * y, order // 2, axis=-1) * t, axis=-1)


def folded(xp, y, t):
    d = xp.reshape(y - t, (y.shape[0], -1))
    return xp.sum(xp.stack([d, d * d], axis=-1), axis=(-1, -2))


PREDICTIONS = {
    SIMPLEX: (symmetric, hellinger, dice, focal_tversky, guarded_log, generalised, ranked,
              two_guards, later_logs),
    LOGITS: (symmetric_of_logits, hinge_of_each, taken),
    REAL: (cosine, distance, huber_of_row, centred, sorted_distance, extent, steps, joined,
           first_against_rest, mean_and_scale, pairs, folded, repeated)
}  # fmt: skip

# Body, space of predictions, space of targets.
BODIES = {
    body.__name__: (body, space, REAL if space == REAL else SIMPLEX)
    for space, bodies in PREDICTIONS.items()
    for body in bodies
}

# Those that sort, shift or join, whose second derivatives take a pass for each column.
NOT_SPREAD = (
    *("ranked", "sorted_distance", "steps", "joined", "pairs", "folded"),
    *("later_logs", "repeated"),
)

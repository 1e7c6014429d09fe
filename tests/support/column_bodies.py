"""Random bodies of named columns and vectors, drawn by a seed."""

import numpy as np

from lossfw import POSITIVE, REAL, UNIT, Columns, PointwiseLoss, Vector

_SPACES = (REAL, POSITIVE, UNIT, Vector.of(REAL, size=2), Vector.of(REAL, size=5))

# Functions of one argument that are finite on some of what they get, and sums of rows.
ONE = (
    lambda xp, a: -a,
    lambda xp, a: xp.abs(a),
    lambda xp, a: xp.exp(-xp.abs(a)),
    lambda xp, a: xp.log(xp.abs(a) + 0.25),
    lambda xp, a: xp.log1p(a * a),
    lambda xp, a: xp.tanh(a),
    lambda xp, a: xp.sqrt(xp.abs(a)),
    lambda xp, a: a**2,
    lambda xp, a: 1.0 / (a * a + 1.0),
    lambda xp, a: xp.clip(a, -1.0, 2.0),
    lambda xp, a: xp.where(a > 0.5, a, 0.25 * a),
    lambda xp, a: xp.where(xp.isnan(a), xp.zeros_like(a), a),
)
TWO = (
    lambda xp, a, b: a + b,
    lambda xp, a, b: a - b,
    lambda xp, a, b: a * b,
    lambda xp, a, b: a / (xp.abs(b) + 0.1),
    lambda xp, a, b: xp.maximum(a, b),
    lambda xp, a, b: xp.minimum(a, b),
    lambda xp, a, b: xp.where(a < b, b - a, 2.0 * a),
    lambda xp, a, b: xp.logaddexp(a, b),
    lambda xp, a, b: xp.hypot(a, b),
)
_OF_ROW = (
    lambda xp, a: xp.sum(a, axis=-1),
    lambda xp, a: xp.mean(a, axis=-1),
    lambda xp, a: xp.max(a, axis=-1),
    lambda xp, a: xp.sum(a - xp.max(a, axis=-1, keepdims=True), axis=-1),
    lambda xp, a: a[..., 0] * a[..., -1],
    lambda xp, a: xp.sum(a[..., 1:] * a[..., :-1], axis=-1),
    lambda xp, a: xp.sum(xp.stack([a[..., 0], a[..., 1]], axis=-1) ** 2, axis=-1),
    lambda xp, a: xp.sqrt(xp.sum(a * a, axis=-1)),
)


def drawn_loss(seed):
    """Return a loss of random spaces and a random body."""
    rng = np.random.default_rng(seed)
    prediction = _columns(rng) if rng.random() < 0.9 else REAL
    target_space = _columns(rng) if prediction is REAL or rng.random() < 0.4 else REAL
    steps = rng.integers(0, 2**31, size=rng.integers(3, 12)).tolist()

    class Drawn(PointwiseLoss):
        target = target_space

        def value(self, xp, y, t):
            found = [*_numbers(xp, y), *_numbers(xp, t)]
            for step in steps:
                draw = np.random.default_rng(step)
                a, b = (found[draw.integers(len(found))] for _ in range(2))
                if draw.random() < 0.5:
                    found.append(ONE[draw.integers(len(ONE))](xp, a))
                else:
                    found.append(TWO[draw.integers(len(TWO))](xp, a, b))
            rng = np.random.default_rng(steps[0])
            rows = [*_rows(y), *_rows(t)]
            total = found[-1] + found[0] * found[len(found) // 2]
            for row in rows:
                total = total + _OF_ROW[rng.integers(len(_OF_ROW))](xp, row)
            return total

    Drawn.prediction, Drawn.__qualname__ = prediction, f"Drawn{seed}"
    return Drawn()


def _columns(rng):
    count = int(rng.integers(1, 5))
    return Columns.of(**{f"c{k}": _SPACES[rng.integers(len(_SPACES))] for k in range(count)})


def _numbers(xp, record):
    columns = record if isinstance(record, tuple) else (record,)
    return [x if x.ndim == 1 else xp.sum(x * x, axis=-1) for x in columns]


def _rows(record):
    columns = record if isinstance(record, tuple) else ()
    return [x for x in columns if x.ndim > 1]

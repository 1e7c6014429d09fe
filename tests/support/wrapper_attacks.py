"""Attempts to refute what a loss claims: one for each claim."""

import numpy as np

from lossfw.components.spaces import BINARY, CLASS_INDEX, LOGITS, REAL, SIGN, SIMPLEX, UNIT
from lossfw.losses.nested import argument_of
from support.wrapper_samples import KINKS

CLASSES = 3
STEP = 1e-6
SLACK = 1e-9


def refute(loss, seed):
    """Attack every claim of a loss; an attack that succeeds is an AssertionError."""
    claims = loss.claims().made()
    with np.errstate(all="ignore"):
        for name, claimed in claims.items():
            ATTACKS[name](loss, claimed, np.random.default_rng(seed))


def predictions(loss, rng, count=400):
    shape = (count, CLASSES) if loss.takes_rows else (count,)
    space = loss.prediction_space
    if space in (REAL, LOGITS):
        size = rng.choice([0.1, 1.0, 3.0, 30.0], size=(count, *[1] * len(shape[1:])))
        y = size * rng.normal(size=shape)
        if not loss.takes_rows:
            y[: 2 * len(KINKS)] = np.concatenate([KINKS, KINKS])
        return y
    if space == UNIT:
        return rng.uniform(size=shape)
    assert space == SIMPLEX
    return rng.dirichlet(np.full(CLASSES, 0.7), size=count)


def targets(loss, rng, count=400):
    space = loss.target_space
    if loss.takes_rows:
        if space in (CLASS_INDEX, SIMPLEX):
            soft = rng.dirichlet(np.full(CLASSES, 0.7), size=count)
            hard = np.eye(CLASSES)[rng.integers(CLASSES, size=count)]
            return np.where(rng.uniform(size=(count, 1)) < 0.5, soft, hard)
        assert space == REAL
        return rng.normal(size=(count, CLASSES))
    if space == SIGN:
        return rng.choice([-1.0, 1.0], size=count)
    if space == UNIT:
        soft, hard = rng.uniform(size=count), rng.integers(2, size=count)
        return np.where(rng.uniform(size=count) < 0.5, soft, hard)
    if space == BINARY:
        return rng.integers(2, size=count).astype(float)
    # Few and round, so that residuals meet kinks.
    return rng.choice([-1.0, 0.0, 1.0, 0.25], size=count)


def value(loss, y, t):
    return loss.unreduced(np, y, t)


def norm(loss, x):
    return np.sqrt((x * x).sum(-1)) if loss.takes_rows else np.abs(x)


def near(loss, y, size):
    """Return a small part of the points' range, where curvature shows."""
    return y if loss.prediction_space in (UNIT, SIMPLEX) else np.clip(y, -size, size)


def nonnegative(loss, claimed, rng):
    values = value(loss, predictions(loss, rng), targets(loss, rng))
    assert (values >= 0).all()


def lower_bound(loss, claimed, rng):
    values = value(loss, predictions(loss, rng), targets(loss, rng))
    assert (values >= claimed - SLACK * (1 + abs(claimed))).all()


def bounded(loss, claimed, rng):
    values = value(loss, predictions(loss, rng), targets(loss, rng))
    assert (values <= claimed + SLACK * (1 + abs(claimed))).all()


def zero_at_target(loss, claimed, rng):
    t = targets(loss, rng)
    if loss.target_space is CLASS_INDEX:
        # The claim is about class indices, whose rows have a single 1.
        t = np.eye(CLASSES)[t.argmax(-1)]
    assert (value(loss, t, t) == 0).all()


def _chords(loss, rng, size=None):
    a, b, t = predictions(loss, rng), predictions(loss, rng), targets(loss, rng)
    if size is not None:
        a, b = near(loss, a, size), near(loss, b, size)
    sag = 0.5 * value(loss, a, t) + 0.5 * value(loss, b, t) - value(loss, 0.5 * a + 0.5 * b, t)
    scale = 1 + np.abs(value(loss, a, t)) + np.abs(value(loss, b, t))
    return sag, norm(loss, a - b), scale


def convex(loss, claimed, rng):
    sag, _, scale = _chords(loss, rng)
    assert (sag >= -SLACK * scale).all()


def strictly_convex(loss, claimed, rng):
    sag, apart, _ = _chords(loss, rng, size=3.0)
    assert (sag[apart > 0.2] > 0).all()


def strongly_convex(loss, claimed, rng):
    sag, apart, scale = _chords(loss, rng)
    assert (sag >= claimed / 8 * apart**2 - SLACK * scale).all()
    least, _ = _curvatures(loss, rng)
    assert least <= claimed * 1.01 + SLACK, f"not tight: {least}"


def _probes(loss, rng):
    """Return points at which a constant that is tight shows that it is, and directions there."""
    y, t = predictions(loss, rng, 4000), targets(loss, rng, 4000)
    if loss.prediction_space in (UNIT, SIMPLEX):
        # A step must not lead outside.
        y = 0.99 * y + 0.01 / (CLASSES if loss.takes_rows else 2)
    if not loss.takes_rows:
        return y, t, np.ones_like(y)
    d = rng.normal(size=y.shape)
    if loss.prediction_space in (REAL, LOGITS):
        # Every class as target, far from it and at the middle, along every score.
        y[:27] = np.repeat([-50.0, 0.0, 50.0], 9)[:, None]
        t[:27] = np.tile(np.repeat(np.eye(CLASSES), 3, axis=0), (3, 1))
        d[:27] = np.tile(np.eye(CLASSES), (9, 1))
    else:
        d -= d.mean(-1, keepdims=True)
    return y, t, d / norm(loss, d)[:, None]


def _curvatures(loss, rng):
    """Return least and largest quotient of differences of the gradient, along lines."""
    y, t, d = _probes(loss, rng)
    size = 1e-4
    change = loss.unreduced_gradient(np, y + size * d, t) - loss.unreduced_gradient(np, y, t)
    quotients = ((change * d).sum(-1) if loss.takes_rows else change * d) / size
    return quotients.min(), quotients.max()


def lipschitz(loss, claimed, rng):
    a, b, t = predictions(loss, rng), predictions(loss, rng), targets(loss, rng)
    change = np.abs(value(loss, a, t) - value(loss, b, t))
    assert (change <= claimed * norm(loss, a - b) * (1 + SLACK) + 1e-12).all()
    y, t, _ = _probes(loss, rng)
    steepest = norm(loss, loss.unreduced_gradient(np, y, t)).max()
    assert steepest >= 0.98 * claimed, f"not tight: {steepest}"


def gradient_lipschitz(loss, claimed, rng):
    a, b, t = predictions(loss, rng), predictions(loss, rng), targets(loss, rng)
    change = norm(loss, loss.unreduced_gradient(np, a, t) - loss.unreduced_gradient(np, b, t))
    assert (change <= claimed * norm(loss, a - b) * (1 + SLACK) + 1e-12).all()
    least, most = _curvatures(loss, rng)
    if not loss.takes_rows:  # rows are drawn too sparsely to come close
        assert max(-least, most) >= 0.95 * claimed, f"not tight: {least}, {most}"


def symmetric(loss, claimed, rng):
    r, t = predictions(loss, rng), targets(loss, rng)
    r = np.round(r * 64) / 64  # so that t + r is exact
    assert np.array_equal(value(loss, t + r, t), value(loss, t - r, t))


def _sides(loss, at, function, rng):
    """Return a derivative on both sides of a residual, margin or prediction."""
    t = targets(loss, rng, 8)
    kind = argument_of(loss)
    below, above = np.full(8, at - STEP), np.full(8, at + STEP)
    if kind == "residual":
        return function(np, t + below, t), function(np, t + above, t)
    if kind == "margin":
        return t * function(np, t * below, t), t * function(np, t * above, t)
    return function(np, below, t), function(np, above, t)


def _jumps(loss, at, order, rng):
    function = loss.unreduced_hessian if order == 2 else loss.unreduced_gradient
    left, right = _sides(loss, at, function, rng)
    if order == 2 and argument_of(loss) == "margin":
        left, right = left * 1.0, right * 1.0
    return np.abs(right - left).max() > 1e-3


def _points(loss, claimed, rng):
    inside = [x for x in KINKS if loss.prediction_space != UNIT or 0 < x < 1]
    return {*inside, *claimed, *rng.uniform(0.1, 0.9, size=5)}


def breaks(loss, claimed, rng):
    if loss.takes_rows:
        return _no_jump_in_rows(loss, rng, loss.unreduced_gradient)
    for at in _points(loss, claimed, rng):
        assert _jumps(loss, at, 1, rng) == (at in claimed), at
    return None


def second_breaks(loss, claimed, rng):
    if loss.takes_rows:
        return
    for at in _points(loss, claimed, rng):
        assert _jumps(loss, at, 2, rng) == (at in claimed), at
    return


def smooth(loss, claimed, rng):
    breaks(loss, (), rng)


def twice_smooth(loss, claimed, rng):
    second_breaks(loss, (), rng)


def _no_jump_in_rows(loss, rng, function):
    y, t = predictions(loss, rng), targets(loss, rng)
    if loss.prediction_space == SIMPLEX:
        y = 0.9 * y + 0.1 / CLASSES
    d = rng.normal(size=y.shape) * STEP
    d -= d.mean(-1, keepdims=True)
    before, after = function(np, y - d, t), function(np, y + d, t)
    # Beside the size of the slope, which is large where a probability is small.
    assert (np.abs(after - before) < 1e-2 * (1 + np.abs(before))).all()


def monotone(loss, claimed, rng):
    m, t = np.sort(predictions(loss, rng)), targets(loss, rng, 1)
    values = value(loss, t * m, np.broadcast_to(t, m.shape))
    assert (np.diff(values) <= SLACK * (1 + np.abs(values[1:]))).all()


def _expected(loss, y, p):
    if not loss.takes_rows:
        ones, zeros = np.ones_like(y), np.zeros_like(y)
        return times0(p, value(loss, y, ones)) + times0(1 - p, value(loss, y, zeros))
    corners = np.eye(CLASSES)
    losses = [value(loss, y, np.broadcast_to(corner, y.shape)) for corner in corners]
    return sum(times0(p[..., k], one) for k, one in enumerate(losses))


def times0(a, b):
    return np.where(a == 0, 0.0, a * b)


def _regrets(loss, rng):
    p, q = predictions(loss, rng), predictions(loss, rng)
    return _expected(loss, q, p) - _expected(loss, p, p), norm(loss, p - q)


def proper(loss, claimed, rng):
    regret, _ = _regrets(loss, rng)
    assert (regret >= -SLACK).all()


def strictly_proper(loss, claimed, rng):
    regret, apart = _regrets(loss, rng)
    assert (regret[apart > 0.05] > 1e-6).all()


def calibrated(loss, claimed, rng):
    if loss.takes_rows:
        return _calibrated_rows(loss, rng)
    y = np.linspace(-40, 40, 16_001)
    plus = value(loss, y, np.ones_like(y))
    minus = value(loss, y, -np.ones_like(y))
    for p in (0.1, 0.3, 0.45, 0.6, 0.9):
        expected = p * plus + (1 - p) * minus
        wrong = expected[y <= 0] if p > 0.5 else expected[y >= 0]
        assert wrong.min() > expected.min() + 1e-6
    return None


def _calibrated_rows(loss, rng):
    for _ in range(5):
        p = rng.dirichlet(np.ones(CLASSES))
        best = int(np.argmax(p))
        if np.sort(p)[-1] - np.sort(p)[-2] < 0.05:
            continue
        # Close to what is best for p itself and for p with its labels smoothed:
        # a sparse search would take a wrong prediction for the best of all.
        share = rng.choice([0.0, 0.1, 0.5], size=(20_000, 1))
        spread = rng.choice([0.0, 0.01, 0.1, 1.0], size=(20_000, 1))
        z = np.log((1 - share) * p + share / CLASSES)
        z = z + rng.normal(size=z.shape) * spread
        if loss.prediction_space == SIMPLEX:
            z = np.exp(z) / np.exp(z).sum(-1, keepdims=True)
        expected = _expected(loss, z, np.broadcast_to(p, z.shape))
        wrong = expected[z.argmax(-1) != best]
        assert wrong.min() > expected.min() + 1e-5


def shift_invariant(loss, claimed, rng):
    z, t = predictions(loss, rng), targets(loss, rng)
    moved = z + rng.normal(size=(len(z), 1))
    assert np.allclose(value(loss, moved, t), value(loss, z, t), rtol=1e-9, atol=1e-9)


def permutation_equivariant(loss, claimed, rng):
    y, t = predictions(loss, rng), targets(loss, rng)
    order = rng.permutation(CLASSES)
    order = np.roll(np.arange(CLASSES), 1) if (order == np.arange(CLASSES)).all() else order
    assert np.allclose(value(loss, y[:, order], t[:, order]), value(loss, y, t), rtol=1e-12)


def finite_at_boundary(loss, claimed, rng):
    t = targets(loss, rng)
    if loss.takes_rows:
        y = np.eye(CLASSES)[rng.integers(CLASSES, size=len(t))]
    else:
        y = rng.integers(2, size=t.shape).astype(float)
    assert np.isfinite(value(loss, y, t)).all()


def elicits(loss, claimed, rng):
    if loss.takes_rows:
        return  # the mean of one-hot rows: what `proper` attacks
    for _ in range(20):
        t = rng.normal(size=5) if loss.target_space == REAL else rng.uniform(size=5)
        functional = {"mean": np.mean, "median": np.median}[claimed](t)
        guesses = functional + np.linspace(-1, 1, 41)
        expected = [value(loss, np.full(5, g), t).mean() for g in guesses]
        assert expected[20] <= min(expected) + SLACK


def gradient_zero_almost_everywhere(loss, claimed, rng):
    y, t = predictions(loss, rng)[50:], targets(loss, rng)[50:]
    assert (loss.unreduced_gradient(np, y, t) == 0).all()


def linear_in_target(loss, claimed, rng):
    y, t = predictions(loss, rng), targets(loss, rng)
    assert np.allclose(_expected(loss, y, t), value(loss, y, t), rtol=1e-9, atol=1e-12)


ATTACKS = {
    attack.__name__: attack
    for attack in (
        nonnegative,
        lower_bound,
        bounded,
        zero_at_target,
        convex,
        strictly_convex,
        strongly_convex,
        lipschitz,
        gradient_lipschitz,
        symmetric,
        smooth,
        twice_smooth,
        breaks,
        second_breaks,
        monotone,
        proper,
        strictly_proper,
        calibrated,
        shift_invariant,
        permutation_equivariant,
        finite_at_boundary,
        elicits,
        gradient_zero_almost_everywhere,
        linear_in_target,
    )
}

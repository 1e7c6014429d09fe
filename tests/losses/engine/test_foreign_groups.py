"""Groups in PyTorch and JAX: flat rows with ids, and lines that are filled up, the same slopes."""

import math

import numpy as np
import pytest

from lossfw import BINARY, NONNEGATIVE, VECTOR, Columns, GroupLoss
from lossfw.errors import ArgumentError
from lossfw.numerics import logsumexp, softplus

torch = pytest.importorskip("torch")
jax = pytest.importorskip("jax")


@pytest.fixture(autouse=True)
def in_double():
    with jax.enable_x64(True):
        yield


class Pairs(GroupLoss):
    """Pairwise logistic loss."""

    neutral = (0.0, math.nan)

    def value(self, xp, y, t):
        d, better = y[..., None, :] - y[..., :, None], t[..., :, None] > t[..., None, :]
        return xp.sum(xp.where(better, softplus(xp, d), xp.zeros_like(d)), axis=(-2, -1))


class Partial(GroupLoss):
    """Cox's partial likelihood."""

    target = Columns.of(time=NONNEGATIVE, event=BINARY)
    neutral = (0.0, (-1.0, 0.0))

    def value(self, xp, y, t):
        d = y[..., None, :] - y[..., :, None]
        at_risk = t.time[..., None, :] >= t.time[..., :, None]
        log_risk = logsumexp(xp, xp.where(at_risk, d, xp.full_like(d, -math.inf)))
        return xp.sum(xp.where(t.event > 0, log_risk, xp.zeros_like(y)), axis=-1)


class Bundle(GroupLoss):
    """A loss of vectors: the squared length of their weighted sum."""

    prediction = VECTOR
    neutral = (0.0, 0.0)

    def value(self, xp, y, t):
        return xp.sum(xp.sum(y * t[..., None], axis=-2) ** 2, axis=-1)


class Bare(Pairs):
    """No row is neutral."""

    neutral = None


RNG = np.random.default_rng(2)
SIZES = np.array([3, 3, 4, 3])
IDS = np.repeat(list("bacd"), SIZES)
N, MOST = int(SIZES.sum()), 4
INSIDE = np.arange(MOST) < SIZES[:, None]
WEIGHT = np.array([0.5, 2.0, 0.0, 1.0])
KEEP = np.arange(N) != 1
CASES = {
    "scores": (Pairs(), RNG.normal(size=N), RNG.integers(0, 3, N) * 1.0),
    "columns": (
        Partial(),
        RNG.normal(size=N),
        np.stack([RNG.integers(1, 4, N), RNG.integers(0, 2, N)], -1) * 1.0,
    ),
    "vectors": (3.0 * Bundle(), RNG.normal(size=(N, 2)), RNG.normal(size=N)),
}


def slopes_of_torch(function, y, **others):
    y = y.clone().requires_grad_()
    value = function(y, **others)
    value.backward()
    return value.item(), y.grad.numpy()


def slopes_of_jax(function, y, **others):
    value, slopes = jax.jit(jax.value_and_grad(function))(y, **others)
    return float(value), np.asarray(slopes)


LIBRARIES = {"torch": (torch.tensor, slopes_of_torch), "jax": (jax.numpy.asarray, slopes_of_jax)}


# JAX compiles each case for seconds.
@pytest.mark.parametrize(
    ("library", "case"),
    [("torch", "scores"), ("torch", "columns"), ("torch", "vectors"), ("jax", "columns")],
)
def test_flat_rows_and_filled_lines_have_the_slopes_of_numpy(library, case):
    array, slopes_of = LIBRARIES[library]
    loss, y, t = CASES[case]
    value = loss(y, t, group=IDS, sample_weight=WEIGHT, where=KEEP)
    slopes = loss.gradient(y, t, group=IDS, sample_weight=WEIGHT, where=KEEP)
    given = {"target": array(t), "sample_weight": array(WEIGHT), "where": array(KEEP)}
    found = slopes_of(lambda z: loss(z, group=IDS, **given), array(y))
    assert found[0] == pytest.approx(value, rel=1e-14)
    np.testing.assert_allclose(found[1], slopes, rtol=0, atol=1e-15)
    if library == "torch":
        called = loss.gradient(array(y), group=IDS, **given)
        np.testing.assert_allclose(called, slopes, rtol=0, atol=1e-15)

    # Whatever fills up the lines, also NaN.
    lines = [np.full((4, MOST, *x.shape[1:]), math.nan) for x in (y, t)]
    lines[0][INSIDE], lines[1][INSIDE] = y, t
    mask = INSIDE.copy()
    mask[INSIDE] = KEEP

    given = {"target": array(lines[1]), "sample_weight": array(WEIGHT), "where": array(mask)}
    found = slopes_of(lambda z, **given: loss(z, **given), array(lines[0]), **given)
    assert found[0] == pytest.approx(value, rel=1e-14)
    np.testing.assert_allclose(found[1][INSIDE], slopes, rtol=0, atol=1e-15)
    assert (found[1][~INSIDE] == 0).all()


def test_what_must_be_known_and_is_traced_has_words():
    loss, y, t = CASES["scores"]
    y, t = jax.numpy.asarray(y), jax.numpy.asarray(t)
    with pytest.raises(ArgumentError, match="group is traced"):
        jax.jit(lambda ids: loss(y, t, group=ids))(np.repeat(np.arange(4), SIZES))
    with pytest.raises(ArgumentError, match="bare has no neutral row"):
        jax.jit(lambda mask: Bare()(y, t, group=IDS, where=mask))(KEEP)

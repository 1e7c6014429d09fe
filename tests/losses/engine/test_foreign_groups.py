"""Groups in PyTorch and JAX: flat rows with ids and filled lines have the same derivatives."""

import math

import numpy as np
import pytest

import lossfw
from lossfw import BINARY, NONNEGATIVE, VECTOR, Columns, GroupLoss
from lossfw.errors import ArgumentError, DomainError, ShapeError
from lossfw.numerics import logsumexp, softplus

torch = pytest.importorskip("torch")
jax = pytest.importorskip("jax")

from lossfw.bridges.torch import module  # noqa: E402  # imports PyTorch


@pytest.fixture(autouse=True)
def in_double():
    with jax.enable_x64(True):
        yield


class Pairs(GroupLoss):
    neutral = (0.0, math.nan)

    def value(self, xp, y, t):
        d, better = y[..., None, :] - y[..., :, None], t[..., :, None] > t[..., None, :]
        return xp.sum(xp.where(better, softplus(xp, d), xp.zeros_like(d)), axis=(-2, -1))


class Partial(GroupLoss):
    target = Columns.of(time=NONNEGATIVE, event=BINARY)
    neutral = (0.0, (-1.0, 0.0))

    def value(self, xp, y, t):
        d = y[..., None, :] - y[..., :, None]
        at_risk = t.time[..., None, :] >= t.time[..., :, None]
        log_risk = logsumexp(xp, xp.where(at_risk, d, xp.full_like(d, -math.inf)))
        return xp.sum(xp.where(t.event > 0, log_risk, xp.zeros_like(y)), axis=-1)


class Bundle(GroupLoss):
    prediction = VECTOR
    neutral = (0.0, 0.0)

    def value(self, xp, y, t):
        return xp.sum(xp.sum(y * t[..., None], axis=-2) ** 2, axis=-1)


class Bare(Pairs):
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


def derivatives_of_torch(function, y, **others):
    y = y.clone().requires_grad_()
    value = function(y, **others)
    value.backward()
    return value.item(), y.grad.numpy()


def derivatives_of_jax(function, y, **others):
    value, derivatives = jax.jit(jax.value_and_grad(function))(y, **others)
    return float(value), np.asarray(derivatives)


LIBRARIES = {
    "torch": (torch.tensor, derivatives_of_torch),
    "jax": (jax.numpy.asarray, derivatives_of_jax),
}


# JAX compiles each case for seconds.
@pytest.mark.parametrize(
    ("library", "case"),
    [("torch", "scores"), ("torch", "columns"), ("torch", "vectors"), ("jax", "columns")],
)
def test_flat_rows_and_filled_lines_have_the_derivatives_of_numpy(library, case):
    array, derivatives_of = LIBRARIES[library]
    loss, y, t = CASES[case]
    value = loss(y, t, group=IDS, sample_weight=WEIGHT, where=KEEP)
    derivatives = loss.gradient(y, t, group=IDS, sample_weight=WEIGHT, where=KEEP)
    given = {"target": array(t), "sample_weight": array(WEIGHT), "where": array(KEEP)}
    found = derivatives_of(lambda z: loss(z, group=IDS, **given), array(y))
    assert found[0] == pytest.approx(value, rel=1e-14)
    np.testing.assert_allclose(found[1], derivatives, rtol=0, atol=1e-15)
    if library == "torch":
        called = loss.gradient(array(y), group=IDS, **given)
        np.testing.assert_allclose(called, derivatives, rtol=0, atol=1e-15)

    # Whatever fills up the lines, also NaN.
    lines = [np.full((4, MOST, *x.shape[1:]), math.nan) for x in (y, t)]
    lines[0][INSIDE], lines[1][INSIDE] = y, t
    mask = INSIDE.copy()
    mask[INSIDE] = KEEP

    given = {"target": array(lines[1]), "sample_weight": array(WEIGHT), "where": array(mask)}
    found = derivatives_of(lambda z, **given: loss(z, **given), array(lines[0]), **given)
    assert found[0] == pytest.approx(value, rel=1e-14)
    np.testing.assert_allclose(found[1][INSIDE], derivatives, rtol=0, atol=1e-15)
    assert (found[1][~INSIDE] == 0).all()


def test_what_must_be_known_and_is_traced_has_words():
    loss, y, t = CASES["scores"]
    y, t = jax.numpy.asarray(y), jax.numpy.asarray(t)
    with pytest.raises(ArgumentError, match="group is traced"):
        jax.jit(lambda ids: loss(y, t, group=ids))(np.repeat(np.arange(4), SIZES))
    with pytest.raises(ArgumentError, match="bare has no neutral row"):
        jax.jit(lambda mask: Bare()(y, t, group=IDS, where=mask))(KEEP)


def lines(loss, dtype="float64"):
    """Return four groups of three rows as tensors."""
    rng = np.random.default_rng(3)
    inner = {0: (), 1: (5,), 2: (2, 5)}[loss.prediction_space.axes]
    target = rng.integers(0, 2, (4, 3, *[2] * loss.target_space.axes))
    return (torch.from_numpy(x.astype(dtype)) for x in (rng.normal(size=(4, 3, *inner)), target))


GROUPED = [Pairs(), Partial(), Bundle(), *map(lossfw.loss, ("lambda_ndcg", "info_nce", "nt_xent"))]


@pytest.mark.parametrize("loss", GROUPED, ids=lambda loss: type(loss).__name__)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_module_has_the_digits_of_numpy_for_groups_of_one_size(loss, reduction):
    y, t = lines(loss, "float32")
    value, gradient = loss.value_and_gradient(y.numpy(), t.numpy(), reduction=reduction)
    leaf = y.clone().requires_grad_()
    found = module(loss, reduction=reduction)(leaf, t)
    assert "Engine" in found.grad_fn.name()
    assert found.item() == np.float32(value)
    (2.0 * found).backward()
    np.testing.assert_array_equal(leaf.grad.numpy(), 2.0 * gradient)


@pytest.mark.parametrize("loss", GROUPED[:3], ids=lambda loss: type(loss).__name__)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_module_of_groups_has_the_second_derivatives_of_a_plain_call(loss, reduction):
    y, t = lines(loss)

    def twice(call):
        leaf = y.clone().requires_grad_()
        (first,) = torch.autograd.grad(call(leaf), leaf, create_graph=True)
        return first.detach(), torch.autograd.grad((first * first.detach()).sum(), leaf)[0]

    found = twice(lambda leaf: module(loss, reduction=reduction)(leaf, t))
    wanted = twice(lambda leaf: loss(leaf, t, reduction=reduction))
    assert (found[1] != 0).any()
    torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-14)


def test_a_module_takes_all_rows_as_one_group_only_where_the_loss_does():
    vectors, labels = (x.reshape(12, -1).squeeze(-1) for x in lines(lossfw.loss("nt_xent")))
    leaf = vectors.requires_grad_()
    found = module(lossfw.loss("nt_xent"))(leaf, labels)
    assert "Engine" in found.grad_fn.name()
    assert found.item() == lossfw.loss("nt_xent")(vectors.detach().numpy(), labels.numpy())
    with pytest.raises(ArgumentError, match="pass group="):
        module(Pairs())(labels.clone().requires_grad_(), labels)
    y, t = lines(Pairs())
    with pytest.raises(ShapeError, match="the target should have"):
        module(Pairs())(y.requires_grad_(), t[:2])
    with pytest.raises(DomainError, match=r"target\[0, 0\]"):
        module(lossfw.loss("softmax_ranking"))(y, t - 2)

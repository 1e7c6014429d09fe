"""Derivatives mapped over rows by PyTorch and JAX are those of each row."""

import numpy as np
import pytest

import lossfw
from lossfw import ArgumentError, CategoricalLoss, DistanceLoss
from lossfw.bridges.jax import double_precision
from support.loss_settings import ONE_OF_EACH, arguments, smooth

# PyTorch's own, on the first use of forward differentiation.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")


class Bent(DistanceLoss):
    """A loss with a value alone, of operations that have a rule of their own at ties."""

    def value(self, xp, r):
        """Return a root near 0, and a line of another slope on each side."""
        far = xp.abs(r) + 0.5 * xp.sign(r) * r
        return xp.where(xp.abs(r) < 1.0, xp.minimum(r * r, far), xp.maximum(far, 1.0 + 0.0 * r))


class Spread(CategoricalLoss):
    """A loss of rows with a value alone."""

    def value(self, xp, y, t):
        """Return the squared distance, weighted by the distance from the largest."""
        largest = xp.max(y, axis=-1, keepdims=True)
        return xp.sum((y - t) ** 2 * (1.0 + largest - y), axis=-1)


LOSSES = [*ONE_OF_EACH, Bent(), Spread()]


def rows(loss):
    """Return a few predictions and targets with their gradients and curvatures."""
    if isinstance(loss, Spread):
        y, t = np.asarray([[0.2, 0.3, 0.5], [0.1, 0.8, 0.1]]), np.eye(3)[[2, 0]]
    else:
        y, t = (x[:6] for x in arguments(loss))
    return y, t, loss.gradient(y, t, reduction="none"), loss.hessian(y, t, reduction="none")


def summed(loss):
    return lambda y, t: loss(y, t, reduction="sum")


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_torch_maps_gradients_over_rows(loss):
    torch = pytest.importorskip("torch")
    func = torch.func
    y, t, slopes, bends = rows(loss)
    given = torch.tensor(y), torch.tensor(t)
    each = func.vmap(func.grad(summed(loss)))(*given)
    np.testing.assert_allclose(each, slopes, rtol=1e-13, atol=1e-15)
    for jacobian in (func.jacrev, func.jacfwd):
        whole = jacobian(lambda y, t: loss(y, t, reduction="none"))(*given)
        np.testing.assert_allclose(whole.sum(1), slopes, rtol=1e-13, atol=1e-15)
    curved = func.vmap(func.hessian(summed(loss)))(*given)
    if loss.takes_rows:
        curved = curved.diagonal(dim1=1, dim2=2)[smooth(loss, y, t)]
        bends = bends[smooth(loss, y, t)]
    np.testing.assert_allclose(curved, bends, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_jax_maps_gradients_over_rows(loss):
    jax = pytest.importorskip("jax")
    y, t, slopes, _ = rows(loss)
    with double_precision(True):
        given = jax.numpy.asarray(y), jax.numpy.asarray(t)
        each = jax.jit(jax.vmap(jax.grad(summed(loss))))(*given)
        np.testing.assert_allclose(each, slopes, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("mapped", [False, True])
def test_a_target_without_a_slope_has_none_forward_either(mapped):
    torch = pytest.importorskip("torch")
    y, t = torch.tensor([1.0, 5.0]), torch.tensor([1.5, 1.0])

    def forward(name):
        loss = lossfw.loss(name)
        slope = torch.func.jacfwd(lambda y, t: loss(y, t, reduction="sum"), argnums=1)
        return (torch.func.vmap(slope) if mapped else slope)(y, t).tolist()

    assert forward("huber") == [0.5, -1.0]
    with pytest.raises(ArgumentError, match="only with respect to the prediction"):
        forward("poisson_deviance")

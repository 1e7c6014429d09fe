"""What bridges to networks share: gradients by the target, and classes along any axis."""

import os

import numpy as np
import pytest

import lossfw
from lossfw.errors import ArgumentError, ShapeError

RNG = np.random.default_rng(2)
ROWS = RNG.dirichlet(np.ones(4), (2, 6)) * 0.9 + 0.025
POSITIVE = np.exp(RNG.normal(size=(2, 6)))
EXCHANGEABLE = [
    ({"name": "cosine_distance"}, ROWS),
    ({"name": "js_divergence"}, ROWS),
    ({"name": "js_divergence", "guard": "none"}, ROWS),
    ({"name": "brier"}, ROWS),
    ({"name": "squared_log_error"}, POSITIVE),
    ({"name": "scaled", "of": {"name": "cosine_distance"}, "scale": 3.0}, ROWS),
    ({"name": "huber", "delta": 9.0}, POSITIVE),
]
each = pytest.mark.parametrize(
    ("config", "pair"), EXCHANGEABLE, ids=[repr(config) for config, _ in EXCHANGEABLE]
)


def both_gradients(loss, y, t):
    """Return the gradients by prediction and by target, of a loss of a pair and of its exchange."""
    return loss.gradient(y, t, reduction="sum"), loss.gradient(t, y, reduction="sum")


@each
@pytest.mark.parametrize("reduction", ["sum", "none"])
def test_pytorch_has_the_published_gradients_of_both(config, pair, reduction):
    torch = pytest.importorskip("torch")
    from lossfw.bridges import torch as bridge

    y, t = (torch.tensor(x, requires_grad=True) for x in pair)
    criterion = bridge.module(config, reduction=reduction)
    criterion(y, t).sum().backward()
    wanted = both_gradients(lossfw.loss(config), *pair)
    for tensor, gradient in zip((y, t), wanted, strict=True):
        np.testing.assert_allclose(tensor.grad.numpy(), gradient, rtol=1e-13)
    # The target alone may be what is trained.
    only = torch.tensor(pair[1], requires_grad=True)
    criterion(torch.tensor(pair[0]), only).sum().backward()
    np.testing.assert_array_equal(only.grad.numpy(), t.grad.numpy())


# PyTorch's own forward mode calls it.
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@each
def test_pytorch_differentiates_both_twice(config, pair):
    torch = pytest.importorskip("torch")
    from lossfw.bridges import torch as bridge

    function = bridge.function(config)
    arguments = tuple(torch.tensor(x[:2], requires_grad=True) for x in pair)
    assert torch.autograd.gradcheck(function, arguments)
    assert torch.autograd.gradgradcheck(function, arguments)
    tangents = tuple(torch.tensor(x[2:4]) for x in pair)
    _, along = torch.func.jvp(function, tuple(x.detach() for x in arguments), tangents)
    gradients = torch.autograd.grad(function(*arguments).sum(), arguments)
    wanted = sum(
        (gradient * tangent).sum() for gradient, tangent in zip(gradients, tangents, strict=True)
    )
    assert along.sum().item() == pytest.approx(wanted.item(), rel=1e-12)


@pytest.mark.turns(4)
@each
def test_jax_has_the_same(config, pair):
    jax = pytest.importorskip("jax")
    from lossfw.bridges import jax as bridge
    from lossfw.losses.engine.jax_rules import double_precision

    with double_precision(True):
        y, t = map(jax.numpy.asarray, pair)

        def total(y, t):
            return bridge.function(config)(y, t).sum()

        found = jax.jit(jax.grad(total, argnums=(0, 1)))(y, t)
        for gradient, wanted in zip(found, both_gradients(lossfw.loss(config), *pair), strict=True):
            np.testing.assert_allclose(gradient, wanted, rtol=1e-12)
        # The matrix of second derivatives is symmetric, and that by t and y is not 0.
        (yy, yt), (ty, tt) = jax.hessian(total, argnums=(0, 1))(y[:2], t[:2])
        n = yy.size**0.5
        shaped = [np.reshape(x, (round(n), -1)) for x in (yy, yt, ty, tt)]
        np.testing.assert_allclose(shaped[1], shaped[2].T, rtol=1e-9, atol=1e-12)
        assert np.abs(shaped[1]).max() > 1e-3
        exchanged = jax.hessian(total)(t[:2], y[:2])
        np.testing.assert_allclose(tt, exchanged, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["kl_divergence", "cross_entropy", "poisson_deviance"])
def test_others_refuse_a_target_that_is_to_be_differentiated(name):
    torch = pytest.importorskip("torch")
    from lossfw.bridges import torch as bridge

    y, t = (torch.tensor(x, requires_grad=True) for x in ROWS)
    with pytest.raises(ArgumentError, match="only with respect to the prediction"):
        bridge.module(name, fuse=False)(y, t)


# Classes along another axis than the last, as in images.

os.environ.setdefault("KERAS_BACKEND", "torch")

OF_IMAGES = np.random.default_rng(0)
IMAGES = OF_IMAGES.normal(size=(4, 5, 6, 7)).astype(np.float32)
LABELS = OF_IMAGES.integers(0, 5, (4, 6, 7))
SOFT = OF_IMAGES.dirichlet(np.ones(5), (4, 6, 7)).astype(np.float32)


def by_torch(loss, **options):
    torch = pytest.importorskip("torch")
    from lossfw.bridges import torch as bridge

    criterion = bridge.module(loss, reduction="none", **options)
    return lambda y, t: criterion(torch.tensor(y), torch.tensor(t)).numpy()


def by_jax(loss, **options):
    pytest.importorskip("jax")
    from lossfw.bridges import jax as bridge

    return bridge.function(loss, **options)


def by_keras(loss, **options):
    keras = pytest.importorskip("keras")
    from lossfw.bridges import keras as bridge

    criterion = bridge.loss(loss, reduction="none", **options)
    return lambda y, t: keras.ops.convert_to_numpy(criterion(t, y))


# A library, and the function that takes `class_axis`.
by_each = pytest.mark.parametrize(
    ("make", "name"), [(by_torch, "module"), (by_jax, "function"), (by_keras, "loss")]
)


@by_each
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_classes_along_axis_1_are_those_of_the_last_axis(make, name):
    along_1, last = make("cross_entropy", class_axis=1), make("cross_entropy")
    images = np.moveaxis(IMAGES, 1, -1)
    np.testing.assert_allclose(along_1(IMAGES, LABELS), last(images, LABELS), rtol=1e-6)
    found = along_1(IMAGES, np.moveaxis(SOFT, -1, 1).copy())
    np.testing.assert_allclose(found, last(images, SOFT), rtol=1e-6)


@by_each
def test_an_axis_that_does_not_fit_is_told(make, name):
    with pytest.raises(ShapeError, match=rf"{name}\(\.\.\., class_axis=1\)"):
        make("cross_entropy")(IMAGES, LABELS)
    with pytest.raises(ShapeError, match="no axis 4"):
        make("cross_entropy", class_axis=4)(IMAGES, LABELS)
    with pytest.raises(ArgumentError, match="class_axis=1: huber takes single numbers"):
        make("huber", class_axis=1)
    with pytest.raises(ArgumentError, match=r"class_axis is 1\.5"):
        make("cross_entropy", class_axis=1.5)

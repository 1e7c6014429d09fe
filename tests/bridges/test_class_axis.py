"""Classes along another axis than the last, as in images, for PyTorch, JAX and Keras alike."""

import os

import numpy as np
import pytest

from lossfw import ArgumentError, ShapeError

os.environ.setdefault("KERAS_BACKEND", "torch")

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(4, 5, 6, 7)).astype(np.float32)
LABELS = RNG.integers(0, 5, (4, 6, 7))
SOFT = RNG.dirichlet(np.ones(5), (4, 6, 7)).astype(np.float32)


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
each = pytest.mark.parametrize(
    ("make", "name"), [(by_torch, "module"), (by_jax, "function"), (by_keras, "loss")]
)


@each
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_classes_along_axis_1_are_those_of_the_last_axis(make, name):
    along_1, last = make("cross_entropy", class_axis=1), make("cross_entropy")
    images = np.moveaxis(IMAGES, 1, -1)
    np.testing.assert_allclose(along_1(IMAGES, LABELS), last(images, LABELS), rtol=1e-6)
    found = along_1(IMAGES, np.moveaxis(SOFT, -1, 1).copy())
    np.testing.assert_allclose(found, last(images, SOFT), rtol=1e-6)


@each
def test_an_axis_that_does_not_fit_is_told(make, name):
    with pytest.raises(ShapeError, match=rf"{name}\(\.\.\., class_axis=1\)"):
        make("cross_entropy")(IMAGES, LABELS)
    with pytest.raises(ShapeError, match="no axis 4"):
        make("cross_entropy", class_axis=4)(IMAGES, LABELS)
    with pytest.raises(ArgumentError, match="class_axis=1: huber takes single numbers"):
        make("huber", class_axis=1)
    with pytest.raises(ArgumentError, match=r"class_axis is 1\.5"):
        make("cross_entropy", class_axis=1.5)

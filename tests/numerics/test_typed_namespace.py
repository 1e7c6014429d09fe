"""What a body makes of numbers alone has the dtype of the call, in PyTorch and JAX."""

import numpy as np
import pytest

from lossfw import LOGITS, CategoricalLoss, Claims, PointwiseLoss
from lossfw.check import check
from lossfw.numerics import namespace_of
from lossfw.numerics.typed_namespace import typed_namespace

# Three digits in float32, which shows where a number has been one.
THIRD = 0.1

MADE = {
    "where": lambda xp, y: xp.where(y > 0, THIRD, 3.5),
    "full": lambda xp, y: xp.full(y.shape, THIRD),
    "asarray of a number": lambda xp, y: xp.asarray(THIRD),
    "asarray of a list": lambda xp, y: xp.asarray([THIRD, 3.5, 1.0]),
    "zeros": lambda xp, y: xp.zeros((2,)),
    "linspace": lambda xp, y: xp.linspace(0.0, THIRD, 3),
    "arange": lambda xp, y: xp.arange(0.0, 1.0, THIRD),
    "eye": lambda xp, y: xp.eye(2),
    "maximum": lambda xp, y: xp.maximum(THIRD, 0.05),
    "exp": lambda xp, y: xp.exp(THIRD),
    "log of a whole number": lambda xp, y: xp.log(3),
    "hypot": lambda xp, y: xp.hypot(3, 4),
    "clip": lambda xp, y: xp.clip(THIRD, 0.0, 1.0),
    "stack": lambda xp, y: xp.stack([THIRD, 3.5]),
    "a sum of what was made": lambda xp, y: xp.sum(xp.full((3,), THIRD)),
}
WHOLE = {
    "where": lambda xp, y: xp.where(y > 0, 1, 0),
    "full": lambda xp, y: xp.full(y.shape, 2),
    "asarray": lambda xp, y: xp.asarray([1, 2]),
    "arange": lambda xp, y: xp.arange(3),
    "maximum": lambda xp, y: xp.maximum(1, 2),
}


@pytest.fixture(params=["torch", "jax"])
def of_library(request):
    """Make arrays of a library."""
    library = pytest.importorskip(request.param)
    if request.param == "jax":
        library.config.update("jax_enable_x64", True)
        return library.numpy.asarray
    return library.from_numpy


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", MADE)
def test_numbers_alone_have_the_dtype_of_the_call(name, dtype, of_library):
    numbers = np.array([1.0, -1.0, 2.0], dtype)
    y = of_library(numbers)
    made = MADE[name](typed_namespace(namespace_of(y), y), y)
    assert made.dtype == y.dtype
    expected = np.asarray(MADE[name](np, numbers), dtype)
    np.testing.assert_allclose(np.asarray(made), expected, rtol=2 * np.finfo(dtype).eps)


@pytest.mark.parametrize("name", WHOLE)
def test_whole_numbers_stay_whole(name, of_library):
    y = of_library(np.array([1.0, -1.0, 2.0]))
    made = np.asarray(WHOLE[name](typed_namespace(namespace_of(y), y), y))
    assert made.dtype.kind == "i"
    np.testing.assert_array_equal(made, WHOLE[name](np, np.asarray(y)))


def test_arrays_and_dtypes_that_are_given_stay(of_library):
    y = of_library(np.array([1.0, -1.0], np.float32))
    wide = of_library(np.array([THIRD]))
    xp = typed_namespace(namespace_of(y), y)
    assert xp.asarray(wide).dtype == xp.where(y > 0, wide, 0.5).dtype == wide.dtype
    assert xp.full((2,), THIRD, dtype=wide.dtype).dtype == wide.dtype
    assert typed_namespace(xp, y) is xp
    assert typed_namespace(np, np.zeros(2)) is np


class Sides(PointwiseLoss):
    def value(self, xp, y, t):
        scale = xp.maximum(0.1, 0.05) * xp.full((1,), 0.7)
        return xp.where(y > 0, 0.1, 3.5) * scale * (y - t) ** 2

    def claims(self):
        return Claims(nonnegative=True)


class Classes(CategoricalLoss):
    prediction = LOGITS

    def value(self, xp, y, t):
        return xp.sum(t * y * y * xp.where(y > 0, 0.1, 0.3), axis=-1)


Y = np.array([1.0, -1.0, 2.0])
T = np.array([0.25, 0.5, -3.0])


@pytest.mark.parametrize("method", ["__call__", "gradient", "hessian"])
def test_a_loss_has_the_same_digits_in_each_library(method, of_library):
    for loss, y, t in ((Sides(), Y, T), (Classes(), np.array([Y, T]), np.array([1, 2]))):
        function = getattr(loss, method)
        # PyTorch's functions are written out once they were called some times.
        for _ in range(10):
            found = function(of_library(y), of_library(t), reduction="none")
        assert str(found.dtype).endswith("float64")
        np.testing.assert_allclose(found, function(y, t, reduction="none"), rtol=4e-16)


def test_check_holds_the_libraries_to_numpy_and_calls_other_digits_wrong(monkeypatch):
    pytest.importorskip("torch")
    assert check(Sides(), examples=20, only=["arrays"]).refuted == []
    monkeypatch.setattr("lossfw.losses.base.typed_namespace", lambda xp, y: xp)
    (found,) = check(Sides(), examples=20, only=["arrays"]).refuted
    assert (found.check, found.grade) == ("arrays", "wrong")

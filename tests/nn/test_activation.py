"""The contract of an activation: what a call refuses, and what an author writes."""

import numpy as np
import pytest

import lossfw
from lossfw import Activation, DtypeError, RowActivation, ShapeError


def test_a_number_is_no_row():
    with pytest.raises(ShapeError, match="softmax takes rows"):
        lossfw.activation("softmax")(1.0)
    with pytest.raises(DtypeError, match="argument has unsupported dtype"):
        lossfw.activation("sigmoid")([1j])


def test_an_author_writes_the_value_alone():
    class Cube(Activation):
        def value(self, xp, x):
            return x**3

    x = np.array([-2.0, 0.0, 3.0])
    assert Cube()(x).tolist() == [-8.0, 0.0, 27.0]
    assert Cube().derivative(np, x).tolist() == [12.0, 0.0, 27.0]
    assert Cube().second_derivative(np, x).tolist() == [-12.0, 0.0, 18.0]


def test_an_author_of_rows_writes_the_value_alone():
    class Shares(RowActivation):
        def value(self, xp, x):
            return x / xp.sum(x, axis=-1, keepdims=True)

    x = np.array([[1.0, 3.0], [2.0, 2.0]])
    jacobian = np.array([[[3.0, -1.0], [-3.0, 1.0]], [[2.0, -2.0], [-2.0, 2.0]]]) / 16
    v = np.array([[1.0, -2.0], [0.5, 4.0]])
    f = Shares()
    assert np.allclose(f.derivative(np, x), jacobian, rtol=1e-14)
    assert np.allclose(f.jvp(np, x, v), np.einsum("njk,nk->nj", jacobian, v), rtol=1e-13)
    assert np.allclose(f.vjp(np, x, v), np.einsum("njk,nj->nk", jacobian, v), rtol=1e-13)
    assert f.vjp(np, x[0], v[0]).shape == (2,)
    assert f.derivative(np, np.zeros((0, 3))).shape == (0, 3, 3)
    with pytest.raises(NotImplementedError, match="function of rows"):
        f.second_derivative(np, x)

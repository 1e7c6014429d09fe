"""The same activations on the arrays of other libraries, where they are installed."""

import numpy as np
import pytest

from lossfw import ShapeError
from lossfw.numerics.arrays import namespace_of
from support.activation_samples import ELEMENTWISE, ROWS, label, make

X = np.asarray([-800.0, -40.0, -3.0, -0.5, -1e-9, 0.0, 1e-9, 0.3, 1.0, 3.0, 30.0, 800.0])


def close(found, expected):
    """Compare to a few ULPs: the functions of other libraries are their own."""
    found = np.asarray(found)
    assert found.dtype == expected.dtype
    eps = np.finfo(expected.dtype).eps
    np.testing.assert_allclose(found, expected, rtol=64 * eps, atol=1e-300)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sample", ELEMENTWISE, ids=label)
def test_elementwise(convert, sample, dtype):
    f, x = make(sample), X.astype(dtype)
    foreign = convert(x)
    with np.errstate(all="ignore"):
        close(f(foreign), f(x))
        for body in (f.derivative, f.second_derivative):
            close(body(namespace_of(foreign), foreign), body(np, x))
        # The textbook's form may cancel, and then libraries differ.
        formula = np.asarray(f.formula(namespace_of(foreign), foreign))
        np.testing.assert_allclose(formula, f.formula(np, x), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ROWS)
def test_rows(convert, name, dtype):
    f, x = make((name, {})), X.reshape(3, 4).astype(dtype)
    foreign = convert(x)
    xp = namespace_of(foreign)
    with np.errstate(all="ignore"):
        close(f(foreign), f(x))
        close(f.derivative(xp, foreign), f.derivative(np, x))
        for product in (f.jvp, f.vjp):
            close(product(xp, foreign, foreign), product(np, x, x))
    with pytest.raises(ShapeError, match="takes rows"):
        f(foreign[0, 0])

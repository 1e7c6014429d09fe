"""`exact`: the truth of losses and activations, against sources outside the code."""

from fractions import Fraction

import numpy as np
import pytest

import lossfw
from lossfw.numerics.exact.ulp import to_float


def fractions(x):
    """Return exact numbers, each of which a Fraction can hold, as Fractions."""
    return [Fraction(text) for text in map(repr, np.ravel(x))]


EXACT = {
    "a square": ("squared_error", [0.5, -3.0], [0.25, 4.0], 0, [Fraction(1, 16), 49]),
    "its derivative": ("squared_error", [-3.0], [4.0], 1, [-14]),
    "its second derivative": ("squared_error", [-3.0], [4.0], 2, [2]),
    "integers": ("squared_error", [3], [1], 0, [4]),
    "sums over rows": (
        {"name": "squared_error", "per": "row"},
        [[1.0, 2.0], [3.0, 4.0]],
        np.zeros((2, 2)),
        0,
        [5, 25],
    ),
    "the mean of both sides of a kink": ("absolute_error", [0.0], [0.0], 1, [0]),
}


@pytest.mark.parametrize(("loss", "y", "t", "order", "expected"), EXACT.values(), ids=EXACT)
def test_numbers_are_exact(loss, y, t, order, expected):
    assert fractions(lossfw.loss(loss).exact(y, t, derivative=order)) == expected


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0,)])
def test_results_have_the_shape_of_the_call(shape):
    loss, sigmoid = lossfw.loss("squared_error"), lossfw.activation("sigmoid")
    y = np.arange(np.prod(shape, dtype=int), dtype=np.float32).reshape(shape)
    for order in (0, 1, 2):
        assert loss.exact(y, np.zeros(shape), derivative=order).shape == shape
        assert sigmoid.exact(y, derivative=order).shape == shape


def test_results_have_digits_far_beyond_floats():
    assert 0 < lossfw.loss("squared_error").exact([1e-200], [0.0])[0] < 5e-324
    # log(4), to 40 digits: OEIS A016627.
    loss = lossfw.loss("cross_entropy", guard="none")
    assert repr(loss.exact([0.25, 0.75], 0)[()]).startswith("1.3862943611198906188")
    # exp(-1000) is 5.0759588975494567...e-435, less its square.
    (found,) = lossfw.activation("sigmoid").exact([-1000.0])
    assert repr(found) == "5.0759588975494567653e-435"


def test_rows_have_one_value_and_a_gradient_in_their_shape():
    loss = lossfw.loss("cross_entropy", from_logits=True)
    z = np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 40.0]])
    by_index, by_row = loss.exact(z, [0, 2]), loss.exact(z, np.eye(3)[[0, 2]])
    assert by_index.shape == (2,)
    assert (by_index == by_row).all()
    derivative = loss.exact(z, [0, 2], derivative=1)
    assert derivative.shape == (2, 3)
    # The gradient of cross-entropy is softmax less the target: each row sums to 0.
    assert all(abs(total) < 1e-28 for total in derivative.sum(-1))


def test_own_weights_are_in_it():
    loss = lossfw.loss(
        "class_weighted", of={"name": "cross_entropy", "guard": "none"}, weights=[2.0, 0.5]
    )
    y, t = np.array([[0.25, 0.75], [0.5, 0.5]]), [0, 1]
    exact = to_float(loss.exact(y, t))
    np.testing.assert_allclose(exact, loss(y, t, reduction="none"), rtol=1e-15)


@pytest.mark.parametrize("order", [3, -1, "1"])
def test_a_derivative_that_is_not_computed_is_named(order):
    for ask in (
        lambda: lossfw.loss("squared_error").exact([1.0], [0.0], derivative=order),
        lambda: lossfw.activation("relu").exact([1.0], derivative=order),
    ):
        with pytest.raises(lossfw.ArgumentError, match="expected 0, 1 or 2"):
            ask()


def test_the_jacobian_of_a_row_has_results_before_arguments():
    class First(lossfw.RowActivation):
        def value(self, xp, x):
            return x[..., :1] + 0 * x

        def vjp(self, xp, x, v):
            raise NotImplementedError

        jvp = vjp

    found = to_float(First().exact([[2.0, 3.0]], derivative=1))
    assert found.tolist() == [[[1.0, 0.0], [1.0, 0.0]]]


def test_a_row_has_no_second_derivative_and_a_number_is_no_row():
    softmax = lossfw.activation("softmax")
    with pytest.raises(lossfw.ArgumentError, match="derivative should be 0 or 1"):
        softmax.exact([[1.0, 2.0]], derivative=2)
    with pytest.raises(lossfw.ArgumentError, match="takes rows"):
        softmax.exact(1.0)

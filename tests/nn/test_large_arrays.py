"""Large arrays go through an activation's body in pieces, with the bits of the whole."""

import numpy as np
import pytest

import lossfw
from lossfw.losses.engine.engine_mode import use_engine
from lossfw.losses.engine.reduction import BLOCK_ELEMENTS, rows_per_block
from lossfw.nn import large_arrays

NAMES = ("sigmoid", "elu", "softmax", "log_softmax", "sparsemax")


class Widened(lossfw.Activation):
    def value(self, xp, x):
        return 2.0 * xp.astype(x, xp.float64)


@pytest.mark.parametrize("extra", [1, 1000])
@pytest.mark.parametrize("name", NAMES)
def test_pieces_have_the_bits_of_the_whole(name, extra):
    activation = lossfw.activation(name)
    # The last piece has one row, which NumPy could sum in another order.
    length = (rows_per_block(10) if activation.takes_rows else BLOCK_ELEMENTS // 10) + extra
    x = np.random.default_rng(0).normal(scale=30.0, size=(length, 10)).astype(np.float32)
    x[-1, :3] = [np.inf, np.nan, -0.0]
    v = np.roll(x, 7)
    with use_engine("tiles"), np.errstate(all="ignore"):
        whole = activation.value(np, x)
        np.testing.assert_array_equal(activation(x).view(np.uint32), whole.view(np.uint32))
        gradients = large_arrays.vjp(activation, x, v)
        np.testing.assert_array_equal(gradients, activation.vjp(np, x, v))


def test_a_body_with_its_own_dtype_is_called_once_for_all():
    x = np.ones(BLOCK_ELEMENTS + 1, np.float32)
    assert large_arrays.value(Widened(), x).dtype == np.float64

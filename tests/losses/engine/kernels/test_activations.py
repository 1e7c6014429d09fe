"""Kernels of activations have the bits of the author's functions."""

import numpy as np
import pytest

import lossfw
from lossfw.losses.engine.engine_mode import use_engine
from lossfw.losses.engine.kernels import watched
from lossfw.losses.engine.kernels.activations import candidate_of
from lossfw.nn import large_arrays
from support.activation_samples import ELEMENTWISE

pytest.importorskip("llvmlite", reason="llvmlite is not installed")

LINE = np.concatenate([np.linspace(-30, 30, 301), [-0.0, 1e-30, 1e30, np.inf, -np.inf, np.nan]])
NAMES = ("relu", "elu", "gelu", "mish", "softplus", "hard_swish")
ACTIVATIONS = [lossfw.activation(name, **p) for name, p in ELEMENTWISE if name in NAMES]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
def test_values_and_gradients_have_the_bits_of_the_body(activation, dtype):
    x = LINE.astype(dtype)
    v = np.roll(x, 7)
    watched.forget()
    with use_engine("compiled"), watched.trust_kernels(), np.errstate(all="ignore"):
        np.testing.assert_array_equal(activation(x), activation.value(np, x))
        for rows in (x[:306].reshape(-1, 3), x[:306].reshape(-1, 3).T):
            np.testing.assert_array_equal(activation(rows), activation.value(np, rows))
        derivative = large_arrays.vjp(activation, x, v)
        np.testing.assert_array_equal(derivative, activation.vjp(np, x, v))
        value, derivative = large_arrays.value_and_derivative(activation, x)
        np.testing.assert_array_equal(value, activation.value(np, x))
        np.testing.assert_array_equal(derivative, activation.derivative(np, x))
    assert all(entry.kernel for entry in watched._entries.values())


def test_large_arrays_go_in_pieces_and_rows_do_without():
    x = np.random.default_rng(0).normal(size=(700, 1000)).astype(np.float32)
    silu = lossfw.activation("silu")
    with use_engine("compiled"), watched.trust_kernels():
        np.testing.assert_array_equal(silu(x), silu.value(np, x))
        softmax = lossfw.activation("softmax")
        np.testing.assert_array_equal(softmax(x), softmax.value(np, x))
        # Other dtypes are converted, or left to the body.
        half = x[:3].astype(np.float16)
        np.testing.assert_array_equal(silu(half), silu.value(np, half.astype("f4")).astype("f2"))
        wide = np.ones_like(x, np.float64)
        np.testing.assert_array_equal(large_arrays.vjp(silu, x, wide), silu.vjp(np, x, wide))


def test_one_operation_of_numpy_has_no_kernel_and_more_have_one():
    exp = lossfw.activation("exp")
    told = candidate_of(exp, "value").problem(np.dtype("float64"))
    assert told == "NumPy computes it in one operation"
    x = LINE.copy()
    watched.forget()
    with use_engine("compiled"), watched.trust_kernels(), np.errstate(all="ignore"):
        np.testing.assert_array_equal(exp(x), np.exp(x))
        value, derivative = large_arrays.value_and_derivative(exp, x)
        np.testing.assert_array_equal(derivative, value)
        assert not np.shares_memory(value, derivative)
    assert sum(entry.kernel is not None for entry in watched._entries.values()) == 1


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("columns", [2, 10, 70])
def test_activations_of_rows_have_the_bits_of_numpy(name, columns):
    activation = lossfw.activation(name)
    rng = np.random.default_rng(0)
    x = (20 * rng.normal(size=(30, 7, columns))).astype(np.float32)
    x[0, :, 1], x[1], x[2, 0, 0], x[3, :, :2] = np.inf, -np.inf, np.nan, np.inf
    v = rng.normal(size=x.shape).astype(np.float32)
    watched.forget()
    found = {}
    for mode in ("tiles", "compiled"):
        with use_engine(mode), np.errstate(all="ignore"):
            found[mode] = activation(x), large_arrays.vjp(activation, x, v)
    for one, other in zip(*found.values(), strict=True):
        np.testing.assert_array_equal(one, other)
    made = [entry.kernel for entry in watched._entries.values()]
    assert len(made) == 2
    assert all(made)

"""Every built-in activation: what it says of itself, and how it behaves on odd input."""

import math

import numpy as np
import pytest

import lossfw
from lossfw import ParameterError

inf = math.inf

# The limits of value and derivative at -inf and at inf.
LIMITS = {
    "identity": (-inf, inf, 1, 1),
    "relu": (0, inf, 0, 1),
    "leaky_relu": (-inf, inf, 0.01, 1),
    "elu": (-1, inf, 0, 1),
    "selu": (-1.7580993408473769, inf, 0, 1.0507009873554805),
    "celu": (-1, inf, 0, 1),
    "softplus": (0, inf, 0, 1),
    "sigmoid": (0, 1, 0, 0),
    "tanh": (-1, 1, 0, 0),
    "silu": (0, inf, 0, 1),
    "gelu": (0, inf, 0, 1),
    "mish": (0, inf, 0, 1),
    "hard_sigmoid": (0, 1, 0, 0),
    "hard_swish": (0, inf, 0, 1),
    "softsign": (-1, 1, 0, 0),
    "step": (0, 1, 0, 0),
    "exp": (0, inf, 0, inf),
}

# What is set at a kink: the derivative at 0, or at -3 and 3.
AT_KINKS = {
    "relu": {0: 0},
    "leaky_relu": {0: 0.01},
    "selu": {0: 1.7580993408473769},
    "hard_sigmoid": {-3: 0, 3: 0},
    "hard_swish": {-3: 0, 3: 1},
    "step": {0: 0},
}


@pytest.fixture(autouse=True)
def quiet():
    """Bodies are called as the engine calls them: floating-point flags are ignored."""
    with np.errstate(all="ignore"):
        yield


@pytest.mark.parametrize("name", sorted(LIMITS))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_limits_are_reached(name, dtype):
    f, ends = lossfw.activation(name), np.array([-inf, inf], dtype)
    low, high, *derivatives = LIMITS[name]
    assert f(ends).tolist() == np.array([low, high], dtype).tolist()
    for x in (ends, np.finfo(dtype).max * np.array([-1, 1], dtype)):
        assert f.derivative(np, x).tolist() == np.array(derivatives, dtype).tolist()
        second_derivative = f.second_derivative(np, x)
        assert second_derivative.tolist() == ([0, inf] if name == "exp" else [0, 0])


@pytest.mark.parametrize("name", sorted(AT_KINKS))
def test_the_derivative_at_a_kink_is_the_documented_one(name):
    f = lossfw.activation(name)
    for kink, derivative in AT_KINKS[name].items():
        assert f.derivative(np, np.array([float(kink)])).tolist() == [derivative]
        assert abs(f.second_derivative(np, np.array([float(kink)]))[0]) < 2
    elu = lossfw.activation("elu", alpha=0.25)
    assert elu.derivative(np, np.array([0.0, -0.0])).tolist() == [0.25, 0.25]


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("leaky_relu", {"negative_slope": -0.1}, "negative_slope"),
        ("elu", {"alpha": 0.0}, "alpha"),
        ("celu", {"alpha": -1.0}, "alpha"),
        ("softplus", {"beta": 0.0}, "beta"),
        ("gelu", {"form": "sigmoid"}, "'exact' or 'tanh'"),
        ("silu", {"beta": 2.0}, "no parameter 'beta'"),
        ("elu", {"alpha": inf}, "finite"),
    ],
)
def test_parameters_have_bounds(name, parameters, words):
    with pytest.raises(ParameterError, match=words):
        lossfw.activation(name, **parameters)

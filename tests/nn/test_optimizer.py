"""Every optimizer: it descends, writes to nothing, and starts again where it stopped."""

import numpy as np
import pytest

import lossfw
from lossfw.errors import ParameterError
from lossfw.nn.optimizer import OptimizerStep

OPTIMIZERS = [
    {"name": "sgd", "learning_rate": 0.05},
    {"name": "sgd", "learning_rate": 0.05, "momentum": 0.9},
    {"name": "sgd", "learning_rate": 0.05, "momentum": 0.9, "nesterov": True},
    {"name": "adam", "learning_rate": 0.05},
]
# Of a bowl that is ten times as steep along one axis as along the other.
STEEPNESS = np.array([[1.0, 10.0]])


def make(spec, **parameters):
    return lossfw.registry().create("optimizer", spec, **parameters)


def descend(optimizer, w, state, numbers):
    for number in numbers:
        w, state = optimizer.update(
            w, STEEPNESS * w, state, OptimizerStep(number, optimizer.learning_rate)
        )
    return w, state


@pytest.mark.parametrize("spec", OPTIMIZERS, ids=str)
def test_it_reaches_the_bottom_of_a_bowl_and_goes_on_where_it_stopped(spec):
    optimizer, w = make(spec), np.array([[3.0, -2.0]])
    end, _ = descend(optimizer, w, optimizer.initial_state(w), range(1, 501))
    assert np.abs(end).max() < 1e-3
    half, state = descend(optimizer, w, optimizer.initial_state(w), range(1, 251))
    rest, _ = descend(optimizer, half, tuple(a.copy() for a in state), range(251, 501))
    assert (rest == end).all()


@pytest.mark.parametrize("spec", OPTIMIZERS, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_keeps_the_dtype_and_writes_to_nothing(spec, dtype):
    optimizer = make(spec, weight_decay=0.1)
    w, gradient = np.ones((2, 3), dtype), np.full((2, 3), 0.5, dtype)
    state = optimizer.initial_state(w)
    for array in (w, gradient, *state):
        array.setflags(write=False)
    moved, state = optimizer.update(w, gradient, state, OptimizerStep(1, 0.1))
    assert {moved.dtype, *(array.dtype for array in state)} == {np.dtype(dtype)}
    assert (moved < w).all()


@pytest.mark.parametrize("spec", OPTIMIZERS, ids=str)
def test_weight_decay_shrinks_weights_and_leaves_biases(spec):
    optimizer = make(spec, weight_decay=0.5)
    for parameter, shrinks in ((np.ones((1, 2)), True), (np.ones(2), False)):
        nothing = np.zeros_like(parameter)
        moved, _ = optimizer.update(
            parameter, nothing, optimizer.initial_state(parameter), OptimizerStep(1, 0.1)
        )
        assert (moved < 1).all() == shrinks


def test_momentum_adds_up_by_hand():
    sgd = make("sgd", learning_rate=1.0, momentum=0.5)
    w, state = np.zeros(1), (np.zeros(1),)
    seen = []
    for number in range(1, 4):
        w, state = sgd.update(w, np.ones(1), state, OptimizerStep(number, 1.0))
        seen.append(float(w[0]))
    # Velocities 1, 1.5, 1.75.
    assert seen == [-1.0, -2.5, -4.25]


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({"name": "sgd", "learning_rate": 0}, "learning_rate should be greater than 0"),
        ({"name": "sgd", "momentum": 1}, "momentum should be less than 1"),
        ({"name": "adam", "second_decay": -0.1}, "second_decay should be at least 0"),
        ({"name": "adam", "weight_decay": -1}, "weight_decay should be"),
    ],
)
def test_a_parameter_out_of_bounds_is_refused(spec, wrong):
    with pytest.raises(ParameterError, match=wrong):
        make(spec)

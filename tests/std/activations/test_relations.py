"""What built-in activations have to do with each other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossfw

numbers = st.floats(-60, 60) | st.floats(-1e-3, 1e-3)
parameters = st.sampled_from([0.25, 0.3, 1.0, 2.0, 7.5])


def act(name, x, **options):
    return float(lossfw.activation(name, **options)(x))


def slope(name, x, **options):
    return float(lossfw.activation(name, **options).derivative(np, np.array([x]))[0])


def same(wanted, size=0.0):
    """To a few ULPs; `size` is the largest term of a difference."""
    return pytest.approx(wanted, rel=3e-15, abs=max(1e-300, 3e-15 * size))


@given(numbers)
def test_rectified_lines(x):
    assert act("leaky_relu", x, negative_slope=0.0) == act("relu", x) == max(x, 0.0)
    assert act("leaky_relu", x, negative_slope=1.0) == act("identity", x) == x
    assert act("relu", x) - act("relu", -x) == x


@given(numbers, parameters)
def test_exponential_units(x, alpha):
    assert act("celu", x) == act("elu", x)
    assert act("celu", x, alpha=alpha) == same(alpha * act("celu", x / alpha))
    assert slope("celu", x, alpha=alpha) == pytest.approx(slope("celu", x / alpha), rel=1e-13)
    selu = 1.0507009873554805 * act("elu", x, alpha=1.6732632423543772)
    assert act("selu", x) == same(selu)


@given(numbers, parameters)
def test_softplus(x, beta):
    assert act("softplus", x, beta=beta) == pytest.approx(
        act("softplus", beta * x) / beta, rel=1e-13
    )
    assert slope("softplus", x, beta=beta) == pytest.approx(act("sigmoid", beta * x), rel=1e-13)
    assert act("softplus", x) - act("softplus", -x) == same(x, 60)
    assert act("softplus", x) >= act("relu", x)


@given(numbers)
def test_softplus_approaches_relu(x):
    gap = act("softplus", x, beta=1e6) - act("relu", x)
    assert 0 <= gap <= np.log(2) / 1e6 * (1 + 1e-9) + 1e-14


@given(numbers)
def test_sigmoid_and_tanh(x):
    assert act("sigmoid", x) + act("sigmoid", -x) == same(1.0)
    assert act("tanh", x) == same(2 * act("sigmoid", 2 * x) - 1, 1)
    assert slope("sigmoid", x) == same(act("sigmoid", x) * act("sigmoid", -x))
    assert slope("tanh", x) == same(1 - act("tanh", x) ** 2, 1)


@given(numbers)
def test_gated_units(x):
    assert act("silu", x) == same(x * act("sigmoid", x))
    assert act("hard_swish", x) == same(x * act("hard_sigmoid", x), 1)
    # The gate at x and the gate at -x sum to 1.
    for name, form in (("silu", {}), ("gelu", {}), ("gelu", {"form": "tanh"}), ("hard_swish", {})):
        assert act(name, x, **form) - act(name, -x, **form) == same(x, abs(x))
        assert slope(name, x, **form) + slope(name, -x, **form) == same(1.0)


@given(numbers)
def test_forms_of_gelu_are_close(x):
    assert abs(act("gelu", x) - act("gelu", x, form="tanh")) < 0.00048


def test_slopes_at_zero():
    wanted = {
        "silu": 0.5,
        "gelu": 0.5,
        "mish": 0.6,
        "hard_swish": 0.5,
        "sigmoid": 0.25,
        "tanh": 1.0,
    }
    assert {name: slope(name, 0.0) for name in wanted} == wanted


@given(numbers)
def test_straight_lines_in_place_of_curves(x):
    assert abs(act("hard_sigmoid", x) - act("sigmoid", x)) < 0.074
    assert abs(act("hard_swish", x) - act("silu", x)) < 0.15
    inside = abs(x) < 3
    assert slope("hard_sigmoid", x) == (1 / 6 if inside else 0.0)


@given(numbers)
def test_step_is_the_sign_of_the_others(x):
    for name in ("relu", "identity", "tanh", "silu", "gelu", "softsign"):
        if act(name, x) != 0:
            assert act("step", x) == (act(name, x) > 0)


@given(numbers)
def test_softsign_is_tanhs_slower_sister(x):
    assert act("softsign", x) == same(x / (1 + abs(x)))
    assert abs(act("softsign", x)) <= abs(act("tanh", x)) * (1 + 1e-15)


@given(st.floats(-700, 700))
def test_exp_and_log_softmax_are_inverse(x):
    row = np.array([x, 0.0])
    assert lossfw.activation("exp")(lossfw.activation("log_softmax")(row)) == pytest.approx(
        lossfw.activation("softmax")(row), rel=1e-12
    )


@given(st.floats(-700, 700))
def test_softmax_of_two_is_sigmoid(x):
    p = lossfw.activation("softmax")(np.array([x, 0.0]))
    assert p.tolist() == [same(act("sigmoid", x)), same(act("sigmoid", -x))]


@given(st.floats(-4, 4))
def test_sparsemax_of_two_is_a_ramp(x):
    p = lossfw.activation("sparsemax")(np.array([x, 0.0]))
    assert p[0] == same(float(np.clip((x + 1) / 2, 0, 1)), 1)

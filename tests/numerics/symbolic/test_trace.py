"""A body run on expressions: the graph computes what the body computes, or the body is refused."""

import math
import random

import numpy as np
import pytest

import lossfw
from lossfw.errors import TraceError
from lossfw.losses.engine.kernels.trial import count_differences
from lossfw.numerics.dual.derivatives import derivatives
from lossfw.numerics.symbolic.named import NamedFloat
from lossfw.numerics.symbolic.trace import trace
from lossfw.numerics.symbolic.written import write
from support.activation_samples import ELEMENTWISE
from support.loss_settings import ALL, arguments

FUNCTIONS = ("_unreduced", "_unreduced_gradient", "_unreduced_hessian", "_unreduced_with_gradient")
OF_ACTIVATIONS = ("value", "derivative", "second_derivative", "value_and_derivative")
LINE = np.concatenate([np.linspace(-30, 30, 301), [-0.0, 1e-30, 1e30, np.inf, -np.inf, np.nan]])
DTYPES = ("float32", "float64")
ACTIVATIONS = [lossfw.activation(name, **p) for name, p in ELEMENTWISE]


def agree(function, dtype, given):
    """Hold a function's graph to the function itself, to the bit."""
    arrays = {name: x.astype(dtype) for name, x in given.items()}
    graph = trace(function, dict.fromkeys(arrays, dtype))
    with np.errstate(all="ignore"):
        wanted = function(np, *arrays.values())
    wanted = wanted if isinstance(wanted, tuple) else (wanted,)
    for found, result in zip(write(graph)(**arrays), wanted, strict=True):
        assert count_differences(found, result) == 0


@pytest.mark.turns(3)
@pytest.mark.parametrize("loss", [loss for loss in ALL if not loss.takes_rows], ids=repr)
def test_the_graph_of_a_loss_has_its_bits(loss):
    y, t = arguments(loss)
    for dtype in DTYPES:
        for name in FUNCTIONS:
            try:
                agree(getattr(loss, name), dtype, {"y": y, "t": t})
            except TraceError:
                # It computes a series for rare elements alone, which no graph can.
                assert (loss.name, dtype) == ("tweedie_deviance", "float32")


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
def test_the_graph_of_an_activation_has_its_bits(activation):
    for dtype in DTYPES:
        for name in OF_ACTIVATIONS:
            agree(getattr(activation, name), dtype, {"x": LINE})


def loop(xp, r):
    total = 0.0 * r
    for k in range(1, 4):
        total = total + r ** (2 * k) / k
    return total


def in_place(xp, r):
    r = xp.abs(r)
    r += 1.0
    return r


TRACED = {
    "a loop over numbers": loop,
    "in-place operators on its own arrays": in_place,
    "powers with functions of their own": lambda xp, r: r**2 + r**0.5 + r**-1 + r**1 + r**0 + r**3,
    "a base that is a number": lambda xp, r: 2.0**r,
    "a truth value as a number": lambda xp, r: xp.astype(r > 0, r.dtype) * r,
    "the step of a dtype": lambda xp, r: xp.sqrt(r * r + xp.finfo(r.dtype).eps),
    "an integer beside floats": lambda xp, r: xp.where(r > 0, r, 0),
    "a float64 of NumPy, which widens float32": lambda xp, r: r * np.float64(0.1),
    "a float32 of NumPy": lambda xp, r: r * np.float32(0.1),
    "parts of floats": lambda xp, r: xp.frexp(r)[0] + xp.astype(xp.frexp(r)[1], r.dtype),
    "its own argument": lambda xp, r: r,
    "a number for each element": lambda xp, r: xp.full_like(r, 2.0),
    "minus zero": lambda xp, r: xp.where(r > 0, -0.0 * xp.ones_like(r), 0.0 * xp.ones_like(r)),
    "conditions joined": lambda xp, r: xp.where((r > 0) & ~(r > 1) | (r == -1), r, -r),
}


@pytest.mark.parametrize("body", TRACED.values(), ids=TRACED.keys())
def test_what_a_body_may_do(body):
    for dtype in DTYPES:
        agree(body, dtype, {"r": LINE})


def writes(xp, r):
    out = xp.abs(r)
    out[out > 1] = 1.0
    return out


REFUSED = {
    "np.abs": (lambda xp, r: np.abs(r), "fails on symbols"),
    "a decision": (lambda xp, r: r if r > 0 else -r, "decides by the values"),
    "any": (lambda xp, r: r if (r > 0).any() else -r, "the attribute .any"),
    "writing": (writes, "writes to an array"),
    "a loop over elements": (lambda xp, r: [abs(x) for x in r], "loops over the elements"),
    "math": (lambda xp, r: math.exp(r), "makes a number of an array"),
    "a method": (lambda xp, r: r.clip(0.0, 1.0), "the attribute .clip"),
    "a batch": (lambda xp, r: r / xp.max(r), "uses xp.max"),
    "a part": (lambda xp, r: r[:1], "takes a part of an array"),
    "a shape": (lambda xp, r: r / r.shape[0], "computes with a shape"),
    "a length": (lambda xp, r: r / len(r), "uses the length"),
    "zeros of a shape": (lambda xp, r: xp.zeros(r.shape) + r, "uses xp.zeros"),
    "another array": (lambda xp, r: r + np.ones(3), "fails on symbols"),
    "a list": (lambda xp, r: xp.maximum(r, [1.0]), "of an array and a list"),
    "cut floats": (lambda xp, r: xp.astype(r, xp.int64), "need not be whole"),
    "no array": (lambda xp, r: 1.0, "returns a float"),
    "truth values": (lambda xp, r: -(r > 0), "of truth values"),
    "a mistake": (lambda xp, r: xp.lgo(r), "AttributeError: lgo"),
    "numbers between": (lambda xp, r: xp.linspace(0, 1) + r, r"xp\.linspace"),
}


@pytest.mark.parametrize(("body", "told"), REFUSED.values(), ids=REFUSED.keys())
def test_what_a_body_may_not_do(body, told):
    with pytest.raises(TraceError, match=told):
        trace(body, {"r": "float64"})


def test_an_impure_body_gives_another_graph():
    shapes = [
        trace(lambda xp, r: r * random.random(), {"r": "f8"}).structure_key() for _ in range(2)
    ]  # no secret
    assert shapes[0] != shapes[1]


def test_equal_operations_are_one_and_zeros_of_two_signs_are_two():
    graph = trace(lambda xp, r: (r + 1.0) * (r + 1.0), {"r": "f8"})
    assert [node.op for node in graph.nodes] == ["input", "constant", "add", "multiply"]
    graph = trace(lambda xp, r: (r + 0.0) + (r + -0.0), {"r": "f8"})
    assert [node.value for node in graph.nodes if node.op == "constant"] == [0.0, -0.0]


def test_a_named_number_is_a_parameter_with_its_arithmetic():
    c = NamedFloat(3.0, "c")
    graph = trace(lambda xp, r: r / (2 * c - 1) + c**2 - -c, {"r": "f8"})
    assert graph.parameters() == ["c"]
    r = np.array([10.0])
    for value in (3.0, 0.5):
        wanted = r / (2 * value - 1) + value**2 + value
        np.testing.assert_array_equal(write(graph)(r=r, c=value)[0], wanted)
    # Functions of C take the number alone.
    assert trace(lambda xp, r: r * math.sqrt(c), {"r": "f8"}).parameters() == []
    assert hash(c) != hash(3.0)


# A test of NaN does not compute a value that nobody reads.

X = np.array([np.nan, -np.inf, -2.0, -1.0, -0.5, -0.0, 0.0, 0.3, 2.0, 800.0, np.inf])

# Bodies, and the operations that their derivatives do without.
OF_NAN = {
    "a logarithm": (lambda xp, x: 0.5 * xp.log1p(x * x) - 3.0, {"log1p"}),
    "of some numbers": (lambda xp, x: xp.log1p(x), {"log1p"}),
    "of positive ones": (lambda xp, x: 2.0 / xp.log(xp.abs(x)), set()),
    "a choice": (lambda xp, x: xp.where(x > 0, xp.log(x) + 1.0, xp.sqrt(xp.abs(x)) - 1.0), {"log"}),
    "infinity less itself": (lambda xp, x: x * x - xp.exp(x), set()),
}


def operations_of(body):
    graph = trace(body, {"x": "float64"})
    with np.errstate(all="ignore"):
        expected = body(np, X)
        found = write(graph.without_rare_values(), None, "C").function(X)[0]
    np.testing.assert_array_equal(found, expected)
    return {graph.nodes[node_id].op for node_id in graph.live_nodes()}


@pytest.mark.parametrize("name", OF_NAN)
def test_a_derivative_is_nan_where_its_value_is(name):
    body, spared = OF_NAN[name]
    operations = operations_of(lambda xp, x: derivatives(body, xp, x, order=1)[1])
    assert not operations & spared


def test_a_value_that_is_read_is_computed():
    def both(xp, x):
        value = xp.log1p(x)
        return xp.where(xp.isnan(value), value, 2.0 * x) + value

    assert "log1p" in operations_of(both)

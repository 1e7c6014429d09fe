"""Network: what it computes, that its bits stay, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossfw
from lossfw.errors import DataError, ShapeError
from lossfw.evaluation.predictor import BLOCK_ROWS
from lossfw.nn.dense import LayerSpec, Network

WIDTH, HIDDEN, CLASSES = 30, 17, 4


def specs(*layers):
    return [LayerSpec(units, lossfw.activation(name)) for units, name in layers]


SPECS = specs((HIDDEN, "sigmoid"), (CLASSES, "softmax"))


def arrays(dtype="f4", seed=0):
    random = np.random.default_rng(seed)
    return {
        "W1": random.normal(size=(WIDTH, HIDDEN)).astype(dtype),
        "b1": random.normal(size=HIDDEN).astype(dtype),
        "W2": random.normal(size=(HIDDEN, CLASSES)).astype(dtype),
        "b2": random.normal(size=CLASSES).astype(dtype),
    }


def network(dtype="f4"):
    return Network.from_arrays(SPECS, arrays(dtype), "w.npz")


def inputs(rows, dtype="f4"):
    return np.random.default_rng(1).normal(size=(rows, WIDTH)).astype(dtype)


@pytest.mark.parametrize(("dtype", "near"), [("f4", 1e-5), ("f8", 1e-13)])
def test_it_computes_the_textbook_network(dtype, near):
    w, x = {k: v.astype("f8") for k, v in arrays(dtype).items()}, inputs(300, dtype).astype("f8")
    hidden = 1 / (1 + np.exp(-(x @ w["W1"] + w["b1"])))
    logits = hidden @ w["W2"] + w["b2"]
    predictions = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    net = network(dtype)
    assert (net.width, net.units, net.dtype) == (WIDTH, CLASSES, np.dtype(dtype))
    assert net.forward(x).dtype == np.dtype(dtype)
    np.testing.assert_allclose(net.raw_outputs(x), logits, rtol=near, atol=near)
    np.testing.assert_allclose(net.forward(x), predictions, rtol=near, atol=near)


@given(rows=st.integers(1, 3 * BLOCK_ROWS), more=st.integers(0, BLOCK_ROWS))
def test_rows_that_follow_change_no_bit(rows, more):
    net, x = network(), inputs(4 * BLOCK_ROWS)
    short, long = net.forward(x[:rows]), net.forward(x[: rows + more])
    assert short.tobytes() == long[:rows].tobytes()
    # Nor do those that go before.
    start = BLOCK_ROWS * (1 + more % 2)
    assert long[start:].tobytes() == net.forward(x[start : rows + more]).tobytes()


def test_the_layout_of_inputs_and_weights_changes_no_bit():
    x, w = inputs(300), arrays()
    x.flags.writeable = False
    wanted = network().forward(x).tobytes()
    assert network().forward(np.asfortranarray(x)).tobytes() == wanted
    assert network().forward(np.repeat(x, 2, axis=0)[::2]).tobytes() == wanted
    turned = {name: np.asfortranarray(array) for name, array in w.items()}
    assert Network.from_arrays(SPECS, turned, "w").forward(x).tobytes() == wanted


def test_what_overflows_is_infinite_and_no_warning():
    net = Network.from_arrays(
        specs((2, "identity")), {"W1": np.full((1, 2), 1e30, "f4"), "b1": np.zeros(2, "f4")}, "w"
    )
    assert np.isinf(net.forward(np.array([[1e30]]))).all()
    assert np.isinf(net.forward(np.array([[1e300]]))).all()


def test_one_blas_thread_whatever_there_are(monkeypatch):
    threadpoolctl = pytest.importorskip("threadpoolctl")
    seen = []
    identity = type(lossfw.activation("identity"))

    class Watch(identity):
        def value(self, xp, x):
            seen.extend(
                pool["num_threads"]
                for pool in threadpoolctl.threadpool_info()
                if pool["user_api"] == "blas"
            )
            return super().value(xp, x)

    net = Network.from_arrays(
        [LayerSpec(2, Watch())], {"W1": np.ones((1, 2)), "b1": np.zeros(2)}, "w"
    )
    net.forward(np.ones((3, 1)))
    assert set(seen) == {1}


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((5, 31), r"inputs have shape \(5, 31\); the network takes \(N, 30\)"),
        ((30,), r"inputs have shape \(30,\)"),
        ((5, 5, 6), r"`flatten: true`"),
        ((5, 5, 5), r"takes \(N, 30\), since W1 has shape \(30, 17\)\.$"),
    ],
)
def test_inputs_that_do_not_fit(shape, message):
    with pytest.raises(ShapeError, match=message):
        network().forward(np.zeros(shape))


def changed(**changes):
    result = {**arrays(), **changes}
    return {name: array for name, array in result.items() if array is not None}


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (changed(W2=None, b2=None), r"the network has 2 layers, but w\.npz has weights of 1"),
        (changed(W3=np.ones((4, 2), "f4"), b3=np.ones(2, "f4")),
         r"the network has 2 layers, but w\.npz has weights of 3.*expected W1, b1, W2, b2\."),
        (changed(b2=None), r"it has W1, W2, b1; expected W1, b1, W2, b2"),
        ({}, r"it has no array"),
        (changed(W2=np.ones((HIDDEN, 5), "f4")),
         r"layers\.1 of 4 units: W2 in w\.npz has shape \(17, 5\); expected \(17, 4\)\.$"),
        (changed(W2=np.ones((4, HIDDEN), "f4")), r"expected \(17, 4\)\. .*the transpose"),
        (changed(W1=np.ones((WIDTH, 9), "f4")), r"expected \(width of the inputs, 17\)"),
        (changed(W1=np.ones(WIDTH, "f4")), r"W1 in w\.npz has shape \(30,\)"),
        (changed(b1=np.ones((1, HIDDEN), "f4")), r"b1 in w\.npz has shape \(1, 17\); expected"),
        (changed(b1=np.ones(HIDDEN)), r"all float32 or all float64; found W1 float32, b1 float64"),
        ({k: v.astype("i4") for k, v in arrays().items()}, r"found W1 int32"),
        ({k: v.astype("f2") for k, v in arrays().items()}, r"found W1 float16"),
    ],
)  # fmt: skip
def test_weights_that_do_not_fit(weights, message):
    with pytest.raises(DataError, match=message):
        Network.from_arrays(SPECS, weights, "w.npz")
    assert Network.from_arrays(SPECS, arrays(), "w", "float32").dtype == np.float32
    with pytest.raises(DataError, match=r"all float64, as configured; found W1 float32"):
        Network.from_arrays(SPECS, arrays(), "w", "float64")

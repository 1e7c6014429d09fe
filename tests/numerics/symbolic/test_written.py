"""A graph written out for PyTorch computes what the body computes there, to the bit."""

import numpy as np
import pytest

import lossfw
from lossfw.errors import TraceError
from lossfw.losses.engine.probes import element_probes, row_probes
from lossfw.numerics.symbolic.trace import trace
from lossfw.numerics.symbolic.written import write
from support.activation_samples import ELEMENTWISE
from support.loss_settings import ALL

torch = pytest.importorskip("torch")

from lossfw.numerics import torch_namespace  # noqa: E402  # imports PyTorch
from lossfw.numerics.symbolic.torch_writer import write_torch  # noqa: E402  # imports PyTorch

DTYPES = ("float32", "float64")


def units_of_rows(y):
    """Return the units in the last place that a function of rows of logits is allowed.

    Those of a distance from the largest logit are as many of its exponential as it is long.
    """
    length = np.ptp(np.where(np.isfinite(y), y, 0), axis=-1)
    return torch.from_numpy(16 + length)


def hold(graph, columns, function, arrays, units=0):
    """Hold a graph written out to its function, to the bit or to units in the last place."""
    tensors = [torch.from_numpy(x) for x in arrays]
    expected = function(torch_namespace, *tensors)
    expected = expected if isinstance(expected, tuple) else (expected,)
    found = write_torch(graph, columns).function(*tensors)
    for one, other in zip(found, expected, strict=True):
        one = one[..., 0] if one.ndim > other.ndim else one.expand(other.shape)
        assert one.dtype == other.dtype
        same = (one == other) | (one.isnan() & other.isnan())
        with np.errstate(invalid="ignore"):
            unit = torch.from_numpy(np.spacing(np.abs(other.numpy())))
        assert (same | ((one - other).abs() <= units * unit)).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "activation", [lossfw.activation(name, **p) for name, p in ELEMENTWISE], ids=repr
)
def test_a_graph_of_elements_has_the_bits_of_its_body(activation, dtype):
    x = np.linspace(-30, 30, 301).astype(dtype)
    graph = trace(activation.value_and_derivative, {"x": dtype}, use="array")
    hold(graph, None, activation.value_and_derivative, [x])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", [loss for loss in ALL if loss.takes_rows], ids=repr)
def test_a_graph_of_rows_has_the_results_of_its_body(loss, dtype):
    for columns in (2, 5):
        by_index = "value" in loss._forms_at_index
        kinds = {"y": dtype, "t": "int64" if by_index else dtype}
        function = loss._unreduced_at if by_index else loss._unreduced
        spaces = (loss.prediction_space, loss.target_space)
        try:
            graph = trace(function, kinds, columns, use="array")
        except TraceError:
            continue
        arrays = row_probes(spaces, np.dtype(dtype), columns, by_index=by_index)
        in_float64 = loss.name == "cross_entropy" and by_index and dtype == "float32"
        # PyTorch computes these in float64, and a graph of float32 does not.
        hold(graph, columns, function, arrays, units_of_rows(arrays[0]) if in_float64 else 0)


def constants(xp, y):
    chosen = xp.where(y > 0, xp.full_like(y, 0.1), xp.full_like(y, 0.7))
    return y * 0.1 + chosen, xp.hypot(y, xp.full_like(y, 1 / 3)), xp.full_like(y, 1e-7)


@pytest.mark.parametrize("dtype", DTYPES)
def test_numbers_are_exact_in_both_libraries(dtype):
    (y,) = element_probes((lossfw.LOGITS,), np.dtype(dtype))
    graph = trace(constants, {"y": dtype}, use="array")
    hold(graph, None, constants, [y])
    with np.errstate(all="ignore"):
        expected = constants(np, y)
    for found, result in zip(write(graph)(y=y), expected, strict=True):
        np.testing.assert_array_equal(found, result, strict=True)


def test_what_nobody_reads_is_not_computed_and_equal_operations_are_one():
    def body(xp, r, t):
        xp.exp(r)
        return (r * t - r) + (t * r + -r)

    source = write(trace(body, {"r": "f8", "t": "f8"})).source
    assert [line.strip() for line in source.splitlines() if "=" in line] == [
        "x3 = x0 * x1",
        "x4 = x3 - x0",
        "x6 = x4 + x4",
    ]


def test_an_operation_that_pytorch_has_not_is_refused():
    table = np.arange(4.0)
    graph = trace(lambda xp, x: xp.take(table, xp.astype(xp.floor(x), xp.int64)), {"x": "f8"})
    with pytest.raises(TraceError, match="no operation look_up"):
        write_torch(graph)

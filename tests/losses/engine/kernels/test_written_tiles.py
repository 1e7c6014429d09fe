"""Where there is no kernel, tiles of a loss without a derivative are computed by its graph."""

import numpy as np
import pytest

from lossfw.losses.engine.engine_mode import use_engine
from lossfw.losses.engine.kernels import watched
from lossfw.losses.engine.kernels.tile_function import TileFunction
from lossfw.losses.engine.kernels.trial import count_unlike
from lossfw.numerics.compiled import llvm_target
from support.author_losses import ELEMENTS, ROWS

LOSSES = [pair[0]() for pair in (*ELEMENTS, *ROWS)]


@pytest.fixture(autouse=True)
def _without_llvm(monkeypatch):
    monkeypatch.setattr(llvm_target, "is_available", lambda: False)
    monkeypatch.setattr(watched, "_SECONDS", 0.0)
    watched.forget()
    yield
    watched.forget()


def arguments(loss, dtype, columns):
    rng = np.random.default_rng(0)
    y = rng.normal(size=(60_000 // columns, columns)).astype(dtype)
    if not loss.takes_rows:
        y[5, :3] = 0.0, np.inf, np.nan
        return y, np.zeros_like(y)
    t = rng.integers(0, columns, len(y))
    if loss.name == "author_symmetric":
        e = np.exp(y)
        return (e / e.sum(-1, keepdims=True)).astype(dtype), t
    y[5], y[-1, 0] = 0.0, np.inf
    return y, t


@pytest.mark.turns(3)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("columns", [3, 10, 100])
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_written_tiles_have_the_bits_of_the_body(loss, columns, dtype):
    y, t = arguments(loss, dtype, columns)
    with use_engine("tiles"):
        value, gradient = loss.value_and_gradient(y, t)
        hessian = loss.hessian(y, t)
    numbers = []
    # The first call asks for the functions, the second is their trial.
    for _ in range(3):
        with use_engine("auto"):
            found, slope = loss.value_and_gradient(y, t)
            bend = loss.hessian(y, t)
        watched.wait()
        np.testing.assert_equal(found, value)
        assert count_unlike(slope, gradient) == count_unlike(bend, hessian) == 0
        entries = [entry for entry in watched._entries.values() if entry.written]
        assert all(entry.kernel is None for entry in entries)
        numbers.append(len(entries))
    # Of rows only the Hessian.
    assert numbers == ([1, 1, 1] if loss.takes_rows else [2, 2, 2])
    assert all(entry.trial.passed for entry in entries)


def test_a_function_whose_tiles_all_have_rare_elements_is_left_to_the_body():
    calls = []
    function = TileFunction(
        lambda y, t: (calls.append(1), y, np.isinf(y))[1:], 1, lambda results, y: results
    )
    y = np.array([1.0, np.inf])
    assert all(function(y, y) is None for _ in range(200))
    assert 0 < len(calls) < 40
    ordinary = TileFunction(lambda y, t: (y, np.isinf(y)), 1, lambda results, y: results)
    assert all(ordinary(y[:1], y[:1]) is not None for _ in range(200))

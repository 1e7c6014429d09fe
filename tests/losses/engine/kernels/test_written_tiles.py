"""Where there is no kernel yet, tiles of a loss without a derivative are computed by its graph."""

import numpy as np
import pytest

from lossfw.losses.engine.engine_mode import use_engine
from lossfw.losses.engine.kernels import watched
from lossfw.losses.engine.kernels.calls import candidate_of
from lossfw.losses.engine.kernels.trial import count_differences
from lossfw.numerics.compiled import llvm_target
from support.author_columns import Burr, GeneralisedPareto, Gumbel
from support.author_losses import ELEMENTS, ROWS
from support.column_members import drawn_members

HAS_LLVM = llvm_target.is_available()

LOSSES = [pair[0]() for pair in (*ELEMENTS, *ROWS)]
CASES = [(loss, n) for loss in LOSSES for n in (3, 10, 100)]
CASES += [(loss, 0) for loss in (Gumbel(), Burr(), GeneralisedPareto())]


@pytest.fixture(autouse=True)
def _without_llvm(monkeypatch):
    monkeypatch.setattr(llvm_target, "is_available", lambda: False)
    monkeypatch.setattr(watched, "_SECONDS", 0.0)
    monkeypatch.setattr(watched, "_SECONDS_UNTIL_WRITTEN", 0.0)
    watched.forget()
    yield
    watched.forget()


def arguments(loss, dtype, columns):
    if loss.has_columns:
        return drawn_members(loss, dtype)
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
@pytest.mark.parametrize(("loss", "columns"), CASES, ids=str)
def test_written_tiles_have_the_bits_of_the_body(loss, columns, dtype):
    y, t = arguments(loss, dtype, columns)
    with use_engine("tiles"):
        value, gradient = loss.value_and_gradient(y, t)
        hessian = loss.hessian(y, t)
    numbers = []
    # The first call asks for the functions, the second is their trial.
    for _ in range(3):
        with use_engine("auto"):
            found, derivative = loss.value_and_gradient(y, t)
            second_derivative = loss.hessian(y, t)
        watched.wait()
        np.testing.assert_equal(found, value)
        assert (
            count_differences(derivative, gradient)
            == count_differences(second_derivative, hessian)
            == 0
        )
        entries = [entry for entry in watched._entries.values() if entry.written]
        assert all(entry.kernel is None for entry in entries)
        numbers.append(len(entries))
    assert numbers == [2, 2, 2]
    # Members of columns are too few for the trial to end.
    assert loss.has_columns or all(entry.written_trial.passed for entry in entries)


@pytest.mark.parametrize("columns", [3, 100])
@pytest.mark.parametrize("form", ["gradient", "both", "hessian"])
@pytest.mark.parametrize("author", [pair[0] for pair in ROWS])
def test_derived_functions_of_rows_have_a_kernel(author, form, columns):
    candidate = candidate_of(author(), form, columns, by_index=form != "hessian")
    assert candidate.problem(np.dtype(np.float64)) == ""


@pytest.mark.skipif(not HAS_LLVM, reason="llvmlite is not installed")
def test_a_function_is_written_out_until_there_is_a_kernel(monkeypatch):
    monkeypatch.setattr(llvm_target, "is_available", lambda: True)
    monkeypatch.setattr(watched, "_SECONDS", 1e9)
    loss = ROWS[0][0]()
    y, t = arguments(loss, "float64", 10)

    def call():
        with use_engine("auto"):
            value, gradient = loss.value_and_gradient(y, t)
        watched.wait()
        (entry,) = watched._entries.values()
        return value, gradient, entry.written is not None, entry.kernel is not None

    found = [call() for _ in range(3)]
    monkeypatch.setattr(watched, "_SECONDS", 0.0)
    # With the written function, and then with the kernel.
    found += [call() for _ in range(3)]
    assert [pair[2:] for pair in found] == [(True, False)] * 3 + [(False, True)] * 3
    for value, gradient, *_ in found:
        np.testing.assert_equal(value, found[0][0])
        assert count_differences(gradient, found[0][1]) == 0

"""Kernels in calls: the bits of tiles in every case, and when and where there is none."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import lossfw
from lossfw.errors import ParameterError
from lossfw.losses.engine import call_kernels, engine_mode, fast_path, kernels
from lossfw.losses.engine.candidates import NoKernelError
from lossfw.losses.engine.engine_mode import use_engine
from support.engines import same_bits
from support.loss_settings import arguments

pytest.importorskip("llvmlite", reason="llvmlite is not installed")

DTYPES = ("float32", "float64")
LOSSES = [
    lossfw.loss("squared_error", factor=0.3),
    lossfw.loss("welsch"),
    lossfw.loss("hinge"),
    lossfw.loss("poisson_deviance"),
    lossfw.loss("binary_cross_entropy", from_logits=True),
    lossfw.loss("binary_cross_entropy"),
    2 * lossfw.loss("log_cosh") + lossfw.loss("absolute_error"),
    lossfw.loss("huber", per="row"),
]


@pytest.fixture(autouse=True)
def anew():
    kernels.forget()
    yield
    kernels.wait()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_calls_have_the_bits_of_tiles(loss, dtype):
    rng = np.random.default_rng(0)
    y, t = arguments(loss)
    some = rng.integers(0, len(y), (401, 3))
    y, t = y[some].astype(dtype), t[some].astype(dtype)
    rows = loss.sums_rows
    weight = rng.random(401 if rows else y.shape)
    where = rng.random(weight.shape) < 0.8
    same_bits(loss, y, t)
    same_bits(loss, y, t, sample_weight=weight)
    same_bits(loss, y, t, sample_weight=weight * where)
    same_bits(loss, y, t, where=where)
    same_bits(loss, y[::2], np.asfortranarray(t)[::2])
    if not loss._fast_path_traits.needs_check:
        # Rounding would leave a bounded space.
        same_bits(loss, y.astype(np.float16), t)
    made = [entry.kernel for entry in kernels._entries.values()]
    assert made
    assert all(made)


def test_blocks_and_threads_change_no_bit():
    loss = lossfw.loss("cauchy")
    y = np.random.default_rng(0).normal(size=1_500_001).astype(np.float32)
    t = np.zeros_like(y)
    with use_engine("tiles"):
        wanted = loss.value_and_gradient(y, t)
    with use_engine("compiled"), kernels.trusted():
        for count in (1, 2, 5):
            with lossfw.threads(count):
                value, slope = loss.value_and_gradient(y, t)
            assert value == wanted[0]
            np.testing.assert_array_equal(slope, wanted[1])
        with ThreadPoolExecutor(8) as pool:
            values = set(pool.map(lambda _: loss(y[:70_000], t[:70_000]), range(40)))
    assert len(values) == 1


@pytest.mark.parametrize("count", [3, 300_000])
@pytest.mark.parametrize("name", ["poisson_deviance", "hinge", "absolute_percentage_error"])
def test_what_lies_outside_is_told_as_by_tiles(name, count):
    loss = lossfw.loss(name)
    y, t = np.ones(count), np.ones(count)
    wrong = y if name == "poisson_deviance" else t
    wrong[count // 2] = 0.0 if name == "absolute_percentage_error" else -2.0
    told = []
    for mode in ("tiles", "compiled"):
        with use_engine(mode), pytest.raises(lossfw.DomainError) as caught:
            loss(y, t)
        told.append(str(caught.value))
    assert told[0] == told[1]
    assert f"[{count // 2}] = {wrong[count // 2]:g}" in told[0]


class OtherOnNumpy(lossfw.DistanceLoss):
    "Another form on NumPy."

    def value(self, xp, r):
        return np.log1p(np.abs(r)) if xp is np else xp.log(1 + xp.abs(r))


COUNTED = []


class Counting(lossfw.DistanceLoss):
    "A body with a memory."

    def value(self, xp, r):
        COUNTED.append(1)
        return r * r * len(COUNTED)


class Widened(lossfw.DistanceLoss):
    "float64 for float32."

    def value(self, xp, r):
        return r * np.float64(0.1)


class OfTheBatch(lossfw.DistanceLoss):
    "A body that looks at the whole array."

    def value(self, xp, r):
        return r / xp.max(xp.abs(r))


class Pure(lossfw.DistanceLoss):
    "An author's loss, without derivatives."

    c: float = 2.0

    def value(self, xp, r):
        return xp.where(xp.abs(r) < self.c, r * r, xp.exp(-xp.abs(r)))


REFUSED = [
    (OtherOnNumpy(), "f8", "other bits"),
    (Counting(), "f8", "other bits"),
    (Widened(), "f4", "returns float64 for float32"),
    (OfTheBatch(), "f8", r"uses xp\.max"),
]


@pytest.mark.parametrize(("loss", "dtype", "told"), REFUSED)
def test_a_hostile_body_has_no_kernel_and_runs_in_tiles(loss, dtype, told):
    with pytest.raises(NoKernelError, match=told):
        call_kernels.candidate_of(loss, "value").kernel(np.dtype(dtype))
    y = np.linspace(-3, 3, 100).astype(dtype)
    with use_engine("compiled"), kernels.trusted():
        assert np.isfinite(loss(y, 0 * y))


def test_an_authors_loss_has_kernels_of_dual_numbers():
    same_bits(Pure(), np.linspace(-5, 5, 1001), np.zeros(1001))
    assert all(entry.kernel for entry in kernels._entries.values())


def test_losses_that_are_equal_but_for_the_sign_of_a_zero_have_kernels_of_their_own():
    y = np.array([0.0] * 200)
    with use_engine("compiled"), kernels.trusted():
        for c in (0.0, -0.0):
            assert Pure(c=c)(y, y) == 1.0
    assert len(kernels._entries) == 2


def test_a_kernel_is_made_in_a_thread_once_it_pays(monkeypatch):
    monkeypatch.setattr(kernels, "_ELEMENTS", 10_000)
    loss, y = Pure(), np.linspace(-5, 5, 7000)
    with use_engine("auto"):
        first = loss.gradient(y, 0 * y)
        kernels.wait()
        assert not any(entry.kernel for entry in kernels._entries.values())
        second = loss.gradient(y, 0 * y)
        kernels.wait()
        assert any(entry.kernel for entry in kernels._entries.values())
        third = loss.gradient(y, 0 * y)
    np.testing.assert_array_equal(first, second)
    small = loss.gradient(y[:100], 0 * y[:100], reduction="sum")
    np.testing.assert_array_equal(first, third)
    np.testing.assert_array_equal(small, loss.gradient(y, 0 * y, reduction="sum")[:100])


def test_without_llvmlite_and_with_a_broken_llvm_tiles_go_on(monkeypatch, capsys):
    def broken(*_):
        raise RuntimeError("LLVM is broken")

    y = np.linspace(-5, 5, 7000)
    wanted = Pure()(y, 0 * y)
    monkeypatch.setattr(kernels, "_ELEMENTS", 1)
    with use_engine("explain"):
        with monkeypatch.context() as patch:
            patch.setattr(kernels.llvm_target, "is_available", lambda: False)
            assert Pure().gradient(y, 0 * y, reduction="sum").shape == y.shape
        kernels.forget()
        monkeypatch.setattr("lossfw.numerics.compiled.kernel.code_of", broken)
        Pure().gradient(y, 0 * y)
        kernels.wait()
        assert Pure()(y, 0 * y) == wanted
    told = capsys.readouterr().err
    assert "llvmlite is not installed: Pure(c=2.0) stays in tiles" in told
    assert "Pure(c=2.0), float64, gradient: tiles: RuntimeError: LLVM is broken" in told


def test_the_variable_chooses_and_a_mistake_is_told(monkeypatch):
    for text, mode in (("", "auto"), ("tiles", "tiles"), ("tile", None)):
        monkeypatch.setenv("LOSSFW_ENGINE", text)
        assert engine_mode._from_environment() == mode
    monkeypatch.setattr(engine_mode, "current", [None])
    monkeypatch.setattr(fast_path, "current", [None])
    y = np.ones(3)
    with pytest.raises(ParameterError, match="tiles, compiled, explain, or empty, got 'tile'"):
        Pure()(y, y)


PROGRAM = """
import numpy as np, lossfw
y = np.linspace(-5, 5, 10_000)
print(lossfw.loss("welsch").gradient(y, 0 * y).sum())
"""


SMALL_CALLS = """
import sys
import numpy as np, lossfw
y = np.ones(100)
lossfw.loss("huber").value_and_gradient(y, y)
lossfw.activation("gelu")(y)
print([name for name in sys.modules if "namespace" in name and "symbolic" in name])
print([name for name in sys.modules if "candidates" in name or "llvmlite" in name])
"""


def test_small_calls_import_neither_expressions_nor_llvm():
    run = [sys.executable, "-c", SMALL_CALLS]
    environment = {**os.environ, "LOSSFW_ENGINE": ""}
    ended = subprocess.run(run, env=environment, capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n[]\n"


def test_a_process_ends_while_it_compiles():
    hurried = PROGRAM.replace("import numpy", "from lossfw.losses.engine import kernels\n"
                              "kernels._ELEMENTS = 1\nimport numpy")  # fmt: skip
    environment = {**os.environ, "LOSSFW_ENGINE": ""}
    ended = subprocess.run(
        [sys.executable, "-c", hurried], env=environment, capture_output=True, text=True
    )
    assert (ended.returncode, ended.stderr) == (0, "")

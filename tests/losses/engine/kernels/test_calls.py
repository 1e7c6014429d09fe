"""Kernels in calls: the bits of tiles in every case, and when and where there is none."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest

import lossfw
from lossfw.errors import DomainError, ParameterError
from lossfw.losses.engine import engine_mode, execute, fast_path
from lossfw.losses.engine.engine_mode import use_engine
from lossfw.losses.engine.kernels import watched
from lossfw.losses.engine.kernels.calls import candidate_of
from support.engines import run_program, same_bits, same_bits_with_options
from support.loss_settings import arguments

pytest.importorskip("llvmlite", reason="llvmlite is not installed")
pytestmark = pytest.mark.usefixtures("fresh_kernels")

LOSSES = [
    lossfw.loss("squared_error", factor=0.3),
    lossfw.loss("hinge"),
    lossfw.loss("poisson_deviance"),
    lossfw.loss("binary_cross_entropy", from_logits=True),
    lossfw.loss("binary_cross_entropy"),
    2 * lossfw.loss("log_cosh") + lossfw.loss("absolute_error"),
    lossfw.loss("huber", per="row"),
]
LOGITS = lossfw.loss("cross_entropy", from_logits=True)
ROWS = [
    (LOGITS, 10, "float32"),
    (LOGITS, 70, "float64"),
    (lossfw.loss("cross_entropy", label_smoothing=0.1, from_logits=True), 70, "float32"),
    (lossfw.loss("cross_entropy"), 3, "float32"),
    (2 * lossfw.loss("categorical_focal"), 3, "float64"),
]


def all_have_kernels():
    """Return whether each function that was asked for has a kernel."""
    made = [entry.kernel for entry in watched._entries.values()]
    return bool(made) and all(made)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_calls_have_the_bits_of_tiles(loss, dtype):
    rng = np.random.default_rng(0)
    y, t = arguments(loss)
    some = rng.integers(0, len(y), (401, 3))
    y, t = y[some].astype(dtype), t[some].astype(dtype)
    rows = loss._sums_rows
    weight = rng.random(401 if rows else y.shape)
    same_bits_with_options(loss, y, t, weight, rng.random(weight.shape) < 0.8)
    if not loss._fast_path_traits.needs_check:
        # Rounding would leave a bounded space.
        same_bits(loss, y.astype(np.float16), t)
    assert all_have_kernels()


def rows_and_targets(loss, columns, dtype):
    rng = np.random.default_rng(columns)
    z = 6 * rng.normal(size=(300, columns))
    # Sure rows, as trained networks have them.
    z[::4, 0] += 60
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    y = z if getattr(loss, "from_logits", False) else e / e.sum(axis=-1, keepdims=True)
    index = np.where(rng.random(300) < 0.5, z.argmax(axis=-1), rng.integers(0, columns, 300))
    return y.astype(dtype), index, rng.dirichlet(np.ones(columns), 300).astype(dtype)


@pytest.mark.parametrize(("loss", "columns", "dtype"), ROWS)
def test_calls_of_rows_have_the_bits_of_tiles(loss, columns, dtype):
    y, index, soft = rows_and_targets(loss, columns, dtype)
    rng = np.random.default_rng(0)
    weight, where = rng.random(len(y)), rng.random(len(y)) < 0.8
    for t in (index, soft):
        same_bits(loss, y, t)
        same_bits(loss, y, t, sample_weight=weight)
        same_bits(loss, y, t, sample_weight=weight * where, where=weight > 0.1)
        same_bits(loss, y[::2], t[::2])
        same_bits(loss, np.asfortranarray(y[:1]), t[:1])
    same_bits(loss, y.reshape(5, 60, columns), index.astype(np.uint8).reshape(5, 60))
    assert all_have_kernels()


def test_infinite_and_missing_logits_and_many_blocks_change_no_bit():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(40_000, 10)).astype(np.float32)
    z[5, 2], z[7, 1:3], z[9], z[11, 4] = np.inf, np.inf, -np.inf, np.nan
    index = rng.integers(0, 10, len(z))
    same_bits(LOGITS, z[20:300].astype("float16"), index[20:300])
    assert all_have_kernels()
    for count in (1, 2):
        with lossfw.threads(count):
            same_bits(LOGITS, z, index)


def test_blocks_and_threads_change_no_bit():
    loss = lossfw.loss("cauchy")
    y = np.random.default_rng(0).normal(size=1_500_001).astype(np.float32)
    t = np.zeros_like(y)
    with use_engine("tiles"):
        wanted = loss.value_and_gradient(y, t)
    with use_engine("compiled"), watched.trust_kernels():
        for count in (1, 2, 5):
            with lossfw.threads(count):
                value, derivative = loss.value_and_gradient(y, t)
            assert value == wanted[0]
            np.testing.assert_array_equal(derivative, wanted[1])
        with ThreadPoolExecutor(8) as pool:
            values = set(pool.map(lambda _: loss(y[:70_000], t[:70_000]), range(40)))
    assert len(values) == 1


def message_of(mode, function, *arguments):
    """Return the message of a `DomainError`, empty if there is none."""
    watched.forget()
    with use_engine(mode), watched.trust_kernels():
        try:
            function(*arguments)
        except DomainError as error:
            return str(error)
    return ""


def same_message(function, *arguments):
    expected = message_of("tiles", function, *arguments)
    assert message_of("compiled", function, *arguments) == expected
    return expected


@pytest.mark.parametrize("count", [3, 300_000])
@pytest.mark.parametrize("name", ["poisson_deviance", "hinge", "absolute_percentage_error"])
def test_an_element_outside_has_the_message_of_tiles(name, count):
    y, t = np.ones(count), np.ones(count)
    wrong = y if name == "poisson_deviance" else t
    wrong[count // 2] = 0.0 if name == "absolute_percentage_error" else -2.0
    message = same_message(lossfw.loss(name), y, t)
    assert f"[{count // 2}] = {wrong[count // 2]:g}" in message


@pytest.mark.parametrize("name", ["cross_entropy", "kl_divergence", "dice"])
@pytest.mark.parametrize("wrong", [[1.5, -0.5, 0.0], [0.5, 0.2, 0.2], [-0.1, 1.1, np.nan]])
def test_a_row_or_a_class_outside_has_the_message_of_tiles(name, wrong):
    loss, rng = lossfw.loss(name), np.random.default_rng(0)
    y, t = rng.dirichlet(np.ones(3), 900), rng.integers(0, 3, 900)
    given = t if name == "cross_entropy" else np.eye(3)[t]
    y[[0, 500]] = np.nan
    assert same_message(loss, y, given) == ""
    if name == "cross_entropy":
        assert "target[77] = 4" in same_message(loss, y, np.where(np.arange(900) == 77, 4, t))
    y[700] = wrong
    messages = [same_message(function, y, given) for function in (loss, loss.value_and_gradient)]
    assert "prediction[700" in messages[0] or sum(wrong) < 1


class RowsOfTheBatch(lossfw.CategoricalLoss):
    def value(self, xp, y, t):
        return xp.sum((y - t) ** 2, axis=-1) / xp.max(y)


@pytest.mark.parametrize(
    ("loss", "columns", "reason"),
    [
        (RowsOfTheBatch(), 5, "along another axis than that of rows"),
        (lossfw.loss("brier"), 1, "a row of one element"),
    ],
)
def test_rows_without_a_kernel_run_in_tiles(loss, columns, reason):
    assert reason in candidate_of(loss, "value", columns, by_index=True).problem(np.dtype("f8"))
    with use_engine("compiled"), watched.trust_kernels():
        assert np.isfinite(loss(np.full((30, columns), 1.0 / columns), np.zeros(30, int)))


class Pure(lossfw.DistanceLoss):
    c: float = 2.0

    def value(self, xp, r):
        return xp.where(xp.abs(r) < self.c, r * r, xp.exp(-xp.abs(r)))


def test_losses_that_are_equal_but_for_the_sign_of_a_zero_have_kernels_of_their_own():
    y = np.array([0.0] * 200)
    with use_engine("compiled"), watched.trust_kernels():
        for c in (0.0, -0.0):
            assert Pure(c=c)(y, y) == 1.0
    assert len(watched._entries) == 2


def test_a_kernel_is_made_in_a_thread_once_its_tiles_have_taken_long(monkeypatch):
    # Every call takes 40 milliseconds by this clock.
    clock = SimpleNamespace(thread_time=itertools.count(0.0, 0.04).__next__)
    monkeypatch.setattr(execute, "time", clock)
    loss, y = Pure(), np.linspace(-5, 5, 7000)
    with use_engine("auto"):
        first = loss.gradient(y, 0 * y)
        watched.wait()
        assert not any(entry.kernel for entry in watched._entries.values())
        second = loss.gradient(y, 0 * y)
        watched.wait()
        (entry,) = watched._entries.values()
        assert entry.kernel
        # What a kernel takes is not the time of tiles.
        third = loss.gradient(y, 0 * y)
        assert entry.seconds == pytest.approx(0.08)
    np.testing.assert_array_equal(first, second)
    small = loss.gradient(y[:100], 0 * y[:100], reduction="sum")
    np.testing.assert_array_equal(first, third)
    np.testing.assert_array_equal(small, loss.gradient(y, 0 * y, reduction="sum")[:100])


def test_small_calls_of_rows_and_with_weights_have_kernels_too(monkeypatch):
    monkeypatch.setattr(watched, "_SECONDS", 0.0)
    rng = np.random.default_rng(0)
    z, k, w = rng.normal(size=(20, 10)), rng.integers(0, 10, 20), rng.random(20)
    with use_engine("tiles"):
        expected = LOGITS.gradient(z, k), Pure().gradient(w, 0 * w, sample_weight=w)
    with use_engine("auto"):
        for _ in range(250):
            np.testing.assert_array_equal(LOGITS.gradient(z, k), expected[0])
            np.testing.assert_array_equal(Pure().gradient(w, 0 * w, sample_weight=w), expected[1])
            watched.wait()
    assert all_have_kernels()
    # Of rows one, of elements one for tiles and one with weights.
    assert len(watched._entries) == 3


def test_without_llvmlite_and_with_a_broken_llvm_tiles_go_on(monkeypatch, capsys):
    def broken(*_):
        raise RuntimeError("LLVM is broken")

    y = np.linspace(-5, 5, 7000)
    wanted = Pure()(y, 0 * y)
    monkeypatch.setattr(watched, "_SECONDS", 0.0)
    monkeypatch.setattr(watched, "_SECONDS_UNTIL_WRITTEN", 0.0)
    with use_engine("explain"):
        with monkeypatch.context() as patch:
            patch.setattr(watched.llvm_target, "is_available", lambda: False)
            assert Pure().gradient(y, 0 * y, reduction="sum").shape == y.shape
            watched.wait()
        watched.forget()
        monkeypatch.setattr("lossfw.numerics.compiled.kernel.machine_code", broken)
        Pure().gradient(y, 0 * y)
        watched.wait()
        assert Pure()(y, 0 * y) == wanted
    told = capsys.readouterr().err
    where = "Pure(c=2.0), float64, gradient: tiles by a straight function"
    assert f"{where}: llvmlite is not installed" in told
    assert f"{where}: RuntimeError: LLVM is broken" in told


def test_the_variable_chooses_and_a_mistake_is_told(monkeypatch):
    for text, mode in (("", "auto"), ("tiles", "tiles"), ("tile", None)):
        monkeypatch.setenv("LOSSFW_ENGINE", text)
        assert engine_mode._mode_from_environment() == mode
    monkeypatch.setattr(engine_mode, "current", [None])
    monkeypatch.setattr(fast_path, "current", [None])
    y = np.ones(3)
    with pytest.raises(ParameterError, match="tiles, compiled, explain, or empty, got 'tile'"):
        Pure()(y, y)


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
    assert run_program(SMALL_CALLS) == "[]\n[]\n"


COMPILING = """
from lossfw.losses.engine.kernels import watched
watched._SECONDS = 0.0
import numpy as np, lossfw
y = np.linspace(-5, 5, 10_000)
print(lossfw.loss("welsch").gradient(y, 0 * y).sum())
"""


def test_a_process_ends_while_it_compiles():
    assert run_program(COMPILING)

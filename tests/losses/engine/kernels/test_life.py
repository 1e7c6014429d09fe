"""The life of a kernel: its trial, a fork while it is made, and its end."""

import os
import threading
import weakref

import numpy as np
import pytest

import lossfw
from lossfw.losses.engine.engine_mode import use_engine
from lossfw.losses.engine.kernels import watched
from lossfw.numerics.compiled import llvm_target
from support.engines import run_program
from support.loss_settings import arguments

pytest.importorskip("llvmlite", reason="llvmlite is not installed")

FACTOR = [1.0]


class Unsteady(lossfw.DistanceLoss):
    def value(self, xp, r):
        return FACTOR[0] * xp.abs(r) + r * r

    def derivative(self, xp, r):
        return FACTOR[0] * xp.sign(r) + 2 * r


class UnsteadyRows(lossfw.CategoricalLoss):
    def value(self, xp, y, t):
        return FACTOR[0] * xp.sum(xp.abs(y - t), axis=-1)


class UnsteadyUnit(lossfw.Activation):
    def value(self, xp, x):
        return FACTOR[0] * x * x + x


@pytest.fixture(autouse=True)
def steady(fresh_kernels):
    FACTOR[0] = 1.0


Y, T = np.linspace(-3.0, 3.0, 9000), np.linspace(1.0, -2.0, 9000)
ROWS = np.full((3000, 3), 1 / 3)
WEIGHT = np.linspace(0.5, 2.0, 9000)
CALLS = {
    "value": lambda: Unsteady()(Y, T),
    "losses": lambda: Unsteady()(Y, T, reduction="none"),
    "gradient": lambda: Unsteady().gradient(Y, T),
    "both": lambda: Unsteady().value_and_gradient(Y, T)[1],
    "weighted": lambda: Unsteady().gradient(Y, T, sample_weight=WEIGHT),
    "masked": lambda: Unsteady()(Y, T, where=Y > 0),
    "partial": lambda: Unsteady().partial(Y, T).mean(),
    "rows": lambda: UnsteadyRows()(ROWS, np.eye(3)[np.arange(3000) % 3]),
    "classes": lambda: UnsteadyRows()(ROWS, np.arange(3000) % 3),
    "activation": lambda: UnsteadyUnit()(Y),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_kernel_with_other_numbers_than_the_body_is_not_used(name, monkeypatch, capsys):
    monkeypatch.setattr(watched, "_SECONDS", 0.0)
    with use_engine("explain"):
        CALLS[name]()
        watched.wait()
        assert any(entry.kernel for entry in watched._entries.values())
        FACTOR[0] = 2.0
        found = [CALLS[name]() for _ in range(2)]
        # What is asked for with the second call, as a weighted kernel, is right.
        watched.wait()
        found.append(CALLS[name]())
    with use_engine("tiles"):
        wanted = CALLS[name]()
    for result in found:
        np.testing.assert_array_equal(result, wanted)
    problems = {entry.problem for entry in watched._entries.values() if entry.problem}
    assert len(problems) == 1
    assert "the kernel had other bits than the body at" in problems.pop()
    assert "tiles: the kernel had other bits than the body at" in capsys.readouterr().err


def test_a_trial_ends_when_enough_numbers_agree():
    loss = lossfw.loss("log_cosh")
    with use_engine("compiled"):
        loss(Y[:4000], T[:4000])
        (entry,) = watched._entries.values()
        assert not entry.trial.passed
        loss(Y[:4000], T[:4000])
        assert entry.trial.passed
        assert entry.kernel is not None


def test_what_was_not_compared_ends_no_trial():
    loss = lossfw.loss("log_cosh")
    weight = np.ones(len(Y))
    weight[::2] = 0
    with use_engine("compiled"):
        for some, passed in ((weight, False), (1 + weight, True)):
            loss(Y, T, sample_weight=some)
            # A weight of 0 sends its block through a tile, whose kernel knows no weights.
            (of_weights,) = (entry for key, entry in watched._entries.items() if key[-1])
            assert of_weights.trial.passed is passed


FORK = """
import os, sys, threading
os.environ["LOSSFW_THREADS"] = "1"
import numpy as np, lossfw
from lossfw.losses.engine.kernels import watched
from lossfw.numerics.compiled import llvm_target
watched._SECONDS = 0.0
refuse, begun = llvm_target._refuse_at_exit, threading.Event()

def begin_step():
    steps.append(number)
    if len(steps) == number % 3:
        begun.set()
    refuse()

llvm_target._refuse_at_exit = begin_step
y = np.linspace(-5.0, 5.0, 9000)
for number in range(8):
    steps = []
    begun.clear()
    loss = lossfw.loss("huber", delta=1.0 + number)
    wanted = loss(y, 0 * y)
    if number % 3:
        # In the first or the second step of LLVM.
        begun.wait()
    child = os.fork()
    if not child:
        if number % 2:
            # The child makes the kernel itself, and computes with it.
            loss(y, 0 * y)
            watched.wait()
            assert any(entry.kernel for entry in watched._entries.values())
            assert loss(y, 0 * y) == loss(y, 0 * y) == wanted
        sys.exit(0)
    assert os.waitpid(child, 0)[1] == 0
print("ended")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_that_is_forked_while_a_kernel_is_made_ends_and_has_kernels():
    assert run_program(FORK) == "ended\n"


def test_an_end_of_python_waits_for_one_step_of_a_kernel_alone(monkeypatch):
    monkeypatch.setattr(llvm_target, "_is_ending", threading.Event())
    llvm_target.stop_compiling()
    with use_engine("compiled"):
        Unsteady()(Y[1:], T[1:])
    (entry,) = watched._entries.values()
    assert entry.problem == "Python ends"


def test_kernels_that_were_not_used_for_long_are_freed(monkeypatch):
    monkeypatch.setattr(watched, "_MOST_KERNELS", 3)
    with use_engine("compiled"), watched.trust_kernels():
        loss = lossfw.loss("huber", delta=0.5)
        wanted = loss(Y, T)
        (first,) = (entry.kernel for entry in watched._entries.values())
        for number in range(6):
            other = lossfw.loss("huber", delta=2.0 + number)
            other(Y, T)
            if number == 2:
                codes = [weakref.ref(entry.kernel._code) for entry in watched._entries.values()]
            # The first is used again and again, and stays.
            assert loss(Y, T) == wanted
        assert len(watched._entries) == 3
        assert first in [entry.kernel for entry in watched._entries.values()]
        assert sum(code() is not None for code in codes) == 1
        # Who computes with a kernel has it, also when it is forgotten.
        watched.forget()
        assert len(llvm_target._codes) >= 1
        assert first(Y, T)[0] / Y.size == pytest.approx(wanted)
        llvm_target._free_unused()
        assert not llvm_target._unused


@pytest.mark.parametrize("loss", ["huber", "poisson_deviance", "brier", "cross_entropy"])
def test_calls_without_rows_have_the_bits_of_tiles(loss):
    loss = lossfw.loss(loss)
    y, t = arguments(loss) if not loss.takes_rows else (np.zeros((1, 3)), np.zeros((1, 3)))
    cases = [(y[:0], t[:0])]
    if loss.takes_classes:
        cases += [(np.zeros((0, 3)), np.zeros(0, dtype)) for dtype in ("i8", "u1")]
    for prediction, target in cases:
        for weight in (None, np.zeros(0)):
            options = {"sample_weight": weight, "empty": "zero"}
            found = []
            for mode in ("tiles", "compiled"):
                with use_engine(mode):
                    found.append(_without_rows(loss, prediction, target, options))
            assert str(found[0]) == str(found[1])


def _without_rows(loss, y, t, options):
    return [
        *(loss(y, t, reduction=reduction, **options) for reduction in ("mean", "sum", "none")),
        loss.gradient(y, t, **options),
        loss.hessian(y, t, **options),
        loss.value_and_gradient(y, t, **options),
        loss.partial(y, t).count,
    ]

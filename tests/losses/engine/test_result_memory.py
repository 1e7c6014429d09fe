"""Memory of large results is used again, and never while somebody still holds it."""

import gc
import mmap
import os
import pickle
import subprocess
import sys
import threading
from collections import deque

import numpy as np
import pytest

import lossfw
from lossfw.errors import ParameterError
from lossfw.losses.engine import result_memory

LOSS = lossfw.loss("squared_error")
# More than the small calls that need no engine.
SIZE = 6000
TARGET = np.zeros(SIZE)

pytestmark = pytest.mark.skipif(
    not hasattr(mmap, "MADV_FREE"), reason="the system cannot mark memory as free"
)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Use the memory of small results again, too, and begin with none."""
    monkeypatch.setattr(result_memory, "_LEAST", 8 * 1000)
    monkeypatch.setattr(result_memory, "_free", deque(maxlen=2))
    monkeypatch.delenv(result_memory.VARIABLE, raising=False)


def gradient(number, size=SIZE):
    """Return a gradient that is 2 times the number everywhere."""
    return LOSS.gradient(TARGET[:size] + number, TARGET[:size], reduction="sum")


def losses(number, size=SIZE):
    return LOSS(TARGET[:size] + number, TARGET[:size], reduction="none")


def address(array):
    return array.__array_interface__["data"][0]


def is_kept(array):
    """Tell whether the memory of an array will be used again."""
    while isinstance(array, np.ndarray):
        array = array.base
    return array is not None


# Ways to hold a result: whole, in part, under another name, or elsewhere.
HOLDERS = (
    lambda x: x,
    lambda x: x[5:10],
    lambda x: x.reshape(-1, 1)[::-3],
    lambda x: x.view(np.int64).view(np.float64),
    lambda x: memoryview(x)[7:],
    lambda x: {"deep": [x.T]},
    lambda x: x.flat,
    np.ravel,
)


def test_a_thousand_results_that_are_held_keep_their_numbers():
    kept = []
    for number in range(1000):
        array = gradient(number) if number % 2 else losses(number)
        kept.append((HOLDERS[number % len(HOLDERS)](array), float(array[6])))
        del array
        if number % 3 == 0:
            # Results that nobody holds come and go between them.
            gradient(-1.0), losses(-1.0)
    for thing, number in kept:
        array = np.asarray(thing["deep"][0] if isinstance(thing, dict) else thing)
        assert set(array.ravel().tolist()) == {number}
    addresses = {address(thing) for thing, _ in kept if isinstance(thing, np.ndarray)}
    assert len(addresses) > 600
    del thing, array


@pytest.mark.parametrize("make", [gradient, losses])
def test_memory_that_nobody_holds_is_taken_again(make):
    first = make(1.0)
    where = address(first)
    view = first[10:20]
    del first
    other = make(2.0)
    assert address(other) != where
    assert view.tolist() == [make(1.0)[0]] * 10
    del view
    assert where in {address(x) for x in (make(3.0), make(3.0), make(3.0))}


def test_a_smaller_result_takes_memory_that_is_a_little_larger_and_no_other():
    where = address(gradient(1.0))
    assert address(gradient(1.0, 5000)) == where
    assert address(gradient(1.0, 4500)) != where
    assert address(gradient(1.0)) == where


def test_threads_never_share_memory():
    wrong = []

    def work(first):
        held = deque(maxlen=3)
        for number in range(first, first + 200):
            held.append((number, gradient(number)))
            wrong.extend(n for n, array in held if (array != 2.0 * n).any())

    threads = [threading.Thread(target=work, args=(10_000 * k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(result_memory._free) <= 2


def test_a_finalizer_that_computes_a_result_amid_another_is_safe():
    class Ring:
        def __init__(self, number):
            self.array, self.ring = gradient(number), self

        def __del__(self):
            # What is collected may still look at its array, and make one.
            assert (self.array == self.array[0]).all()
            seen.append(gradient(-1.0))

    seen = []
    for number in range(5):
        Ring(number)
        array = gradient(number)
        gc.collect()
        assert (array == 2.0 * number).all()
    assert len(seen) == 5
    assert all((array == -2.0).all() for array in seen)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
# JAX, where another test has imported it, warns of any fork.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_forked_process_writes_into_no_result_of_its_parent():
    held, freed = gradient(1.0), gradient(2.0)
    del freed
    process = os.fork()
    if process == 0:
        code = 1
        try:
            fine = (held == 2.0).all()
            del held
            fine &= all((gradient(n) == 2.0 * n).all() for n in (5.0, 6.0, 7.0))
            code = 0 if fine else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
    assert (held == 2.0).all()
    assert (gradient(3.0) == 6.0).all()


def test_results_are_like_those_of_numpy():
    array = gradient(1.5)
    assert is_kept(array)
    assert array.flags.carray
    again = pickle.loads(pickle.dumps(array))
    np.testing.assert_array_equal(again, array)
    assert address(again) != address(array)
    assert array.copy().flags.owndata


def test_a_tensor_holds_its_result():
    torch = pytest.importorskip("torch")
    tensors = [torch.from_numpy(gradient(n))[3:5] for n in range(20)]
    assert [tensor.tolist() for tensor in tensors] == [[2.0 * n, 2.0 * n] for n in range(20)]
    derivatives = []
    for number in range(20):
        y = torch.full((SIZE,), float(number), dtype=torch.float64, requires_grad=True)
        LOSS(y, torch.zeros(SIZE, dtype=torch.float64), reduction="sum").backward()
        derivatives.append(y.grad)
    assert [set(derivative.tolist()) for derivative in derivatives] == [
        {2.0 * n} for n in range(20)
    ]


@pytest.mark.parametrize(("name", "value"), [("_LEAST", 2**20), ("_MOST", 2**12), ("_FREE", None)])
def test_other_sizes_and_systems_get_fresh_memory(monkeypatch, name, value):
    monkeypatch.setattr(result_memory, name, value)
    assert not is_kept(gradient(1.0))


def test_it_can_be_turned_off_and_what_cannot_be_marked_is_not_kept(monkeypatch):
    monkeypatch.setattr(result_memory, "_FREE", 9999)
    gradient(1.0)
    assert not result_memory._free
    monkeypatch.setenv(result_memory.VARIABLE, "0")
    assert not is_kept(gradient(1.0))
    monkeypatch.setenv(result_memory.VARIABLE, "no")
    with pytest.raises(ParameterError, match=r"LOSSFW_REUSE_MEMORY should be 0, 1 or empty.*'no'"):
        gradient(1.0)


def test_where_the_system_has_no_more_memory_numpy_says_so(monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError(12, "Cannot allocate memory")

    gradient(1.0)
    monkeypatch.setattr(result_memory.mmap, "mmap", refuse)
    monkeypatch.setattr(result_memory, "_LARGER", 0)
    assert (gradient(2.0) == 4.0).all()
    assert not result_memory._free


def test_a_process_ends_quietly_with_results_in_its_hands():
    script = """
import numpy as np, lossfw
from lossfw.losses.engine import result_memory
result_memory._LEAST = 1
loss, t = lossfw.loss("squared_error"), np.zeros(6000)
np.held, lossfw.held, held = (loss.gradient(t + n, t) for n in range(3))
loss.gradient(t, t)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout + done.stderr == ""

"""Threads: their number is checked, and failures do not depend on it."""

import os
import threading
from collections import Counter

import numpy as np
import pytest

import lossfw
from lossfw import ParameterError
from lossfw.losses.engine import threads
from support.engines import run_program
from support.waiting import HANGS


@pytest.mark.parametrize("count", [1, 2, 5])
def test_results_come_in_order(count):
    with lossfw.threads(count):
        assert threads.run(lambda n: n * n, range(20)) == [n * n for n in range(20)]


@pytest.mark.parametrize("count", [1, 2, 4])
def test_the_first_failure_in_order_is_raised(count):
    later = threading.Event()

    def task(n):
        if n == 3 and count > 1:
            assert later.wait(HANGS)
        if n == 4:
            later.set()
        if n in (3, 4, 9):
            raise ValueError(n)
        return n

    with lossfw.threads(count), pytest.raises(ValueError, match=r"^3$"):
        threads.run(task, range(12))


class Items:
    """Some numbers; a thread gets its second when the main thread, which fails, asks again."""

    def __init__(self):
        self.asked, self.failed = Counter(), threading.Event()

    def __len__(self):
        return 300

    def __iter__(self):
        return self

    def __next__(self):
        thread = threading.current_thread()
        self.asked[thread] += 1
        if self.asked[thread] > 1:
            if thread is threading.main_thread():
                self.failed.set()
            assert self.failed.wait(HANGS)
        if self.asked.total() > len(self):
            raise StopIteration
        return 1


def test_an_interruption_ends_the_other_threads():
    done = []

    def task(n):
        if threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt
        done.append(n)

    with lossfw.threads(2), pytest.raises(KeyboardInterrupt):
        threads.run(task, Items())
    assert len(done) <= 1


def test_floating_point_warnings_are_off_in_every_thread():
    with lossfw.threads(2):
        out = threads.run(lambda n: np.log(np.zeros(1)) * n, range(1, 9))
    assert all(np.isneginf(x[0]) for x in out)


def test_the_environment_sets_the_number(monkeypatch):
    for wrong in ("0", "-1", "two", "1.5"):
        monkeypatch.setenv("LOSSFW_THREADS", wrong)
        with pytest.raises(ParameterError, match=f"LOSSFW_THREADS.*{wrong}"):
            threads.thread_count()
    monkeypatch.setenv("LOSSFW_THREADS", "3")
    assert threads.thread_count() == 3
    with lossfw.threads(1):
        assert threads.thread_count() == 1
    with pytest.raises(ParameterError, match="got 0"), lossfw.threads(0):
        pass


ON_ONE_PROCESSOR = """
import os
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
os.environ["LOSSFW_THREADS"] = ""
from lossfw.losses.engine import threads
print(threads.thread_count())
"""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_only_processors_that_the_process_may_use_count():
    assert run_program(ON_ONE_PROCESSOR) == "1\n"

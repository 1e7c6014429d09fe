"""Clock: stages add up, and one within another is not counted twice."""

import pytest

from lossfw.evaluation import stopwatch as module
from lossfw.evaluation.stopwatch import Stopwatch


@pytest.fixture
def passing(monkeypatch):
    """A clock that moves only on a call."""

    class Time:
        now = 0.0

        def perf_counter(self):
            return self.now

    time = Time()
    monkeypatch.setattr(module, "time", time)
    return time


def test_a_stage_is_counted_each_time(passing):
    clock = Stopwatch()
    for seconds in (1.0, 2.0):
        with clock.stage("a"):
            passing.now += seconds
        passing.now += 10.0
    assert clock.seconds == {"a": 3.0}


def test_a_stage_that_fails_is_counted(passing):
    clock = Stopwatch()

    def fail():
        with clock.stage("a"):
            passing.now += 1.0
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert clock.seconds == {"a": 1.0}


def test_a_stage_within_is_not_counted_twice(passing):
    def made(seconds, items):
        for item in items:
            passing.now += seconds
            yield item

    clock = Stopwatch()
    inner = clock.time_items("inner", made(1.0, range(3)))
    outer = clock.time_items("outer", made(2.0, inner), except_stage="inner")
    for _ in outer:
        passing.now += 100.0
    assert clock.seconds == {"inner": 3.0, "outer": 6.0}

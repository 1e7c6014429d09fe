import io

import pytest

from lossfw.cli import progress as module
from lossfw.cli.progress import PATIENCE_SECONDS, ProgressBar


class Terminal(io.StringIO):
    """A standard error that says it is a terminal."""

    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test sets."""
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def shown(monkeypatch, clock, stream, seconds):
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    with ProgressBar() as progress:
        clock[0] = seconds
        progress(50, 200)
    return stream.getvalue()


def test_a_long_run_shows_how_far_it_is(monkeypatch, clock):
    assert "25%" in shown(monkeypatch, clock, Terminal(), PATIENCE_SECONDS)


def test_a_short_run_shows_nothing(monkeypatch, clock):
    assert shown(monkeypatch, clock, Terminal(), 0.9 * PATIENCE_SECONDS) == ""


def test_nothing_is_shown_where_nobody_watches(monkeypatch, clock):
    assert shown(monkeypatch, clock, io.StringIO(), 100.0) == ""


def test_the_bar_goes_when_the_run_fails(monkeypatch, clock):
    stopped = []
    monkeypatch.setattr("sys.stderr", Terminal())
    bar = type("Bar", (), {"stop": lambda self: stopped.append(self), "task_ids": [0]})()
    bar.update = lambda task, completed, description: None
    monkeypatch.setattr(module, "_new_bar", lambda what, total: bar)

    def fail():
        with ProgressBar() as progress:
            clock[0] = PATIENCE_SECONDS
            progress(1, 2)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert stopped == [bar]

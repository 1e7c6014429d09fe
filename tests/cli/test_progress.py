import contextlib
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


@pytest.mark.parametrize(
    ("stream", "seconds", "said"),
    [(Terminal, PATIENCE_SECONDS, "25%"), (Terminal, 0.9 * PATIENCE_SECONDS, ""),
     (io.StringIO, 100.0, "")],
    ids=["long", "short", "nobody watches"],
)  # fmt: skip
def test_only_a_long_run_that_somebody_watches_shows_how_far_it_is(
    stream, seconds, said, monkeypatch, clock
):
    found = shown(monkeypatch, clock, stream(), seconds)
    assert said in found
    assert bool(found) == bool(said)


def test_the_bar_goes_when_the_run_fails(monkeypatch, clock):
    stopped = []
    monkeypatch.setattr("sys.stderr", Terminal())
    bar = type("Bar", (), {"stop": lambda self: stopped.append(self), "task_ids": [0]})()
    bar.update = lambda task, completed, description: None
    monkeypatch.setattr(module, "_new_bar", lambda what, total: bar)
    with contextlib.suppress(ZeroDivisionError), ProgressBar() as progress:
        clock[0] = PATIENCE_SECONDS
        progress(1, 2)
        raise ZeroDivisionError
    assert stopped == [bar]

"""Ctrl-C ends a run on a cluster of this machine in words, and none of its processes answers."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from lossfw.scale.cluster import delay_interruption
from support.waiting import HANGS

INTERRUPTS_ITSELF = "import os, signal; os.kill(os.getpid(), signal.SIGINT); print('went on')"


def test_it_comes_at_the_end():
    # Who starts the tests may have it ignored, as a shell does in the background.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    went_on = []

    def interrupted():
        with delay_interruption():
            signal.raise_signal(signal.SIGINT)
            went_on.append(True)

    try:
        with pytest.raises(KeyboardInterrupt):
            interrupted()
        assert went_on
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="no masks of signals")
@pytest.mark.parametrize("in_thread", [False, True])
def test_a_process_that_starts_inside_never_gets_it(in_thread):
    done = []

    def start():
        command = [sys.executable, "-S", "-c", INTERRUPTS_ITSELF]
        done.append(subprocess.run(command, capture_output=True, text=True, check=False))

    with delay_interruption():
        in_another_thread(start) if in_thread else start()
    assert (done[0].returncode, done[0].stdout) == (0, "went on\n")


def in_another_thread(work):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_another_thread_has_no_signals_to_answer():
    done = []

    def work():
        with delay_interruption():
            done.append(True)

    in_another_thread(work)
    assert done == [True]


# A run that says when something has happened in it so many times.
TELLS = """
import sys
event, left = sys.argv[1], int(sys.argv[2])

def listen(name, arguments):
    global left
    left -= name == event
    if name == event and left == 0:
        print("now", flush=True)

sys.addaudithook(listen)
from lossfw.cli import main
main(sys.argv[3:])
"""
# Scheduler and workers begin, answer, and have results that are kept.
MOMENTS = [("socket.bind", 1), ("socket.connect", 1), ("socket.bind", 4), ("sqlite3.connect", 1)]


@pytest.mark.slow
@pytest.mark.parametrize(("event", "number"), MOMENTS)
def test_a_run_on_a_cluster_is_interrupted_as_by_a_terminal(folder, event, number):
    pytest.importorskip("distributed", reason="dask is not installed")
    arguments = [event, str(number), "run", "run.yaml", "--out", "o", "--cluster", "local:2"]
    # A terminal sends the signal to every process of its group.
    ran = subprocess.Popen(
        [sys.executable, "-c", TELLS, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )  # fmt: skip
    assert ran.stdout.readline() == "now\n"
    os.killpg(ran.pid, signal.SIGINT)
    _, told = ran.communicate(timeout=HANGS)
    assert "Traceback" not in told
    if ran.returncode:
        assert told.endswith("o: interrupted; --resume continues from here\nlossfw: interrupted\n")

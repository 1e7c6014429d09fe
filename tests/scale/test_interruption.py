"""Ctrl-C ends a run on a cluster of this machine in words, and none of its processes answers."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from lossfw.scale.cluster import delay_interruption
from support.waiting import HANGS, wait_for

INTERRUPTS_ITSELF = "import os, signal; os.kill(os.getpid(), signal.SIGINT); print('went on')"


def test_it_comes_at_the_end():
    # Who starts the tests may have it ignored, as a shell does in the background.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    went_on = []

    def interrupted():
        with delay_interruption():
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.02)
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
        if in_thread:
            thread = threading.Thread(target=start)
            thread.start()
            thread.join()
        else:
            start()
    assert (done[0].returncode, done[0].stdout) == (0, "went on\n")


def test_another_thread_has_no_signals_to_answer():
    def work():
        with delay_interruption():
            done.append(True)

    done = []
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.5, 1.0, 1.5, 2.0, 3.0])
def test_a_run_on_a_cluster_is_interrupted_as_by_a_terminal(folder, delay):
    pytest.importorskip("distributed", reason="dask is not installed")
    command = [sys.executable, "-c", "from lossfw.cli import main; main()", "run", "run.yaml"]
    command += ["--out", "o", "--cluster", "local:2"]
    # A terminal sends the signal to every process of its group.
    ran = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    wait_for((folder / "o").exists)
    time.sleep(delay)
    os.killpg(ran.pid, signal.SIGINT)
    _, told = ran.communicate(timeout=HANGS)
    assert "Traceback" not in told
    if ran.returncode:
        assert told.endswith("o: interrupted; --resume continues from here\nlossfw: interrupted\n")

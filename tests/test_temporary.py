"""Temporary folders go with the process that made them, however a signal ends it."""

import ast
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import lossfw
from lossfw.temporary import temporary_folder
from support.waiting import HANGS, wait_for

ROOT = Path(lossfw.__file__).parents[1]
ENDING = ["SIGTERM", pytest.param("SIGHUP", marks=pytest.mark.skipif(
    not hasattr(signal, "SIGHUP"), reason="this system has no SIGHUP"))]  # fmt: skip

# A folder within another, with a file, until a signal comes.
WAITING = """\
import signal, sys, time
from lossfw.temporary import temporary_folder

{before}
with temporary_folder() as outer, temporary_folder() as inner:
    (inner / "file").write_text("some")
    print("ready", flush=True)
    {during}
    time.sleep({seconds})
    {after}
"""
RUN = """\
lossfw: 1
data: {name: arrays, targets: t.npy}
network: {predictions: p.npy}
loss: cross_entropy
evaluate: {metrics: [accuracy], save_rows: true}
"""


@pytest.fixture
def begin(tmp_path):
    """Start a program with a temporary folder of its own, and return it with that folder."""
    begun = []
    made = tmp_path / "temporary"
    made.mkdir()

    def begin(*words, **options):
        environment = {**os.environ, "TMPDIR": str(made), "TEMP": str(made), "TMP": str(made)}
        words = [sys.executable, *words]
        begun.append(subprocess.Popen(words, env=environment, text=True, **options))
        return begun[-1], made

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


def waiting(before="", during="", after="", seconds=HANGS):
    return "-c", WAITING.format(before=before, during=during, after=after, seconds=seconds)


@pytest.mark.parametrize("name", ENDING)
def test_a_signal_ends_the_process_and_leaves_no_folder(begin, name):
    # A terminal's tools, as nohup, have processes ignore SIGHUP: this one does not.
    usual = f"signal.signal(signal.{name}, signal.SIG_DFL)"
    process, made = begin(*waiting(before=usual), stdout=subprocess.PIPE)
    assert process.stdout.readline() == "ready\n"
    assert len(list(made.glob("lossfw-*"))) == 2
    process.send_signal(getattr(signal, name))
    # As a process ends that does not answer the signal.
    assert process.wait(HANGS) == -getattr(signal, name)
    assert list(made.iterdir()) == []


def test_a_signal_while_a_folder_is_removed_leaves_none(begin):
    words = waiting(
        before="from tempfile import TemporaryDirectory\n"
        "close = TemporaryDirectory.__exit__\n"
        "def ended(*of):\n"
        "    signal.raise_signal(signal.SIGTERM)\n"
        "    close(*of)\n"
        "TemporaryDirectory.__exit__ = ended",
        seconds=0,
    )
    process, made = begin(*words, stdout=subprocess.PIPE)
    assert process.wait(HANGS) == -signal.SIGTERM
    assert list(made.iterdir()) == []


@pytest.mark.parametrize("answer", ["signal.SIG_IGN", "lambda *_: print('mine', flush=True)"])
def test_who_answers_the_signal_goes_on_doing_so(begin, answer):
    words = waiting(
        before=f"signal.signal(signal.SIGTERM, {answer})",
        during="signal.raise_signal(signal.SIGTERM)",
        after="print(inner.is_dir())",
        seconds=0,
    )
    process, made = begin(*words, stdout=subprocess.PIPE)
    told, _ = process.communicate(timeout=HANGS)
    assert told.split() == ["ready", *(["mine"] if "mine" in answer else []), "True"]
    assert process.returncode == 0
    assert list(made.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_that_ends_leaves_the_folders_of_its_parent(begin):
    words = waiting(
        before="import os",
        during="child = os.fork()\n"
        "    if not child: signal.raise_signal(signal.SIGTERM)\n"
        "    os.waitpid(child, 0)",
        after="print(inner.is_dir())",
        seconds=0,
    )
    process, _ = begin(*words, stdout=subprocess.PIPE)
    assert process.communicate(timeout=HANGS)[0].split() == ["ready", "True"]


def test_signals_are_answered_as_before_at_the_end():
    before = signal.getsignal(signal.SIGTERM)
    with temporary_folder() as outer, temporary_folder(parent=outer) as near:
        assert near.parent == outer.parent
        assert near.name.startswith(f".{outer.name}.")
        assert signal.getsignal(signal.SIGTERM) != signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) == before
    assert not outer.exists()
    assert not near.exists()
    found = []

    def elsewhere():
        with temporary_folder() as folder:  # only the main thread answers signals
            found.append((folder.is_dir(), signal.getsignal(signal.SIGTERM) == before))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert found == [(True, True)]


def test_every_temporary_folder_is_made_here():
    """Others would stay where a signal ends the process."""
    others = {"TemporaryDirectory", "mkdtemp", "mkstemp", "NamedTemporaryFile"}
    found = []
    for path in [*ROOT.joinpath("lossfw").rglob("*.py"), *ROOT.joinpath("plugins").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            name = getattr(node, "attr", getattr(node, "id", None))
            if name in others:
                found.append(path.relative_to(ROOT).as_posix())
    assert found == ["lossfw/temporary.py"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ENDING)
def test_a_run_on_a_cluster_of_processes_leaves_no_folder(begin, name, folder):
    pytest.importorskip("distributed")
    import numpy as np

    random = np.random.default_rng(0)
    np.save(folder / "p.npy", random.dirichlet(np.ones(20), 200_000))
    np.save(folder / "t.npy", random.integers(0, 20, 200_000))
    (folder / "run.yaml").write_text(RUN)
    words = ["-m", "lossfw", "run", "run.yaml", "--out", "o", "--cluster", "local:2"]
    process, made = begin(*words, stderr=subprocess.PIPE)
    wait_for(lambda: list(made.glob("lossfw-*/*")) or process.poll() is not None)
    process.send_signal(getattr(signal, name))
    assert process.wait(HANGS) == -getattr(signal, name), process.stderr.read()
    assert list(made.glob("lossfw-*")) == []

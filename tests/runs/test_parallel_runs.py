"""Several runs: side by side, each for itself, all in one table."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lossfw.cli import batch
from lossfw.components.plugin_choice import Plugins
from lossfw.errors import OutputError
from lossfw.runs.parallel_runs import requests_of, run_all
from lossfw.runs.records import RunRequest
from lossfw.runs.worker import WorkerProcess
from support.configs import read
from support.waiting import wait_for

PLAIN = """\
lossfw: 1
data: {name: arrays, targets: t.npy}
network: {predictions: p.npy}
loss: {name: cross_entropy, delta: 1e-7}
evaluate: {metrics: [accuracy, confusion_matrix]}
"""
SWEEP = PLAIN + "sweep: {grid: {loss.delta: [1e-7, 1e-3]}}\n"
TRAIN = """\
lossfw: 1
data: {name: inline, inputs: [[0.0], [1.0], [2.0]], targets: [[1.0], [3.0], [5.0]]}
network: {layers: [{units: 1, activation: identity}]}
loss: squared_error
train: {optimizer: {name: sgd, learning_rate: 0.1}, epochs: 2, batch_size: 3}
sweep: {seeds: 2}
"""
# Fails when its rows are read.
BROKEN = PLAIN.replace("t.npy", "broken.npy")


def at_start(folder, *what):
    """Write a plugin file that does something when a run starts, and return it."""
    head = "import os, signal, threading\nfrom pathlib import Path\nfrom lossfw import hookimpl\n"
    file = folder / "at_start.py"
    file.write_text("\n    ".join([f"{head}@hookimpl\ndef lossfw_run_start(run):", *what]) + "\n")
    return file


@pytest.fixture
def broken(write, folder):
    """Two configurations, the first of which fails."""
    write(config=PLAIN, name="a.yaml")
    (folder / "broken.npy").write_bytes(b"nothing")
    (folder / "b.yaml").write_text(BROKEN)
    return folder


def test_a_sweep_is_a_folder_of_runs_and_a_table(lossfw, folder, write):
    write(config=SWEEP)
    done = lossfw("run", "run.yaml", "--out", "out", "--jobs", "2")
    assert (done.exit_code, done.stderr) == (0, "")
    names = ["loss.delta=1e-07", "loss.delta=0.001"]
    assert sorted(path.name for path in (folder / "out").iterdir()) == sorted(names)
    head, *rows = [line.split() for line in done.stdout.splitlines()]
    assert head == ["run", "status", "loss", "value", "accuracy", "seconds"]
    for name, row in zip(names, rows, strict=True):
        numbers = json.loads((folder / "out" / name / "metrics.json").read_text())
        assert row[:3] == [name, "done", "cross_entropy"]
        assert float(row[3]) == pytest.approx(numbers["loss"]["value"], rel=1e-5)
        # A run of a sweep is a run like any other.
        alone = lossfw("run", "run.yaml", "-o", "sweep-", "-o", name, "--json")
        assert json.loads(alone.stdout) == numbers


@pytest.mark.turns(3)
@pytest.mark.parametrize("second", ["sweep", "files", "run", "run_all", "train"])
def test_what_comes_while_a_sweep_works_in_the_folder_is_refused(
    lossfw, folder, write, monkeypatch, second
):
    import lossfw as face

    write(config=SWEEP)
    write(config=PLAIN, name="one.yaml")
    write(config=TRAIN, name="train.yaml")
    again = {
        "sweep": lambda: lossfw("run", "run.yaml", "--out", "out"),
        "files": lambda: lossfw("run", "one.yaml", "run.yaml", "--out", "out", "--resume"),
        "run": lambda: lossfw("run", "one.yaml", "--out", "out"),
        "run_all": lambda: face.run_all("run.yaml", out="out"),
        "train": lambda: lossfw("train", "train.yaml", "--out", "out"),
    }[second]
    told = []

    def meanwhile(*arguments, **options):
        with monkeypatch.context() as patch:
            patch.setattr(batch, "run_all", run_all)
            try:
                told.append(again().stderr)
            except OutputError as error:
                told.append(str(error))
        return run_all(*arguments, **options)

    monkeypatch.setattr(batch, "run_all", meanwhile)
    done = lossfw("run", "run.yaml", "--out", "out")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "out is in use: another running process" in told[0]
    assert len(list((folder / "out").glob("*/metrics.json"))) == 2
    monkeypatch.setattr(batch, "run_all", run_all)
    if second != "train":
        again()
        assert not list((folder / "out").glob("*.tmp"))


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="no masks of signals")
def test_a_process_that_a_terminal_interrupts_goes_on_until_its_parent_ends_it(write):
    request = RunRequest(read(write(config=PLAIN)))
    process = WorkerProcess(threads=1)
    try:
        os.kill(process._process.pid, signal.SIGINT)
        outcome, alive = process.carry_out(request)
    finally:
        process.end()
    assert (outcome.status, outcome.notes, alive) == ("done", "", True)


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no process can be stopped")
def test_a_process_that_is_stopped_is_ended_too(monkeypatch):
    monkeypatch.setattr("lossfw.runs.worker._END_SECONDS", 0.2)
    process = WorkerProcess(threads=1)
    os.kill(process._process.pid, signal.SIGSTOP)
    assert os.WIFSTOPPED(os.waitpid(process._process.pid, os.WUNTRACED)[1])
    process.end()
    assert process._process.returncode == -signal.SIGKILL


def test_one_that_fails_stops_no_other(lossfw, broken):
    done = lossfw("run", "b.yaml", "a.yaml", "--json", "--out", "out")
    assert done.exit_code == 1
    failed, other = json.loads(done.stdout)
    assert (failed["name"], failed["status"], failed["result"]) == ("b", "failed", None)
    assert "broken.npy" in failed["error"]
    assert (other["name"], other["status"], other["error"]) == ("a", "done", None)
    assert other["result"] == json.loads((broken / "out/a/metrics.json").read_text())
    assert "b: " in done.stderr
    assert done.stderr.endswith("lossfw: error: 1 of 2 runs failed: b.\n")
    assert "Traceback" not in done.stderr
    (broken / "b.yaml").write_text(PLAIN)
    again = lossfw("run", "a.yaml", "b.yaml", "--out", "out", "--resume")
    status = [line.split()[1:3] for line in again.stdout.splitlines()[1:]]
    assert status == [["done", "before"], ["done", "cross_entropy"]]


def test_what_plugins_print_and_report_is_told_apart(folder, write):
    config = write(config=PLAIN)
    talking = at_start(folder, "print('to be read by people')")
    report = "\n\n@hookimpl\ndef lossfw_report(run, result):\n    return 'a text'\n"
    talking.write_text(talking.read_text() + report)
    requests = requests_of([read(config, (), Plugins((str(talking),)))], None, resume=False)
    (outcome,) = run_all(requests, 1, ended=lambda outcome: None)
    assert outcome.status == "done"
    assert outcome.result["count"] == 20
    assert (outcome.notes, outcome.texts) == ("to be read by people", ("a text",))


def test_before_the_first_run_all_are_checked_and_may_be_listed(lossfw, folder, write):
    write(config=SWEEP)
    done = lossfw("run", "run.yaml", "--dry-run", "--json", "--out", "out")
    plans = json.loads(done.stdout)
    assert [plan["folder"] for plan in plans] == ["out/loss.delta=1e-07", "out/loss.delta=0.001"]
    assert len({plan["digest"] for plan in plans}) == 2
    write(config=SWEEP.replace("1e-3]", "-1]"))
    done = lossfw("run", "run.yaml", "--out", "out")
    assert (done.exit_code, done.stdout) == (2, "")
    assert not (folder / "out").exists()


def named(configs, folder=None):
    requests = requests_of([read(config) for config in configs], folder, resume=False)
    return [request.name for request in requests], [request.folder for request in requests]


def test_names_tell_runs_apart(folder, write, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "run.yaml").write_text(PLAIN)
    config = write(config=SWEEP)
    plain = write(config=PLAIN, name="plain.yaml")
    assert named([plain, other / "run.yaml", plain], folder)[0] == ["plain", "run", "plain-2"]
    names, folders = named([config, plain], folder)
    assert names == ["run,loss.delta=1e-07", "run,loss.delta=0.001", "plain"]
    assert folders == [folder / name for name in names]
    one = write(config=SWEEP.replace(", 1e-3]", "]"), name="one.yaml")
    # A sweep is a sweep, whatever the number of its runs.
    assert named([one], folder) == (["loss.delta=1e-07"], [folder / "loss.delta=1e-07"])


def test_what_is_run_is_what_was_checked(folder, write):
    config = write(config=SWEEP)
    requests = requests_of([read(config)], folder / "out", resume=False)
    config.write_text("changed in the meantime")
    outcomes = run_all(requests, 1, ended=lambda outcome: None)
    assert [outcome.status for outcome in outcomes] == ["done", "done"]
    assert "delta: 0.001" in (requests[1].folder / "config.yaml").read_text()


def test_a_process_that_dies_is_a_run_that_failed(folder, write):
    dying = at_start(folder, "os.kill(os.getpid(), signal.SIGKILL)")
    config = read(write(config=PLAIN), (), Plugins((str(dying),)))
    told = []
    (outcome,) = run_all([RunRequest(config, folder=folder / "out")], 1, ended=told.append)
    assert (outcome.status, outcome.error) == ("failed", "ended by signal 9")
    assert told == [outcome]
    assert (folder / "out/status").read_text() == "running\n"


def test_runs_end_with_the_process_that_started_them(folder, write):
    at_start(folder, "Path('pid').write_text(str(os.getpid()))", "threading.Event().wait()")
    write(config=SWEEP)
    command = [sys.executable, "-m", "lossfw", "run", "run.yaml", "--plugin", "at_start.py"]
    parent = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    pid = folder / "pid"
    wait_for(lambda: pid.exists() and pid.read_text())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_for(lambda: ended(int(pid.read_text())))


def ended(process):
    try:
        os.kill(process, 0)
        # Nobody may be there to take note of its end.
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except ProcessLookupError:
        return True
    except FileNotFoundError:  # ended in between, or this system has no /proc
        return Path("/proc/self").exists()


@pytest.mark.slow
def test_runs_share_a_process_and_one_that_is_killed_is_replaced(lossfw, folder, write):
    note = "with Path('pids').open('a') as file: file.write(f'{os.getpid()}\\n')"
    at_start(folder, note, "if '0.001' in run.name: os.kill(os.getpid(), 9)")
    write(config=SWEEP.replace("[1e-7, 1e-3]", "[1e-7, 1e-6, 1e-3, 1e-2]"))
    done = lossfw("run", "run.yaml", "--plugin", "at_start.py", "--out", "out")
    assert done.exit_code == 1
    assert "loss.delta=0.001: ended by signal 9" in done.stderr
    first, *killed, last = (folder / "pids").read_text().split()
    assert killed == [first, first] != [last, last]


def test_runs_that_are_done_are_told_by_their_folders(lossfw, folder, write, monkeypatch):
    write(config=SWEEP)
    whole = lossfw("run", "run.yaml", "--out", "out")
    monkeypatch.setattr("lossfw.runs.parallel_runs.WorkerProcesses.carry_out", None)
    before = {path: path.read_bytes() for path in (folder / "out").glob("*/run.json")}
    again = lossfw("run", "run.yaml", "--out", "out", "--resume")
    assert (again.exit_code, again.stdout.count("done before")) == (0, 2)
    assert before == {path: path.read_bytes() for path in before}
    assert whole.stdout.split()[8] == again.stdout.split()[9]
    # With other data they are other runs, and their process says so.
    write(config=SWEEP, rows=7)
    monkeypatch.undo()
    other = lossfw("run", str(folder / "run.yaml"), "--out", str(folder / "out"), "--resume")
    assert (other.exit_code, other.stderr.count("holds another run")) == (1, 2)


@pytest.mark.slow
def test_reports_of_runs_that_are_done_stay(lossfw, folder, write):
    pytest.importorskip("matplotlib")
    write(config=SWEEP)
    assert lossfw("run", "run.yaml", "--out", "out").exit_code == 0
    pages = [path.parent / "report.html" for path in (folder / "out").glob("*/metrics.json")]
    pages[0].write_text("as it was")
    assert lossfw("run", "run.yaml", "--out", "out", "--resume", "--report").exit_code == 0
    assert pages[0].read_text() == "as it was"
    assert pages[1].is_file()
    # What computes new numbers removes the page of the old ones.
    assert lossfw("run", "run.yaml", "--out", "out", "--report").exit_code == 0
    assert pages[0].read_text() != "as it was"


LACKING = """\
lossfw: 1
data: {name: arrays, file: lacking.csv, inputs_key: [x], targets_key: y, missing: drop}
network: {layers: [{units: 1, activation: identity}]}
loss: absolute_error
train: {epochs: 1, optimizer: {name: sgd, learning_rate: 0.1}}
"""
LEFT_OUT = "1 row is dropped, because a value is missing."


@pytest.mark.slow
def test_a_warning_is_told_once_and_names_its_runs_if_some_have_none(lossfw, folder):
    (folder / "lacking.csv").write_text("x,y\n1,2\n,3\n2,4\n")
    (folder / "whole.csv").write_text("x,y\n1,2\n2,4\n")
    sweep = "sweep: {grid: {loss: [absolute_error, huber]}}\n"
    (folder / "all.yaml").write_text(LACKING + sweep)
    (folder / "lacking.yaml").write_text(LACKING)
    (folder / "whole.yaml").write_text(LACKING.replace("lacking.csv", "whole.csv"))
    trained = lossfw("train", "all.yaml", "--out", "trained")
    assert trained.stdout.count(LEFT_OUT) == 1, trained.stderr
    weights = ("-o", "network.weights=trained/loss=huber/weights.npz")
    run = ["run", "all.yaml", *weights, "--out", "out"]
    for more in (["--dry-run"], [], ["--resume"]):
        told = lossfw(*run, *more).stdout
        assert told.splitlines()[-1] == f"warning  {LEFT_OUT}"
        assert told.count(LEFT_OUT) == 1
    plain = json.loads(lossfw(*run, "--json").stdout)
    assert [run["warnings"] for run in plain] == [[LEFT_OUT]] * 2
    done = lossfw("run", "whole.yaml", "lacking.yaml", *weights)
    assert done.stdout.splitlines()[-1] == f"warning  lacking: {LEFT_OUT}"


@pytest.mark.slow
def test_a_hook_that_fails_in_every_run_is_told_once(lossfw, folder, write):
    write(config=SWEEP)
    at_start(folder, "1 / 0")
    done = lossfw("run", "run.yaml", "--plugin", "at_start.py")
    first, second = done.stderr.splitlines()
    assert first.startswith("loss.delta=1e-07: warning: plugin ")
    assert second.startswith("the other runs: as in loss.delta=1e-07: warning: plugin ")


def test_runs_that_an_interruption_ends_are_not_told_as_failures(folder, write):
    config = write(config=SWEEP)
    slow = at_start(folder, "run.name == 'loss.delta=1e-07' or threading.Event().wait()")
    told = []

    def ended(outcome):
        told.append(outcome.request.name)
        raise KeyboardInterrupt

    requests = requests_of([read(config, (), Plugins((str(slow),)))], None, resume=False)
    with pytest.raises(KeyboardInterrupt):
        run_all(requests, 2, ended=ended)
    # The thread of the other run sees the end of its process.
    wait_for(lambda: not any(t.name.startswith("lossfw-runs") for t in threading.enumerate()))
    assert told == ["loss.delta=1e-07"]

"""A cluster of real processes gives the bits of one, also where its processes are killed."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

import lossfw
from lossfw.cli import main
from lossfw.errors import RunError
from lossfw.scale import connected, cut, evaluate_on
from support.configs import build

distributed = pytest.importorskip("distributed", reason="dask is not installed")
# Connections that are cut while a process is killed end in warnings of the library.
pytestmark = pytest.mark.filterwarnings("ignore")


def plain(result):
    return json.dumps(result.to_dict())


def kill(pids):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def small_parts(monkeypatch):
    """Cut the rows into as many parts as there are blocks."""
    monkeypatch.setattr("lossfw.scale.parts._PART_BYTES", 1)


def test_the_command_line_gives_the_bits_of_one_process(folder):
    run = CliRunner().invoke
    assert run(main, ["run", "run.yaml", "--out", "one"]).exit_code == 0
    result = run(main, ["run", "run.yaml", "--out", "two", "--cluster", "local:1"])
    assert result.exit_code == 0
    one, two = ((folder / name / "metrics.json").read_bytes() for name in ("one", "two"))
    assert one == two
    assert (folder / "two" / "status").read_text() == "done\n"


def test_the_tasks_are_shown_without_a_cluster(folder):
    result = CliRunner().invoke(main, ["run", "run.yaml", "--dry-run", "--cluster", "local:1000"])
    # 100 floats of 4 bytes, a target and a weight of 8 in each of 20,000 rows.
    assert "10 tasks of 2048 rows for 1000 threads of local:1000; 8320000 bytes" in result.stdout


@pytest.mark.parametrize(
    ("scheduler", "message"),
    [
        ("local:0", "from 1 to 1024, as in local:2"),
        ("local:x", "from 1 to 1024, as in local:2"),
        ("host", "is neither an address"),
        ("tcp://127.0.0.1:9", "does not answer"),
    ],
)
def test_what_is_no_cluster_is_told(folder, scheduler, message, monkeypatch):
    monkeypatch.setattr("lossfw.scale.cluster.CONNECT_SECONDS", 1)
    result = CliRunner().invoke(main, ["run", "run.yaml", "--cluster", scheduler])
    assert result.exit_code in (1, 2)
    assert message in result.stderr


def test_rows_are_not_written_by_a_cluster(folder):
    text = ["run", "run.yaml", "-o", "evaluate.rows=true", "--cluster", "local:1", "--out", "o"]
    result = CliRunner().invoke(main, text)
    assert (result.exit_code, "which a cluster does not" in result.stderr) == (2, True)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.parametrize("part_bytes", [1, 2**20, 2**40])
def test_any_number_of_workers_and_parts_gives_the_same_bits(
    folder, monkeypatch, workers, part_bytes
):
    monkeypatch.setattr("lossfw.scale.parts._PART_BYTES", part_bytes)
    plan = build("run.yaml")
    with connected(f"local:{workers}") as client:
        assert plain(lossfw.evaluate(plan, client=client)) == plain(lossfw.evaluate(plan))


@pytest.mark.slow
def test_workers_that_are_killed_are_replaced(folder, small_parts):
    plan, merged = build("run.yaml"), []
    with connected("local:2") as client:

        def progress(done, total):
            if not merged:
                kill(client.run(os.getpid).values())
            merged.append(done)

        found = evaluate_on(client, plan, progress=progress)
    assert plain(found) == plain(lossfw.evaluate(plan))
    assert len(merged) == len(cut(plan, 2).parts) == 10


@pytest.fixture
def cluster(folder):
    """Processes of a scheduler and of two workers that nobody replaces."""
    command = [sys.executable, "-m"]
    options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    file = str(folder / "scheduler.json")
    named = ["--scheduler-file", file]
    scheduler = subprocess.Popen(
        [*command, "distributed.cli.dask_scheduler", *named, "--port", "0", "--no-dashboard"],
        **options,
    )
    worker = [*command, "distributed.cli.dask_worker", *named, "--no-nanny", "--no-dashboard"]
    workers = [subprocess.Popen(worker, **options) for _ in range(2)]
    while not (folder / "scheduler.json").exists():
        time.sleep(0.05)
    with connected(file) as client:
        client.wait_for_workers(2, timeout=60)
    yield file, scheduler, workers
    kill(process.pid for process in (scheduler, *workers))
    for process in (scheduler, *workers):
        process.wait()


class Kept:
    """Keeps the packed state in memory."""

    def __init__(self):
        self.saved = None

    def resume(self, state):
        if self.saved is not None:
            state.unpack(self.saved)

    def keep(self, state, *, now=False):
        if now:
            self.saved = state.pack()


@pytest.mark.slow
@pytest.mark.parametrize("gone", ["workers", "scheduler"])
def test_a_cluster_that_is_gone_is_told_and_its_rows_are_kept(folder, cluster, small_parts, gone):
    file, scheduler, workers = cluster
    plan, keeper, merged = build("run.yaml"), Kept(), []

    def progress(done, total):
        if not merged:
            kill(process.pid for process in (workers if gone == "workers" else [scheduler]))
        merged.append(done)

    with connected(file) as client, pytest.raises(RunError, match=f"{gone[:6]}.*rows are not"):
        evaluate_on(client, plan, progress=progress, keeper=keeper, patience=3)
    done = keeper.saved.header["seen"]
    assert done
    with connected("local:1") as client:
        found = evaluate_on(client, plan, progress=lambda d, t: merged.append(d), keeper=keeper)
    assert plain(found) == plain(lossfw.evaluate(plan))
    # No row was computed twice.
    assert len(merged) == 10


@pytest.mark.slow
def test_a_sweep_is_one_task_for_each_run(folder):
    with (folder / "run.yaml").open("a") as file:
        file.write("sweep: {grid: {loss.ignore: [1, 2, 3]}}\n")
    for name, more in (("here", []), ("there", ["--cluster", "local:2"])):
        arguments = ["run", "run.yaml", "--out", name, *more]
        assert CliRunner().invoke(main, arguments).exit_code == 0
    for path in (folder / "here").glob("*/metrics.json"):
        assert path.read_bytes() == (folder / "there" / path.parent.name / path.name).read_bytes()

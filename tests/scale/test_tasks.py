"""Tasks are done once each, by workers with the code of this process."""

import os
from contextlib import contextmanager

import pytest
from click.testing import CliRunner

from lossfw.cli import main
from lossfw.errors import ArgumentError, RunError
from lossfw.scale import connect, tasks
from lossfw.scale.tasks import ClusterTask, run_tasks
from support.waiting import wait_for

distributed = pytest.importorskip("distributed", reason="dask is not installed")
# Connections that are cut while a process is killed end in warnings of the library.
pytestmark = pytest.mark.filterwarnings("ignore")


def results(client, function, count=3, **options):
    works = (ClusterTask(f"the part {number}", (number,)) for number in range(count))
    given = {"packages": (), "describe_rest": lambda: "rows are left", "patience": 1.0, **options}
    return run_tasks(client, function, works, **given)


def test_each_task_is_done_once_also_where_not_all_are_given_at_once(shared, monkeypatch):
    monkeypatch.setattr(tasks, "_AHEAD", 1)
    assert sorted(results(shared, abs, 40)) == list(range(40))


@pytest.mark.parametrize("error", [ArgumentError("x is 1."), ZeroDivisionError(), TimeoutError()])
def test_the_error_of_a_task_is_its_own(shared, error):
    def failing(number):
        raise error

    with pytest.raises(type(error), match=str(error)):
        list(results(shared, failing))


@pytest.fixture
def here():
    """A cluster in this process, whose one worker a test may end."""
    options = {"processes": False, "n_workers": 1, "dashboard_address": ":0"}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        yield cluster, client


def test_a_cluster_without_a_worker_is_told(here):
    cluster, client = here
    cluster.scale(0)
    wait_for(lambda: not client.nthreads())
    with pytest.raises(RunError, match=r"has no worker; start at least one: rows are left\."):
        list(results(client, abs))


@pytest.mark.slow
def test_workers_that_all_go_are_waited_for_and_then_told(here):
    cluster, client = here
    found = results(client, abs, 100)
    next(found)
    cluster.scale(0)
    with pytest.raises(
        RunError, match=r"none has joined for 1 s \(see their logs\): rows are left\."
    ):
        list(found)


@pytest.mark.parametrize("state", ["finished", "lost"])
@pytest.mark.parametrize("error", [TimeoutError, ConnectionResetError])
def test_a_result_that_is_not_there_any_more_is_waited_for(error, state):
    class Future:
        status = state

        def result(self, timeout):
            raise error

    with pytest.raises(tasks._ResultLostError):
        tasks._result_of(Future(), ClusterTask("the part 1", ()), lambda: "")


@pytest.mark.slow
def test_a_task_that_ends_its_workers_is_named(monkeypatch):
    def ending(number):
        return os._exit(1) if number == 2 else number

    # A worker also has the next task, and ends with both; it may still hold a result before.
    said = "one after the other, each with the part [12]"
    with connect("local:1") as client, pytest.raises(RunError, match=said):
        list(results(client, ending, 3, patience=60.0))


def run(*arguments):
    return CliRunner().invoke(main, ["run", "run.yaml", *arguments])


OTHER_CODE = """
from lossfw.scale import fingerprint
fingerprint._fingerprint.cache_clear()
fingerprint.usual = fingerprint._package_digest
fingerprint._package_digest = lambda package: "0"
"""
SAME_CODE = """
from lossfw.scale import fingerprint
fingerprint._package_digest = fingerprint.usual
fingerprint._fingerprint.cache_clear()
"""


@contextmanager
def other_code(shared, addresses=None):
    """Let workers, or all, have another version of the code meanwhile."""
    shared.run(exec, OTHER_CODE, workers=addresses)
    try:
        yield
    finally:
        shared.run(exec, SAME_CODE, workers=addresses)


@pytest.mark.slow
def test_a_run_on_a_worker_of_other_code_ends_in_words_and_continues_later(
    folder, shared, scheduler, small_parts
):
    assert run("--out", "one").exit_code == 0
    other = sorted(shared.nthreads())[0]
    with other_code(shared, [other]):
        told = run("--out", "two", "--cluster", scheduler)
    assert told.exit_code == 1
    assert f"the worker {other} cannot run this, lossfw is " in told.stderr
    assert "with code 0 there but " in told.stderr
    assert (folder / "two/status").read_text() == "failed\n"
    again = run("--out", "two", "--cluster", scheduler, "--resume")
    assert again.exit_code == 0, again.stderr
    one, two = ((folder / name / "metrics.json").read_bytes() for name in ("one", "two"))
    assert one == two


SWEEP = """\
lossfw: 1
data: {name: arrays, targets: t.npy}
network: {predictions: y.npy}
loss: {name: cross_entropy, delta: 1e-7}
sweep: {grid: {loss.delta: [1e-7, 1e-3]}}
"""


def test_a_sweep_on_workers_of_other_code_ends_in_words(few, shared, scheduler):
    (few / "run.yaml").write_text(SWEEP)
    with other_code(shared):
        done = run("--out", "two", "--cluster", scheduler)
    assert done.exit_code == 1
    assert "cannot run this, lossfw is " in done.stderr
    assert "2 of 2 runs are not done. Give every worker the same packages." in done.stderr
    assert not list((few / "two").glob("*/metrics.json"))

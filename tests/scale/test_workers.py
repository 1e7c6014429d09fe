"""Work goes to workers that agree, late ones too, and that of a lost worker to others."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from queue import Empty

import pytest
from click.testing import CliRunner

import lossfw
import lossfw_std
from lossfw.cli import main
from lossfw.errors import RunError
from lossfw.runs.journal import RunJournal
from lossfw.scale import connected, workers
from lossfw.scale.survey import requirements_of
from lossfw.scale.workers import (
    ClusterTask,
    ClusterWorkers,
    Refusal,
    Shared,
    look_there,
    work_there,
)
from support.ended import kill
from support.waiting import wait_for

distributed = pytest.importorskip("distributed", reason="dask is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")


class Future:
    """A task of the cluster below; it ends when somebody says so.

    A list has what is raised or returned by one request for the value after the other.
    """

    status = "pending"

    def __init__(self, key, address, call):
        self.key, self.address, self.call = key, address, call
        self._told, self._value = [], None

    def add_done_callback(self, function):
        self._told.append(function)

    def end(self, value):
        self._value, self.status = value, "finished"
        for function in self._told:
            function(self)

    def result(self, timeout):
        value = self._value.pop(0) if isinstance(self._value, list) else self._value
        if isinstance(value, Exception):
            raise value
        return value

    def release(self):
        self.status = "released"


class Cluster:
    """A client of workers in this thread, whose steps a test writes down.

    A step is called when the process that gives work away waits: it ends tasks, and lets
    workers come and go.
    """

    status = "running"

    def __init__(self, *addresses):
        self.alive, self.tasks, self.differs = set(addresses), [], {}
        self.work = {}

    def nthreads(self):
        return dict.fromkeys(self.alive, 1)

    def submit(self, function, *arguments, key=None, workers=(None,), pure):
        future = Future(key, workers[0], (function, *arguments))
        if function is look_there:
            self.tasks.append(lambda: future.end(self.differs.get(workers[0], "")))
        elif key is not None:
            self.work.setdefault(workers[0], []).append(future)
        return future

    def cancel(self, futures, asynchronous):
        self.cancelled = futures

    def step(self):
        """End the looks, and one piece of work of each worker that is there."""
        looks, self.tasks = self.tasks, []
        for look in looks:
            look()
        for address in sorted(self.alive):
            if self.work.get(address):
                future = self.work[address].pop(0)
                future.end(self.value(address, future.call[-1]))

    def value(self, address, number):
        return address, number


class Answers:
    """The queue of tasks that have ended; a step of the cluster is taken where there is none."""

    def __init__(self, cluster):
        self.cluster, self.ended = cluster, []

    def put(self, future):
        self.ended.append(future)

    def get(self, timeout):
        if not self.ended:
            self.cluster.step()
        if not self.ended:
            raise Empty
        return self.ended.pop(0)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(workers, "_LOOK_SECONDS", 0.0)


def given_to(cluster, count=12, notes=None, **options):
    """Give numbers to a cluster; return number -> the worker that answered, and the notes."""
    notes = [] if notes is None else notes
    given = {"patience": 0.0, "called": ("part", "parts"), "left": lambda: "rows are left"}
    required = requirements_of([], [])
    pool = ClusterWorkers(cluster, Shared(required, ()), len, notes=notes, **{**given, **options})
    pool._done = Answers(cluster)
    works = [ClusterTask(f"the part {number}", (number,)) for number in range(count)]
    found = {}
    for work, (address, number) in pool.results(works):
        assert work.arguments == (number,)
        assert number not in found
        found[number] = address
    assert sorted(found) == list(range(count))
    return found, notes


def test_work_comes_back_once_from_workers_that_share_it(quick):
    found, notes = given_to(Cluster("a", "b", "c"))
    assert set(found.values()) == {"a", "b", "c"}
    assert notes == []


def test_a_worker_that_differs_gets_none_and_the_others_all(quick):
    cluster = Cluster("a", "b")
    cluster.differs["b"] = "lossfw is 0.0.9 there and 0.1.0 here"
    found, notes = given_to(cluster)
    assert set(found.values()) == {"a"}
    assert "b" not in cluster.work
    assert notes == ["the worker b got no part: lossfw is 0.0.9 there and 0.1.0 here."]


@pytest.mark.parametrize("differs", ["", "x.py has other code there"])
def test_a_worker_that_comes_late_is_looked_at(quick, differs):
    class Late(Cluster):
        def step(self):
            super().step()
            self.alive.add("late")

    cluster = Late("a")
    cluster.differs["late"] = differs
    found, notes = given_to(cluster)
    assert ("late" in set(found.values())) == (not differs)
    assert notes == [f"the worker late got no part: {differs}."] * bool(differs)


def test_a_worker_that_cannot_even_be_looked_at_gets_none(quick):
    cluster = Cluster("a", "b")
    cluster.differs["b"] = ModuleNotFoundError("No module named 'lossfw'")
    found, notes = given_to(cluster)
    assert set(found.values()) == {"a"}
    assert notes == ["the worker b got no part: ModuleNotFoundError: No module named 'lossfw'."]


def test_the_code_is_compared_with_each_piece_of_work_and_files_before_the_first(tmp_path):
    def add(shared, one, two):
        return one + two

    here = requirements_of([], [])
    code = {"lossfw": {**here.code["lossfw"], "lossfw/errors.py": "0"}}
    other, elsewhere = here._replace(code=code), here._replace(heads={str(tmp_path / "y"): "1"})
    assert work_there(Shared(here, ()).to_bytes(), add, 2, 3) == 5
    told = Refusal("lossfw/errors.py has other code there")
    assert work_there(Shared(other, ()).to_bytes(), add, 2, 3) == told
    assert work_there(Shared(elsewhere, ()).to_bytes(), add, 2, 3) == 5
    assert "y is missing there and 1 here" in look_there(Shared(elsewhere, ()).to_bytes())


def test_a_worker_that_is_another_one_by_its_second_part_gets_no_more(quick):
    class Replaced(Cluster):
        seen = 0

        def value(self, address, number):
            self.seen += address == "b"
            if address == "b" and self.seen > 1:
                return Refusal("x.py has other code there")
            return address, number

    found, notes = given_to(Replaced("a", "b"))
    assert list(found.values()).count("b") == 1
    assert notes == ["the worker b got no part: x.py has other code there."]


def test_what_a_lost_worker_had_is_computed_again_by_others(quick):
    class Losing(Cluster):
        steps = 0

        def step(self):
            self.steps += 1
            if self.steps == 3:
                self.alive.discard("b")
            super().step()

    found, notes = given_to(Losing("a", "b"))
    assert list(found.values()).count("b") == 1
    assert notes == ["the worker b was lost: its 2 parts were computed again."]


def test_an_idle_worker_may_go_without_a_word(quick):
    class Leaving(Cluster):
        def step(self):
            super().step()
            if not self.work.get("b"):
                self.alive.discard("b")

    assert given_to(Leaving("a", "b"), count=1)[1] == []


def test_an_answer_of_a_worker_that_was_lost_counts_once(quick):
    class Returning(Cluster):
        held = ()

        def step(self):
            super().step()
            if "b" in self.alive and self.work.get("b"):
                self.held = self.work.pop("b")
                self.alive.discard("b")
            elif self.held and len(self.work.get("a", ())) < 2:
                for future in self.held:
                    future.end(("b", future.call[-1]))
                self.held = ()

    found, notes = given_to(Returning("a", "b"))
    assert set(found.values()) <= {"a", "b"}
    assert len(notes) == 1


def test_a_part_that_ends_its_workers_is_named_and_no_other_one(quick):
    class Killed(Cluster):
        number = 0

        def step(self):
            for address in list(self.alive):
                if any(future.call[-1] == 5 for future in self.work.get(address, ())[:1]):
                    self.alive.discard(address)
                    self.number += 1
                    self.alive.add(f"new{self.number}")
            super().step()

    notes = []
    with pytest.raises(RunError, match="the part 5 ended several workers one after the other"):
        given_to(Killed("a", "b"), notes=notes)
    assert len(notes) == workers._MOST_ENDED


@pytest.mark.parametrize(
    ("cluster", "differs", "told"),
    [
        (Cluster(), {}, "the cluster has no worker; start some: rows are left"),
        (
            Cluster("a", "b"),
            {"a": "x", "b": "y"},
            r"2 of 2 workers cannot .*: rows are left\. a: x; b: y",
        ),
        (Cluster(*map(str, range(9))), dict.fromkeys(map(str, range(9)), "z"), "4: z; and 4 more"),
    ],
    ids=["none", "two", "many"],
)
def test_where_no_worker_is_left_the_run_ends_in_words(quick, cluster, differs, told):
    cluster.differs = differs
    with pytest.raises(RunError, match=told):
        given_to(cluster)


def test_a_worker_that_goes_while_it_is_looked_at_may_be_replaced(quick):
    class Replaced(Cluster):
        def submit(self, function, *arguments, workers=(None,), **options):
            if function is look_there and workers == ["a"]:
                self.alive = {"b"}
                return Future("look", "a", ())
            return super().submit(function, *arguments, workers=workers, **options)

    found, notes = given_to(Replaced("a"), patience=9.0)
    assert (set(found.values()), notes) == ({"b"}, [])


def test_a_result_that_does_not_come_is_waited_for(quick):
    class Slow(Cluster):
        def value(self, address, number):
            there = address, number
            return [TimeoutError(), TimeoutError(), there] if number % 3 == 0 else there

    given_to(Slow("a", "b"))


def test_workers_that_all_go_are_waited_for_and_then_told(quick):
    class Leaving(Cluster):
        def step(self):
            super().step()
            self.alive.discard("a")

    with pytest.raises(RunError, match=r"no worker is left.* for 0 s: rows are left\."):
        given_to(Leaving("a"))


def test_a_scheduler_that_is_gone_is_told(quick):
    class Gone(Cluster):
        def nthreads(self):
            raise OSError("closed")

    with pytest.raises(RunError, match=r"the scheduler of the cluster is gone: rows are left\."):
        given_to(Gone("a"))


def test_the_error_of_a_part_is_its_own(quick):
    class Failing(Cluster):
        def value(self, address, number):
            return RunError("the disk is full") if number == 3 else (address, number)

    with pytest.raises(RunError, match="the disk is full"):
        given_to(Failing("a"))


def test_many_refusals_are_not_told_one_by_one(quick):
    cluster = Cluster("a", *map(str, range(30)))
    cluster.differs = dict.fromkeys(map(str, range(30)), "z")
    _, notes = given_to(cluster)
    assert len(notes) == workers._MOST_NOTES + 1
    assert notes[-1].startswith("further workers")


def run(*arguments):
    return CliRunner().invoke(main, ["run", "run.yaml", *arguments])


OTHER_CODE = """
from lossfw.scale import survey
usual = survey.usual = survey.digests_of
changed = {"lossfw": {**usual("lossfw"), "lossfw/losses/loss.py": "0"}}
survey.digests_of = lambda name, usual=usual, changed=changed: changed.get(name) or usual(name)
"""
SAME_CODE = """
from lossfw.scale import survey
survey.digests_of = survey.usual
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
def test_a_run_with_one_worker_of_other_code_has_the_bits_of_one_process(
    folder, shared, scheduler, small_parts
):
    assert run("--out", "one").exit_code == 0
    other = sorted(shared.nthreads())[0]
    with other_code(shared, [other]):
        done = run("--out", "two", "--cluster", scheduler)
    assert done.exit_code == 0, done.stderr
    told = f"the worker {other} got no part: lossfw/losses/loss.py has other code there."
    assert told in " ".join(done.stdout.split())
    assert told in (folder / "two/run.json").read_text()
    one, two = ((folder / name / "metrics.json").read_bytes() for name in ("one", "two"))
    assert one == two


def test_a_run_with_no_worker_of_the_same_code_ends_in_words(folder, shared, scheduler):
    with other_code(shared):
        told = run("--out", "two", "--cluster", scheduler)
    assert told.exit_code == 1
    assert "2 of 2 workers cannot run this: no row was computed. " in told.stderr
    assert "lossfw/losses/loss.py has other code there" in told.stderr
    record = json.loads((folder / "two/run.json").read_text())
    assert len(record["warnings"]) == 2
    again = run("--out", "two", "--cluster", scheduler, "--resume")
    assert again.exit_code == 0, again.stderr


SWEEP = """\
lossfw: 1
data: {name: arrays, targets: t.npy}
network: {predictions: y.npy}
loss: {name: cross_entropy, delta: 1e-7}
sweep: {grid: {loss.delta: [1e-7, 1e-3]}}
"""


@pytest.mark.parametrize("differing", [1, 2])
def test_the_runs_of_a_sweep_go_to_workers_of_the_same_code(few, shared, scheduler, differing):
    (few / "run.yaml").write_text(SWEEP)
    others = sorted(shared.nthreads())[:differing]
    with other_code(shared, others):
        done = run("--out", "two", "--cluster", scheduler)
    assert "lossfw/losses/loss.py has other code there" in done.stderr
    written = len(list((few / "two").glob("*/metrics.json")))
    if differing == 1:
        assert (done.exit_code, written) == (0, 2), done.stderr
        assert f"the worker {others[0]} got no run" in done.stderr
    else:
        assert (done.exit_code, written) == (1, 0)
        assert "2 of 2 workers cannot run this: 2 of 2 runs are not done." in done.stderr


@pytest.fixture
def checkout(folder):
    """A copy of the code in which the body of a loss is edited."""
    for package in (lossfw, lossfw_std):
        place = Path(package.__file__).parent
        shutil.copytree(
            place, folder / "other" / place.name, ignore=shutil.ignore_patterns("*.pyc")
        )
    body = folder / "other/lossfw_std/losses/cross_entropy.py"
    body.write_text(
        body.read_text() + "\nCrossEntropy.value = lambda self, xp, y, t: 2 * y[..., 0]\n"
    )
    return {**os.environ, "PYTHONPATH": str(folder / "other")}


@pytest.mark.slow
@pytest.mark.parametrize("late", [False, True])
def test_a_worker_from_a_checkout_with_an_edited_body_is_named(
    folder, cluster, small_parts, checkout, late, monkeypatch
):
    file, others = cluster[0], []
    assert run("--out", "one").exit_code == 0
    command = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", file]
    options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": checkout}
    keep, has_room = RunJournal.keep, ClusterWorkers._has_room

    with connected(file) as client:
        there = set(client.nthreads())

        def join():
            others.append(subprocess.Popen([*command, "--no-nanny", "--no-dashboard"], **options))
            wait_for(lambda: len(client.nthreads()) == 3)

        def keep_and_join(journal, state, *, now=False):
            keep(journal, state, now=now)
            if not others:
                join()

        def room_when_it_was_looked_at(pool, has):
            return bool(not others or pool._refused) and has_room(pool, has)

        if late:
            monkeypatch.setattr(RunJournal, "keep", keep_and_join)
            monkeypatch.setattr(ClusterWorkers, "_has_room", room_when_it_was_looked_at)
        else:
            join()
        try:
            done = run("--out", "two", "--cluster", file)
            (address,) = set(client.nthreads()) - there
        finally:
            kill([other.pid for other in others])
            for other in others:
                other.wait()
    assert done.exit_code == 0, done.stderr
    told = f"the worker {address} got no part: lossfw_std/losses/cross_entropy.py has other code"
    assert told in " ".join(done.stdout.split())
    one, two = ((folder / name / "metrics.json").read_bytes() for name in ("one", "two"))
    assert one == two

"""A cluster of real processes gives the bits of one, also where its processes are killed."""

import json
import multiprocessing
import os
import signal

import numpy as np
import pytest
from click.testing import CliRunner

import lossfw
from lossfw.cli import main
from lossfw.components.plugin_choice import Plugins
from lossfw.runs.compare.rows import read_rows
from lossfw.runs.journal import RunJournal
from lossfw.scale import connect, cut_rows, evaluate_on
from support.configs import build
from support.dask_processes import kill
from support.linear_model import LINEAR
from support.tables import write_columns

distributed = pytest.importorskip("distributed", reason="dask is not installed")
# Connections that are cut while a process is killed end in warnings of the library.
pytestmark = pytest.mark.filterwarnings("ignore")


def plain(result):
    return json.dumps(result.to_dict())


def same_rows(one, two):
    """Tell whether the runs in two folders wrote the same bits of rows."""
    first, second = read_rows(one), read_rows(two)
    assert first.labels == second.labels
    arrays = zip(first.arrays.items(), second.arrays.items(), strict=True)
    return all(
        (name, a.dtype, a.tobytes()) == (other, b.dtype, b.tobytes())
        for (name, a), (other, b) in arrays
    )


def run(*arguments):
    return CliRunner().invoke(main, ["run", "run.yaml", *arguments])


def same_bits(folder, *cluster, options=()):
    """Run here and on a cluster, and tell whether both write the same numbers."""
    for name, where in (("one", ()), ("two", ("--cluster", *cluster))):
        done = run("--out", name, *options, *where)
        assert done.exit_code == 0, done.stderr
    one, two = ((folder / name / "metrics.json").read_bytes() for name in ("one", "two"))
    return one == two


@pytest.mark.slow
def test_the_command_line_gives_the_bits_of_one_process(folder, scheduler, small_parts):
    assert same_bits(folder, scheduler)
    assert (folder / "two" / "status").read_text() == "done\n"


@pytest.mark.slow
def test_groups_have_the_bits_and_the_rows_of_one_process(groups, scheduler, small_parts):
    assert same_bits(groups, scheduler, options=["--trust"])
    assert same_rows(groups / "one", groups / "two")
    rows = read_rows(groups / "two")
    assert len(rows.group_starts) == 402
    assert np.array_equal(rows.row, np.arange(len(rows.row)))


@pytest.mark.slow
def test_processes_of_this_machine_end_with_the_run(folder):
    before = multiprocessing.active_children()
    assert same_bits(folder, "local:1")
    left = [child for child in multiprocessing.active_children() if child.is_alive()]
    assert [child for child in left if child not in before] == []


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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("workers", "part_bytes"), [(1, 1), (1, 2**40), (2, 2**20), (4, 1), (4, 2**20)]
)
def test_any_number_of_workers_and_parts_gives_the_same_bits(
    folder, monkeypatch, workers, part_bytes
):
    monkeypatch.setattr("lossfw.scale.parts._PART_BYTES", part_bytes)
    plan = build("run.yaml")
    with connect(f"local:{workers}") as client:
        assert plain(lossfw.evaluate(plan, client=client)) == plain(lossfw.evaluate(plan))


# What becomes of the workers, given their process ids.
LOST = {
    "all are killed": kill,
    "one is killed": lambda pids: kill(pids[:1]),
    "one is stopped": lambda pids: os.kill(pids[0], signal.SIGSTOP),
}


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no process can be stopped")
@pytest.mark.parametrize("data", ["folder", "groups"])
@pytest.mark.parametrize("lose", LOST.values(), ids=LOST)
def test_the_work_of_workers_that_are_lost_is_done_by_others(
    request, data, lose, small_parts, monkeypatch
):
    request.getfixturevalue(data)
    monkeypatch.setattr("lossfw.scale.cluster._SILENT_SECONDS", 1)
    plan, merged = build("run.yaml", (), Plugins(trusted=True)), []
    with connect("local:2") as client:

        def progress(done, total):
            if not merged:
                lose(list(client.run(os.getpid).values()))
            merged.append(done)

        found = evaluate_on(client, plan, progress=progress)
    assert plain(found) == plain(lossfw.evaluate(plan))
    assert len(merged) == len(cut_rows(plan, 2).parts) > 1


@pytest.mark.parametrize("error", [RuntimeError("Nanny failed to start."), TimeoutError("late")])
def test_a_worker_that_ends_while_it_starts_is_told(folder, monkeypatch, error):
    def failing(**options):
        raise error

    monkeypatch.setattr(pytest.importorskip("distributed"), "LocalCluster", failing)
    result = CliRunner().invoke(main, ["run", "run.yaml", "--cluster", "local:2"])
    assert result.exit_code == 1
    assert "a process of the cluster local:2 could not be started, or ended" in result.stderr
    assert "bug" not in result.stderr


@pytest.mark.slow
def test_a_sweep_is_one_task_for_each_run(folder):
    with (folder / "run.yaml").open("a") as file:
        file.write("sweep: {grid: {loss.ignore: [1, 2, 3]}}\n")
    for name, more in (("here", []), ("there", ["--cluster", "local:2"])):
        arguments = ["run", "run.yaml", "--out", name, *more]
        assert CliRunner().invoke(main, arguments).exit_code == 0
    for path in (folder / "here").glob("*/metrics.json"):
        assert path.read_bytes() == (folder / "there" / path.parent.name / path.name).read_bytes()


@pytest.mark.parametrize("form", [pytest.param("jsonl", marks=pytest.mark.slow), "parquet"])
def test_the_rows_of_parts_are_the_file_of_one_process(few, scheduler, small_parts, form):
    assert same_bits(few, scheduler, options=["-o", f"evaluate.save_rows={form}"])
    one, two = (few / name / f"results.{form}" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


WITH_COLUMNS = """\
lossfw: 1
data: {name: parquet, path: rows, inputs_key: [x], targets_key: t}
network: {predictions: y.npy}
loss: cross_entropy
evaluate:
  save_rows: parquet
  metrics: [accuracy]
  slices: [column.region, {name: age, by: column.age, bins: [30, 50]}]
  intervals: {method: bootstrap, replicates: 100}
"""


def test_slices_by_columns_come_with_rows_and_the_rows_behind_a_nan(few, scheduler, small_parts):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    random, y = np.random.default_rng(0), np.load("y.npy")
    y[[20, 300, 650]] = np.nan
    np.save("y.npy", y)
    columns = {"x": random.random(700), "t": random.integers(0, 5, 700)}
    columns["region"] = [None if i % 7 == 0 else "north" if i % 3 else "south" for i in range(700)]
    columns["age"] = [None if i % 11 == 0 else int(i % 90) for i in range(700)]
    for place in range(2):
        part = few / "rows" / f"half={place}"
        part.mkdir(parents=True)
        parquet.write_table(arrow.table(columns).slice(350 * place, 350), part / "0.parquet")
    (few / "run.yaml").write_text(WITH_COLUMNS)
    alone = run("--out", "one")
    assert alone.exit_code == 1, alone.stderr  # the loss is NaN
    done = run("--out", "two", "--cluster", scheduler)
    assert done.exit_code == 1, done.stderr
    one, two = (few / name / "metrics.json" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    assert same_rows(few / "one", few / "two")
    for name in ("one", "two"):
        record = json.loads((few / name / "run.json").read_text())
        assert "because of rows 20, 300, 650." in record["warnings"][-1]


@pytest.fixture
def dies_after_the_first_part(monkeypatch):
    """Return how to name the processes that die when a run has merged its first part."""
    monkeypatch.setitem(evaluate_on.__kwdefaults__, "patience", 3)
    victims, store = [], RunJournal.store

    def keep_and_kill(journal, state, *, at_once=False):
        store(journal, state, at_once=at_once)
        kill(victims)
        victims.clear()

    monkeypatch.setattr(RunJournal, "store", keep_and_kill)
    return victims.extend


@pytest.mark.slow
@pytest.mark.parametrize("form", ["jsonl", "parquet"])
@pytest.mark.parametrize("gone", ["workers", "scheduler"])
def test_a_run_of_a_cluster_that_died_goes_on_from_its_parts(
    few, cluster, scheduler, small_parts, dies_after_the_first_part, gone, form
):
    file, process, workers = cluster
    rows = f"evaluate.save_rows={form}"
    assert run("--out", "one", "-o", rows).exit_code == 0
    dies_after_the_first_part([w.pid for w in workers] if gone == "workers" else [process.pid])
    ended = run("--out", "two", "-o", rows, "--cluster", file)
    assert ended.exit_code == 1
    assert "--resume continues from those that are" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert (few / "two" / "status").read_text() == "failed\n"
    went_on = run("--out", "two", "-o", rows, "--cluster", scheduler, "--resume")
    assert went_on.exit_code == 0, went_on.stderr
    assert "continued from row" in went_on.stderr
    one, two = ((few / name / "metrics.json").read_bytes() for name in ("one", "two"))
    assert one == two
    assert same_rows(few / "one", few / "two")


UNMERGEABLE = """
from lossfw import Metric, hookimpl

class Rows(int):
    def merge(self, other):
        return Rows(self + other)

class Last(Metric):
    def partial(self, prediction, target, **options):
        return Rows(len(target))

    def result(self, partial):
        return float(partial)

@hookimpl
def lossfw_metrics():
    return {"last": Last}
"""


def test_a_metric_that_cannot_merge_is_told_before_the_first_row(folder, scheduler):
    (folder / "last.py").write_text(UNMERGEABLE)
    options = ["-o", "evaluate.metrics=[last]", "-o", "evaluate.slices=[]"]
    more = ["-o", "evaluate.intervals=null", "--plugin", "last.py", "--cluster", scheduler]
    told = run(*options, *more)
    assert told.exit_code == 2, told.stderr
    assert "the metric last cannot be merged from parts" in told.stderr


def test_real_workers_without_the_data_are_named(folder, scheduler):
    # Every process sees its own folder there.
    told = run("-o", "network.predictions=/proc/self/cwd/y.npy", "--cluster", scheduler)
    assert told.exit_code == 2, told.stderr
    assert "/proc/self/cwd/y.npy cannot be read: No such file or directory" in told.stderr


def test_real_workers_without_the_folder_of_the_data_are_named(few, scheduler):
    (few / "rows").mkdir()
    columns = {"x": np.zeros(700), "t": np.load("t.npy") % 5}
    write_columns(few / "rows" / "0.parquet", columns)
    text = WITH_COLUMNS.replace("path: rows", "path: /proc/self/cwd/rows")
    (few / "run.yaml").write_text(text.partition("  slices")[0])
    told = run("--out", "o", "--cluster", scheduler)
    assert told.exit_code == 2, told.stderr
    assert "/proc/self/cwd/rows/0.parquet is missing" in told.stderr
    assert (few / "o" / "status").read_text() == "failed\n"


def test_real_workers_without_a_plugin_are_named(folder, scheduler, install):
    source = """
    from lossfw import DistanceLoss, hookimpl

    class Far(DistanceLoss):
        def value(self, xp, r):
            return xp.abs(r)

    @hookimpl
    def lossfw_losses():
        return {"far": Far}
    """
    install("acme", {"acme": "acme_plugin"}, {"acme_plugin": source})
    np.save(folder / "y.npy", np.zeros(10))
    np.save(folder / "t.npy", np.ones(10))
    simple = ("-o", "loss=far", "-o", "evaluate={}", "-o", "data={name: arrays, targets: t.npy}")
    assert run(*simple).exit_code == 0
    told = run(*simple, "--cluster", scheduler)
    assert told.exit_code == 1
    assert "package acme_plugin is missing there" in told.stderr


TRAIN = """\
lossfw: 1
data: {name: inline, inputs: [[0.0], [1.0], [2.0]], targets: [[1.0], [3.0], [5.0]]}
network: {layers: [{units: 1, activation: identity}]}
loss: squared_error
train: {optimizer: {name: sgd, learning_rate: 0.1}, epochs: 2, batch_size: 3}
"""


@pytest.mark.slow
def test_a_sweep_of_trainings_is_one_task_for_each(folder, scheduler):
    (folder / "train.yaml").write_text(f"{TRAIN}sweep: {{seeds: 2}}\n")
    for name, more in (("here", ["--jobs", "1"]), ("there", ["--cluster", scheduler])):
        done = CliRunner().invoke(main, ["train", "train.yaml", "--out", name, *more])
        assert done.exit_code == 0, done.stderr
    found = sorted((folder / "here").glob("*/weights.npz"))
    assert len(found) == 2
    for path in found:
        assert path.read_bytes() == (folder / "there" / path.parent.name / path.name).read_bytes()


def test_one_training_is_not_cut(folder):
    (folder / "train.yaml").write_text(TRAIN)
    told = CliRunner().invoke(main, ["train", "train.yaml", "--out", "o", "--cluster", "local:2"])
    assert told.exit_code == 2
    assert "this is a single training: remove --cluster" in told.stderr


MODEL = """\
lossfw: 1
plugins: [linear.py]
data: {name: arrays, targets: t.npy, inputs: x.npy}
model: {name: linear, file: m.json, output_activation: softmax}
loss: cross_entropy
evaluate: {metrics: [accuracy, brier], intervals: {}}
"""


@pytest.mark.slow
def test_a_model_of_a_plugin_file_goes_to_the_workers(folder, scheduler, small_parts):
    random = np.random.default_rng(1)
    np.save(folder / "x.npy", random.normal(size=(3_000, 2)))
    np.save(folder / "t.npy", random.integers(0, 3, 3_000))
    (folder / "m.json").write_text("[[1, -1, 0.25], [0.5, 1, -0.75]]")
    (folder / "linear.py").write_text(LINEAR)
    (folder / "run.yaml").write_text(MODEL)
    here, there = run("--json"), run("--json", "--cluster", scheduler)
    assert there.exit_code == 0, there.stderr
    assert here.stdout == there.stdout

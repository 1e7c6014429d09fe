"""Data for a cluster: files of a few blocks, a configuration that evaluates them, and workers."""

import numpy as np
import pytest

from support.dask_processes import kill, start_quietly
from support.plugin_sources import SPREAD
from support.waiting import HANGS, wait_for

ROWS, COLUMNS = 20_000, 100  # ten blocks of 2,048 rows

TEXT = """\
lossfw: 1
data: {name: arrays, targets: t.npy, sample_weight: w.npy}
network: {predictions: y.npy}
loss: {name: masked, of: cross_entropy, ignore: 3}
evaluate:
  metrics: [accuracy, {name: top_k, k: 5}, brier, f1]
  slices: [{name: sure, by: prediction.max, bins: [0.02, 0.04]}]
  intervals: {method: bootstrap, replicates: 100}
"""


@pytest.fixture
def folder(folder):
    random = np.random.default_rng(0)
    np.save(folder / "y.npy", random.dirichlet(np.ones(COLUMNS), ROWS).astype("f4"))
    np.save(folder / "t.npy", random.integers(0, COLUMNS, ROWS))
    np.save(folder / "w.npy", random.integers(0, 3, ROWS) / 2)
    (folder / "run.yaml").write_text(TEXT)
    return folder


GROUPS = """\
lossfw: 1
plugins: [spread.py]
data: {name: arrays, file: g.npz, group_key: query}
network:
  layers: [{units: 4, activation: tanh}, {units: 1, activation: identity}]
  weights: n.npz
loss: spread
evaluate: {metrics: [squared_error], intervals: {}, slices: [column.side], save_rows: true}
"""


@pytest.fixture
def groups(folder):
    """Groups of up to 40 rows, and two that are longer than a part; the loss is a plugin's."""
    random = np.random.default_rng(0)
    sizes = [700, *random.integers(1, 41, 400), 5_000]
    group = np.repeat(np.arange(len(sizes)), sizes)
    arrays = {
        "inputs": random.normal(size=(len(group), 3)),
        "targets": random.random(len(group)),
        "query": np.char.add("q", random.permutation(len(sizes)).astype(str))[group],
        "side": np.array(["left", "right"])[group % 2],
    }
    np.savez(folder / "g.npz", **arrays)
    shapes = {"W1": (3, 4), "b1": 4, "W2": (4, 1), "b2": 1}
    np.savez(folder / "n.npz", **{name: random.normal(size=n) for name, n in shapes.items()})
    (folder / "spread.py").write_text(SPREAD)
    (folder / "run.yaml").write_text(GROUPS)
    return folder


@pytest.fixture
def few(folder):
    """The same with fewer and longer rows: three blocks of 256."""
    random = np.random.default_rng(0)
    np.save(folder / "y.npy", random.dirichlet(np.ones(1024), 700).astype("f4"))
    np.save(folder / "t.npy", random.integers(0, 1024, 700))
    np.save(folder / "w.npy", random.integers(0, 3, 700) / 2)
    return folder


@pytest.fixture
def small_parts(monkeypatch):
    """Cut the rows into as many parts as there are blocks."""
    monkeypatch.setattr("lossfw.scale.parts._PART_BYTES", 1)


@pytest.fixture(scope="session")
def shared():
    """A client of two worker processes that all tests share: none kills them."""
    pytest.importorskip("distributed", reason="dask is not installed")
    from lossfw.scale import connect

    with connect("local:2") as client:
        yield client


@pytest.fixture
def scheduler(shared):
    """The address of the scheduler of the shared workers."""
    return shared.scheduler.address


@pytest.fixture
def cluster(folder):
    """Processes of a scheduler and of two workers that nobody replaces."""
    from lossfw.scale import connect

    file = str(folder / "scheduler.json")
    scheduler = start_quietly("dask_scheduler", file, "--port", "0")
    # Workers that nobody replaces.
    workers = [start_quietly("dask_worker", file, "--no-nanny") for _ in range(2)]
    wait_for((folder / "scheduler.json").exists)
    with connect(file) as client:
        client.wait_for_workers(2, timeout=HANGS)
    yield file, scheduler, workers
    kill(process.pid for process in (scheduler, *workers))
    for process in (scheduler, *workers):
        process.wait()

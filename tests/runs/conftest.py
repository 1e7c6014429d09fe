"""Configurations with saved predictions, and runs in this process."""

import json
from contextlib import nullcontext

import numpy as np
import pytest

from lossfw.evaluation.evaluate import evaluate, result_of
from lossfw.evaluation.state import EvaluationState
from lossfw.runs import journal

CONFIG = """\
lossfw: 1
data: {name: arrays, targets: t.npy, sample_weight: w.npy}
network: {predictions: p.npy}
loss: {name: cross_entropy, guard: none}
evaluate:
  save_rows: true
  batch_size: 100
  metrics: [accuracy, roc_auc]
  intervals: {level: 0.9}
  slices: [target]
"""
CLASSES = 3


@pytest.fixture
def write(folder):
    """Write arrays of so many rows and ``run.yaml``, and return its path."""

    def made(rows=20, config=CONFIG, name="run.yaml"):
        random = np.random.default_rng(0)
        logits = random.normal(size=(rows, CLASSES))
        p = np.exp(logits)
        np.save(folder / "p.npy", p / p.sum(1, keepdims=True))
        np.save(folder / "t.npy", random.integers(0, CLASSES, rows))
        np.save(folder / "w.npy", random.uniform(0, 2, rows))
        (folder / name).write_text(config)
        return folder / name

    return made


@pytest.fixture
def lines():
    """Return the rows in a file of lines of JSON."""
    return lambda path: [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture(params=["jsonl", "parquet"])
def form(request):
    if request.param == "parquet":
        pytest.importorskip("pyarrow")
    return request.param


def evaluate_here(client, plan, *, keeper, progress):
    """Evaluate parts here, the last one first, and keep them as they come from workers."""
    from lossfw.scale import cut_rows  # other runs do without it

    state = EvaluationState.of(plan)
    keeper.resume(state)
    for start, stop in reversed(cut_rows(plan, 1, state.seen).parts):
        rows = None if keeper.rows is None else keeper.rows(plan)
        part = evaluate(plan, rows=(start, stop), journal=rows)
        if rows is not None:
            keeper.add_rows(rows.entries)
        state.merge(part)
        keeper.store(state)
    return result_of(plan, state)


@pytest.fixture
def spread(monkeypatch):
    """Let a run with a cluster compute its parts here, of one block each."""
    monkeypatch.setattr("lossfw.scale.parts._PART_BYTES", 1)
    monkeypatch.setattr("lossfw.losses.engine.reduction.BLOCK_ELEMENTS", 768)
    monkeypatch.setattr("lossfw.scale.evaluate_on", evaluate_here)
    monkeypatch.setattr("lossfw.scale.connect", lambda scheduler: nullcontext())


class Killed(BaseException):
    """What ends a run, as a signal would."""


@pytest.fixture
def often(monkeypatch):
    """Let a run keep a checkpoint after each group of rows."""
    monkeypatch.setattr(journal, "COMMIT_SECONDS", 0.0)
    monkeypatch.setattr(journal, "_TIMES_ITS_COST", 0.0)


@pytest.fixture
def killed_after(monkeypatch, often):
    """Call a function that runs something, and end that after so many checkpoints."""
    store = journal.RunJournal.store

    def call(checkpoints, run):
        calls = []

        def keep_some(kept, state, *, at_once=False):
            store(kept, state, at_once=True)
            calls.append(state.seen.count)
            if len(calls) == checkpoints:
                raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(journal.RunJournal, "store", keep_some)
            with pytest.raises(Killed):
                run("--traceback")

    return call

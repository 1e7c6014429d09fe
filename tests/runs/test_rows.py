"""What is written of each row: numbers that come together to those of the run."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossfw as package
from lossfw.data import Dataset
from lossfw.evaluation.accumulator import Accumulator
from lossfw.evaluation.batching import PredictedBatch
from lossfw.evaluation.plan import Plan
from lossfw.extras import install_command
from lossfw.runs.rows import rows_of

ELEMENTS = {
    "squared_error": {"name": "squared_error"},
    "per row": {"name": "absolute_error", "per": "row"},
    "masked": {"name": "masked", "of": "squared_error", "ignore": 0.0},
}
CLASSES = {
    "cross_entropy": {"name": "cross_entropy"},
    "class_weighted": {"name": "class_weighted", "of": "cross_entropy", "weights": (1, 0, 3)},
    "masked": {"name": "masked", "of": "cross_entropy", "ignore": 2},
}


def scored(elements, seed, weighted, rows=40):
    """Return drawn rows that fit losses of elements or of classes."""
    random = np.random.default_rng(seed)
    weight = random.integers(0, 3, rows).astype(float) if weighted else None
    if elements:
        y, t = random.normal(size=(rows, 3)), random.integers(-1, 2, (rows, 3)).astype(float)
    else:
        y, t = random.dirichlet(np.ones(3), rows), random.integers(0, 3, rows)
    return PredictedBatch(0, y, None, t, weight)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("elements", "spec"),
    [*((True, spec) for spec in ELEMENTS.values()), *((False, spec) for spec in CLASSES.values())],
    ids=str,
)
@settings(max_examples=15)
@given(seed=st.integers(0, 999))
def test_the_mean_of_the_rows_by_their_weights_is_the_loss(elements, spec, weighted, seed):
    loss = package.loss(spec)
    rows = scored(elements, seed, weighted)
    counted = Accumulator(loss, [], rows=True).add(rows)
    losses, weight = counted.losses, counted.weights
    whole = loss(rows.loss_input, rows.targets, sample_weight=rows.sample_weight)
    some = weight > 0
    mean = np.average(losses[some], weights=weight[some])
    np.testing.assert_allclose(mean, whole, rtol=1e-13)
    assert np.isnan(losses[~some]).all()
    plan = Plan(Dataset("drawn", rows.targets), loss, outputs=rows.loss_input)
    written = rows_of(plan, counted)
    if written.weight is None:
        assert (weight == 1).all()


def test_lines_have_every_number_with_all_its_digits(lossfw, folder, write, lines):
    write(rows=50)
    lossfw("run", "run.yaml", "--out", "out")
    p, t, w = (np.load(folder / f"{name}.npy") for name in "ptw")
    found = lines(folder / "out/results.jsonl")
    assert [line["row"] for line in found] == list(range(50))
    assert [line["prediction"] for line in found] == p.tolist()
    assert [line["target"] for line in found] == t.tolist()
    np.testing.assert_allclose([line["weight"] for line in found], w, rtol=1e-15)
    wanted = -np.log(p[np.arange(50), t])
    np.testing.assert_allclose([line["loss"] for line in found], wanted, rtol=1e-14)


class TestParquet:
    @pytest.fixture
    def parquet(self):
        return pytest.importorskip("pyarrow.parquet")

    def test_without_the_library_the_extra_is_named_before_the_work(
        self, lossfw, folder, write, monkeypatch
    ):
        write()
        monkeypatch.setattr("lossfw.runs.execute.evaluate", None)
        monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
        done = lossfw("run", "run.yaml", "-o", "evaluate.save_rows=parquet", "--out", "out")
        assert done.exit_code == 2
        assert install_command("tables") in done.stderr
        assert not (folder / "out").exists()

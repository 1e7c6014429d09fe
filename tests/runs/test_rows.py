"""What is written of each row: numbers that come together to those of the run."""

import json
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
from lossfw.runs.rows import RowRecords, json_lines, rows_of
from support.configs import DIGITS

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


def test_a_row_of_elements_weighs_what_its_weight_says():
    rows = scored(True, 0, True)
    found = Accumulator(package.loss("squared_error"), [], rows=True).add(rows)
    np.testing.assert_array_equal(found.weights, rows.sample_weight)


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


def test_rows_of_a_sample_have_the_numbers_that_they_have_in_the_data(lossfw, folder, write, lines):
    write(rows=50)
    sample = "evaluate.sample={count: 80, replace: true}"
    done = lossfw("run", "run.yaml", "-o", sample, "--json", "--out", "out")
    found = lines(folder / "out/results.jsonl")
    assert [line["row"] for line in found] == json.loads(done.stdout)["sample"]
    targets = np.load(folder / "t.npy")
    assert all(line["target"] == targets[line["row"]] for line in found)


def test_the_network_s_predictions_are_shown_also_where_logits_reach_the_loss(
    lossfw, folder, lines
):
    (folder / "run.yaml").write_text(f"{DIGITS}evaluate: {{save_rows: true}}\n")
    done = lossfw("run", "run.yaml", "--json", "--out", "out")
    assert json.loads(done.stdout)["loss"]["form"] == "logits"
    found = lines(folder / "out/results.jsonl")
    np.testing.assert_allclose([sum(line["prediction"]) for line in found], 1, rtol=1e-6)
    assert "weight" not in found[0]


def test_what_is_not_finite_or_does_not_count_has_its_words():
    weight = np.array([1.0, 1.0, 0.0])
    loss = np.array([np.inf, np.nan, np.nan])
    rows = RowRecords(np.arange(3), loss, np.array([np.inf, np.nan, 0.5]), np.arange(3), weight)
    first, second, third = (json.loads(line) for line in json_lines(rows).splitlines())
    assert (first["loss"], first["prediction"]) == ("inf", "inf")
    assert second["loss"] == "nan"
    assert third["loss"] is None
    assert float(first["loss"]) == np.inf


class TestParquet:
    @pytest.fixture
    def parquet(self):
        return pytest.importorskip("pyarrow.parquet")

    def test_the_same_rows_as_columns(self, lossfw, folder, write, lines, parquet):
        write(rows=50)
        lossfw("run", "run.yaml", "--out", "lines")
        done = lossfw("run", "run.yaml", "-o", "evaluate.save_rows=parquet", "--out", "out")
        assert done.exit_code == 0, done.stderr
        assert parquet.read_table(folder / "out/results.parquet").to_pylist() == lines(
            folder / "lines/results.jsonl"
        )
        assert not (folder / "out/unfinished.sqlite").exists()
        assert not (folder / "out/results.jsonl").exists()

    def test_a_row_that_does_not_count_has_no_loss(self, lossfw, folder, write, parquet):
        write(rows=10)
        np.save(folder / "w.npy", np.arange(10) % 2)
        lossfw("run", "run.yaml", "-o", "evaluate.save_rows=parquet", "--out", "out")
        loss = parquet.read_table(folder / "out/results.parquet")["loss"]
        assert [value is None for value in loss.to_pylist()] == [True, False] * 5

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


def test_without_a_folder_nothing_is_written_and_a_warning_says_so(lossfw, folder, write):
    write()
    before = sorted(folder.iterdir())
    done = lossfw("run", "run.yaml")
    assert "evaluate.save_rows asks for a file of rows" in done.stdout
    assert sorted(folder.iterdir()) == before

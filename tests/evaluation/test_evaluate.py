"""Evaluation: the same bits for any batch, the right numbers, the right words."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossfw
from lossfw.data import DataColumn, Dataset
from lossfw.data.weights import read_weights
from lossfw.errors import ArgumentError, DataError, ShapeError
from lossfw.evaluation.evaluate import evaluate
from lossfw.evaluation.plan import Plan
from lossfw.evaluation.slices import Slice
from lossfw.metrics import LossMetric
from lossfw.nn.dense import LayerSpec, Network

WIDTH, CLASSES, ROWS = 12, 3, 5000
random = np.random.default_rng(0)
SHAPES = {"W1": (WIDTH, 8), "b1": 8, "W2": (8, CLASSES), "b2": CLASSES}
NETWORK = Network.from_arrays(
    [LayerSpec(8, lossfw.activation("sigmoid")), LayerSpec(CLASSES, lossfw.activation("softmax"))],
    {name: random.normal(size=shape).astype("f4") for name, shape in SHAPES.items()},
    "w.npz",
)
DATA = Dataset(
    "d",
    targets=random.integers(0, CLASSES, ROWS),
    inputs=random.normal(size=(ROWS, WIDTH)).astype("f4"),
    sample_weight=random.uniform(0, 2, ROWS),
)
OUTPUTS = NETWORK.forward(DATA.inputs)
ACCURACY = lossfw.registry().create("metric", "accuracy")
LOSS = lossfw.loss("cross_entropy")


def rows(n, **changes):
    """Return the first rows of the data, without weights unless they are given."""
    parts = {"targets": DATA.targets[:n], "inputs": DATA.inputs[:n], **changes}
    return Dataset("d", **parts)


def plan(data, **changes):
    parts = {"loss": LOSS, "model": NETWORK, "metrics": (ACCURACY,), **changes}
    return Plan(data, **parts)


def bits(result):
    """Return every number of a result, to be compared without any tolerance."""
    return (result.count, result.weight, result.loss, dict(result.metrics))


@given(
    n=st.integers(1, ROWS),
    size=st.integers(1, 6000),
    threads=st.integers(1, 4),
    weighted=st.booleans(),
    logits=st.booleans(),
)
def test_batch_size_and_threads_change_no_bit(n, size, threads, weighted, logits):
    data = rows(n, sample_weight=DATA.sample_weight[:n] if weighted else None)
    form = {"loss": LOSS.on_raw_outputs(), "outputs_form": "logits"} if logits else {}
    with lossfw.threads(1):
        once = evaluate(plan(data, batch_size=n, **form))
    with lossfw.threads(threads):
        again = evaluate(plan(data, batch_size=size, **form))
    assert bits(again) == bits(once)


@pytest.mark.parametrize("size", [1, 7, 100, 10_000])
def test_saved_outputs_and_mapped_files_change_no_bit(tmp_path, size):
    whole = bits(evaluate(plan(rows(ROWS), batch_size=ROWS)))
    np.save(tmp_path / "x.npy", DATA.inputs)
    np.save(tmp_path / "y.npy", OUTPUTS)
    mapped = Dataset("d", DATA.targets, np.load(tmp_path / "x.npy", mmap_mode="r"))
    assert bits(evaluate(plan(mapped, batch_size=size))) == whole
    for outputs in (OUTPUTS, np.load(tmp_path / "y.npy", mmap_mode="r")):
        saved = plan(rows(ROWS), model=None, outputs=outputs, batch_size=size)
        assert bits(evaluate(saved)) == whole


def test_both_forms_agree_and_the_metrics_see_predictions():
    class Highest(lossfw.RowMetric):
        """The largest number of a row: at most 1 for a prediction."""

        def rows(self, prediction, target):
            return prediction.max(-1)

    class HighestLogit(Highest):
        """The same of the logits."""

        accepts = "logits"

    metrics = (Highest(), HighestLogit())
    apart = evaluate(plan(DATA, metrics=metrics))
    fused = evaluate(plan(DATA, loss=LOSS.on_raw_outputs(), outputs_form="logits", metrics=metrics))
    assert fused.loss == pytest.approx(apart.loss, rel=1e-5)
    assert (apart.form, fused.form) == ("prediction", "logits")
    assert fused.metrics["highest"] == apart.metrics["highest"] <= 1
    logits = NETWORK.raw_outputs(DATA.inputs).max(1).astype("f8")
    wanted = (logits * DATA.sample_weight).sum() / DATA.sample_weight.sum()
    assert fused.metrics["highest_logit"] == pytest.approx(wanted, rel=1e-12)


@given(sample=st.lists(st.integers(0, ROWS - 1), min_size=1, max_size=20))
def test_a_sample_is_its_rows_in_order(sample):
    drawn = evaluate(plan(DATA, sample=tuple(sample)))
    alone = evaluate(plan(DATA.take(sample)))
    assert bits(drawn) == bits(alone)
    assert drawn.to_dict()["sample"] == sample
    saved = evaluate(plan(DATA, model=None, outputs=OUTPUTS, sample=tuple(sample)))
    assert saved.loss == pytest.approx(drawn.loss, rel=1e-5)


def test_weight_two_is_the_row_twice_and_weight_zero_the_row_gone():
    inputs, targets = DATA.inputs[:4], DATA.targets[:4]
    weighted = Dataset("d", targets, inputs, np.array([2.0, 0.0, 1.0, 1.0]))
    repeated = Dataset("d", targets, inputs).take([0, 0, 2, 3])
    assert evaluate(plan(weighted)).loss == pytest.approx(evaluate(plan(repeated)).loss, rel=1e-14)


def test_a_row_of_weight_0_is_in_no_slice():
    weights = np.array([1.0, 0.0, 2.0, 0.0])
    sides = DataColumn.of(np.array(["left", "right", "left", "top"]))
    data = Dataset("four", np.zeros(4), sample_weight=weights, columns={"side": sides})
    slices = (Slice("loss", "loss", bins=[1.0]), Slice("side", "column.side"))
    loss = lossfw.loss("squared_error")
    parts = evaluate(Plan(data, loss, outputs=np.arange(4.0), slices=slices, batch_size=1))
    there = [(x["name"], x["value"], x["count"]) for x in parts.numbers.slices if x["count"]]
    assert there == [("loss", "< 1", 1), ("loss", ">= 1", 1), ("side", "left", 2)]
    assert "nan" not in [part["value"] for part in parts.numbers.slices]


def test_the_result_is_written_as_agreed():
    result = evaluate(plan(rows(10), digest="abc"))
    assert result.to_dict() == {
        "lossfw": 1,
        "count": 10,
        "weight": 10.0,
        "loss": {"name": "cross_entropy", "value": result.loss, "form": "prediction"},
        "metrics": {"accuracy": {"value": result.metrics["accuracy"]}},
        "sample": None,
        "digest": "abc",
    }
    assert list(result.timings) == ["read", "forward", "loss", "accuracy"]
    assert all(seconds >= 0 for seconds in result.timings.values())


@pytest.mark.parametrize("targets", [[0, 1, 1], [[1, 0], [0, 1], [0, 1]]])
@pytest.mark.parametrize(
    ("guard", "expected"),
    [
        ("normalised", "2 of 3 .* below delta = 0.01, where the normalised guard decides the"),
        ("none", "1 of 3 .* are 0, where the loss without a guard is infinite"),
    ],
)
def test_where_the_guard_decides(targets, guard, expected):
    y = np.array([[0.001, 0.999], [0.5, 0.5], [1.0, 0.0]])
    loss = lossfw.loss("cross_entropy", guard=guard, delta=0.01)
    (warning,) = evaluate(Plan(Dataset("d", np.array(targets)), loss, outputs=y)).warnings
    assert re.match(expected, warning)


@pytest.mark.parametrize(
    ("data", "options", "error", "words"),
    [
        (DATA, {"model": None}, ArgumentError, "exactly one of model and outputs"),
        (DATA, {"outputs": np.ones((ROWS, 3))}, ArgumentError, "exactly one of model and"),
        (DATA, {"batch_size": 0}, ArgumentError, "batch_size is 0"),
        (Dataset("d", DATA.targets), {}, DataError, "'d' have no inputs for the model"),
        (rows(ROWS, inputs=DATA.inputs[:, :11]), {}, ShapeError, r"have shape \(5000, 11\)"),
        (DATA, {"model": None, "outputs": np.ones((9, 3))}, DataError,
         r"shape \(9, 3\), but data 'd' have 5000 rows"),
    ],
)  # fmt: skip
def test_a_plan_that_cannot_be_made_is_refused_before_a_row_is_read(data, options, error, words):
    with pytest.raises(error, match=words):
        plan(data, **options)


OF_ROWS = [lossfw.loss("squared_error", per="row"), LOSS, lossfw.loss("brier")]


@pytest.mark.parametrize("loss", OF_ROWS, ids=str)
@pytest.mark.parametrize("as_metric", [False, True])
def test_one_number_for_each_row_and_a_loss_of_rows_do_not_fit(loss, as_metric):
    flat = Dataset("flat", targets=np.array([1.0, 0.0, 1.0, 0.0]))
    main = lossfw.loss("squared_error") if as_metric else loss
    metrics = (LossMetric(of=loss),) if as_metric else ()
    with pytest.raises(ShapeError, match=r"takes rows of numbers, but outputs of shape \(4,\)"):
        Plan(flat, main, outputs=np.full(4, 0.5), metrics=metrics)


@pytest.fixture(scope="module")
def book(mnist):
    """Return the book's data and its network."""
    parameters = {
        "images": str(mnist / "t10k-images-idx3-ubyte.gz"),
        "labels": str(mnist / "t10k-labels-idx1-ubyte.gz"),
    }
    source = lossfw.registry().create("source", "idx", scale=255, flatten=True, **parameters)
    units = [(50, "sigmoid"), (100, "sigmoid"), (10, "softmax")]
    specs = [LayerSpec(n, lossfw.activation(name)) for n, name in units]
    weights = mnist / "sample_weight.pkl"
    return source.load(), Network.from_arrays(specs, read_weights(weights), weights.name)


def test_the_book_s_network_has_the_book_s_numbers_for_any_batch(book):
    """The book's program prints 0.9352."""
    data, network = book
    loss = lossfw.loss("cross_entropy", guard="additive", delta=1e-7)
    made = plan(data, model=network, loss=loss)
    results = [evaluate(replace(made, batch_size=size)) for size in (1, 7, 100, 10_000)]
    assert {result.metrics["accuracy"] for result in results} == {0.9352}
    (found,) = {result.loss for result in results}
    y = network.forward(data.inputs)
    wanted = -np.log(y[np.arange(len(y)), data.targets] + np.float32(1e-7))
    assert found == pytest.approx(float(wanted.mean(dtype="f8")), rel=1e-6)

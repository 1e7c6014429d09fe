"""The report of a run in the terminal: its lines, numbers and slices."""

import math

import numpy as np
import pytest

import lossfw
from lossfw.data import Dataset
from lossfw.evaluation.plan import Plan
from lossfw.evaluation.result import Numbers, Result
from lossfw.nn.dense import LayerSpec, Network
from lossfw.report.text.run import measured_lines, report_lines, slice_table

CURVE = {"confidence": [0.25, 0.75], "accuracy": [1 / 3, 1.0], "weight": [3.0, 1.0]}


DATA = Dataset("two", np.array([0, 1]), np.ones((2, 3)))
PLAN = Plan(DATA, lossfw.loss("cross_entropy"), outputs=np.eye(2))
NUMBERS = {"accuracy": 1 / 3, "recall": [0.5, 1.0], "long": [0.25] * 100}


def rows(plan=PLAN, loading=0.5, form="prediction", **changes):
    """Return the report's lines by label."""
    metrics = {name: {"value": value} for name, value in NUMBERS.items()}
    numbers = Numbers({"value": 0.1 + 0.2}, metrics)
    options = {"timings": {"loss": 1.5}, "weight": 2.0, **changes}
    made = Result(
        2, options.pop("weight"), "cross_entropy", "CrossEntropy()", form, numbers, **options
    )
    return report_lines(plan, made, loading)


def test_saved_predictions_a_sample_and_warnings():
    found = dict(rows())
    assert found["data"] == "two, 2 rows"
    assert found["network"] == "none: saved predictions of shape (2, 2)"
    assert found["loss"] == "CrossEntropy(), from predictions"
    data = Dataset("two", np.array([0, 1]), sample_weight=np.array([0.5, 2.0]))
    plan = Plan(data, lossfw.loss("cross_entropy"), outputs=np.eye(2), sample=(1,))
    assert dict(rows(plan, weight=2.5))["data"] == "two, 1 row drawn from 2, total weight 2.5"
    found = rows(warnings=("one", "two"))
    assert found[-2:] == [("warning", "one"), ("warning", "two")]


def test_a_network_and_numbers_with_all_their_digits():
    specs = [LayerSpec(4, lossfw.activation("relu")), LayerSpec(2, lossfw.activation("softmax"))]
    arrays = {"W1": np.ones((3, 4)), "b1": np.ones(4), "W2": np.ones((4, 2)), "b2": np.ones(2)}
    network = Network.from_arrays(specs, arrays, "w.npz")
    found = dict(rows(Plan(DATA, lossfw.loss("cross_entropy"), model=network), form="logits"))
    assert found["network"] == "3-4-2, relu, softmax, float64"
    assert found["loss"].endswith("from logits")
    assert found["cross_entropy"] == "0.30000000000000004"
    assert float(found["accuracy"]) == 1 / 3
    assert found["recall"] == "[0.5, 1.0]"
    assert found["long"].endswith(", ... (100 in all)]")
    for loading, timings, slowest in (
        (0.5, {"loss": 1.5}, "loss, 1.500 of 2.000 s (75%)"),
        (3.0, {"loss": 1.0}, "loading, 3.000 of 4.000 s (75%)"),
        (0.0, {}, "loading, 0.000 of 0.000 s (100%)"),
    ):
        assert dict(rows(loading=loading, timings=timings))["slowest"] == slowest


@pytest.mark.parametrize(
    ("name", "found", "lines"),
    [
        ("confusion_matrix", {"value": [[10.0, 0.0], [1.5, 200.0]]},
         [("confusion_matrix", ""), ("  0", " 10   0"), ("  1", "1.5 200")]),
        ("calibration_error", {"value": 0.125, "interval": None, "curve": CURVE},
         [("calibration_error", "0.125 [?]"), ("", "confidence 0.25, accuracy 0.3333, weight 3"),
          ("", "confidence 0.75, accuracy 1, weight 1")]),
    ],
)  # fmt: skip
def test_a_matrix_and_a_curve_have_lines_of_their_own(name, found, lines):
    assert measured_lines(name, found) == lines
    # What is large is cut.
    long = measured_lines("m", {"value": [[1.0] * 30] * 30})
    assert len(long) == 22
    assert long[1][1].endswith("1 ...")
    assert long[-1] == ("", "... 30 in all")
    curve = {"confidence": [0.5] * 25, "weight": [1.0] * 25}
    assert measured_lines("c", {"value": 0.1, "curve": curve})[-1][1] == "... 25 in all"


def result(**changes):
    numbers = Numbers(
        {"value": 0.5, "interval": [0.25, 0.75]},
        {"accuracy": {"value": 0.5, "interval": None}, "recall": {"value": [math.nan, 0.5]}},
        **changes,
    )
    return Result(2, 2.0, "brier", "Brier()", "prediction", numbers)


def test_how_intervals_were_made():
    plan = Plan(Dataset("two", np.array([0, 1])), lossfw.loss("brier"), outputs=np.eye(2))
    asked = {"level": 0.95, "method": "bootstrap", "replicates": 100, "seed": 3}
    found = dict(report_lines(plan, result(intervals=asked), 0.5))
    assert found["intervals"] == "95% intervals of rows taken as independent; given the model."
    asked |= {"resample": "column.patient", "count": 40, "freedom": 11.4}
    found = dict(report_lines(plan, result(intervals=asked), 0.5))
    assert found["intervals"] == (
        "95% intervals of 40 patients (column.patient), as good as 12 equal ones, by the bootstrap "
        "(100 draws, seed 3); given the model."
    )
    assert found["brier"] == "0.500 [0.250, 0.750]"
    assert found["recall"] == "[nan, 0.5]"
    assert "intervals" not in dict(report_lines(plan, result(), 0.5))


def test_slices_are_a_table_of_single_numbers():
    part, none = {"name": "target", "by": "target", "weight": 1.0}, {"value": None}
    metrics = {"accuracy": {"value": 1.0}, "recall": {"value": [1.0, 0.0]}}
    full = {**part, "value": "0", "count": 1, "loss": {"value": 0.25}, "metrics": metrics}
    empty = {
        **part,
        "value": "1",
        "count": 0,
        "loss": none,
        "metrics": dict.fromkeys(metrics, none),
    }
    headers, rows = slice_table(result(slices=(full, empty)))
    assert headers == ("slice", "", "rows", "brier", "accuracy")
    assert rows == [("target", "0", "1", "0.25", "1"), ("", "1", "0", "-", "-")]
    assert slice_table(result()) == (headers, [])

"""Numbers of a result as text."""

import math

import numpy as np

import lossfw
from lossfw.data import Dataset
from lossfw.evaluation.plan import Plan
from lossfw.evaluation.result import Numbers, Result
from lossfw.report.text.run import measured, report_rows, slice_table


def test_a_matrix_has_a_line_for_each_row_and_its_columns_stand_under_each_other():
    assert measured("confusion_matrix", {"value": [[10.0, 0.0], [1.5, 200.0]]}) == [
        ("confusion_matrix", ""),
        ("  0", " 10   0"),
        ("  1", "1.5 200"),
    ]


def test_large_matrices_and_long_curves_are_cut():
    lines = measured("m", {"value": [[1.0] * 30] * 30})
    assert len(lines) == 22
    assert lines[1][1].endswith("1 ...")
    assert lines[-1] == ("", "... 30 in all")
    curve = {"confidence": [0.5] * 25, "weight": [1.0] * 25}
    assert measured("c", {"value": 0.1, "curve": curve})[-1][1] == "... 25 in all"


def test_a_curve_stands_below_its_number():
    curve = {"confidence": [0.25, 0.75], "accuracy": [1 / 3, 1.0], "weight": [3.0, 1.0]}
    assert measured("calibration_error", {"value": 0.125, "interval": None, "curve": curve}) == [
        ("calibration_error", "0.125 [?]"),
        ("", "confidence 0.25, accuracy 0.3333, weight 3"),
        ("", "confidence 0.75, accuracy 1, weight 1"),
    ]


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
    found = dict(report_rows(plan, result(intervals=asked), 0.5))
    assert found["intervals"] == "0.95 by bootstrap, 100 replicates, seed 3"
    assert found["brier"] == "0.500 [0.250, 0.750]"
    assert found["recall"] == "[nan, 0.5]"
    assert "intervals" not in dict(report_rows(plan, result(), 0.5))


def test_slices_are_a_table_of_single_numbers():
    part = {"name": "target", "by": "target", "weight": 1.0}
    full = {
        **part,
        "value": "0",
        "count": 1,
        "loss": {"value": 0.25},
        "metrics": {"accuracy": {"value": 1.0}, "recall": {"value": [1.0, 0.0]}},
    }
    none = {"value": None}
    empty = {
        **part,
        "value": "1",
        "count": 0,
        "loss": none,
        "metrics": {"accuracy": none, "recall": none},
    }
    headers, rows = slice_table(result(slices=(full, empty)))
    assert headers == ("slice", "", "rows", "brier", "accuracy")
    assert rows == [("target", "0", "1", "0.25", "1"), ("", "1", "0", "-", "-")]
    assert slice_table(result()) == (headers, [])

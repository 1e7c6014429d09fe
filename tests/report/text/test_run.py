import numpy as np
import pytest

import lossfw
from lossfw.data import Dataset
from lossfw.evaluation.plan import Plan
from lossfw.evaluation.result import Numbers, Result
from lossfw.nn.dense import LayerSpec, Network
from lossfw.report.text.run import report_rows

DATA = Dataset("two", np.array([0, 1]), np.ones((2, 3)))


def rows(plan=None, loading=0.5, metrics=None, **changes):
    """Return the report's lines by label."""
    plan = plan or Plan(DATA, lossfw.loss("cross_entropy"), outputs=np.eye(2))
    result = {
        "count": 2,
        "weight": 2.0,
        "loss_name": "cross_entropy",
        "loss_text": "CrossEntropy()",
        "form": "prediction",
        "numbers": Numbers(
            {"value": 0.1 + 0.2}, {name: {"value": v} for name, v in (metrics or {}).items()}
        ),
        "timings": {"loss": 1.5},
        **changes,
    }
    return report_rows(plan, Result(**result), loading)


def test_saved_predictions():
    found = dict(rows())
    assert found["data"] == "two, 2 rows"
    assert found["network"] == "none: saved predictions of shape (2, 2)"
    assert found["loss"] == "CrossEntropy(), from predictions"


def test_a_network_by_its_widths_activations_and_dtype():
    specs = [LayerSpec(4, lossfw.activation("relu")), LayerSpec(2, lossfw.activation("softmax"))]
    arrays = {"W1": np.ones((3, 4)), "b1": np.ones(4), "W2": np.ones((4, 2)), "b2": np.ones(2)}
    network = Network.from_arrays(specs, arrays, "w.npz")
    plan = Plan(DATA, lossfw.loss("cross_entropy"), network=network)
    assert dict(rows(plan))["network"] == "3-4-2, relu, softmax, float64"
    assert dict(rows(plan, form="logits"))["loss"].endswith("from logits")


def test_numbers_keep_all_their_digits():
    found = dict(rows(metrics={"accuracy": 1 / 3, "recall": [0.5, 1.0], "long": [0.25] * 100}))
    assert found["cross_entropy"] == "0.30000000000000004"
    assert float(found["accuracy"]) == 1 / 3
    assert found["recall"] == "[0.5, 1.0]"
    assert found["long"].endswith(", ... (100 in all)]")


def test_a_sample_and_weights():
    data = Dataset("two", np.array([0, 1]), sample_weight=np.array([0.5, 2.0]))
    plan = Plan(data, lossfw.loss("cross_entropy"), outputs=np.eye(2), sample=(1,))
    assert dict(rows(plan, weight=2.5))["data"] == "two, 1 row drawn from 2, total weight 2.5"


@pytest.mark.parametrize(
    ("loading", "timings", "slowest"),
    [
        (0.5, {"loss": 1.5}, "loss, 1.500 of 2.000 s (75%)"),
        (3.0, {"loss": 1.0}, "loading, 3.000 of 4.000 s (75%)"),
        (0.0, {}, "loading, 0.000 of 0.000 s (100%)"),
    ],
)
def test_the_slowest_part_has_its_share(loading, timings, slowest):
    assert dict(rows(loading=loading, timings=timings))["slowest"] == slowest


def test_each_warning_has_its_line():
    found = rows(warnings=("one", "two"))
    assert found[-2:] == [("warning", "one"), ("warning", "two")]

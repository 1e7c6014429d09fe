"""A loss among the metrics: its own number, under its own name."""

import numpy as np
import pytest

import lossfw
from lossfw.data import Dataset
from lossfw.evaluation.evaluate import evaluate
from lossfw.evaluation.plan import Plan
from lossfw.metrics import LossMetric

random = np.random.default_rng(0)
SCORES = random.normal(size=(1000, 3))
TARGETS = np.eye(3)[random.integers(0, 3, 1000)]
WEIGHT = random.uniform(0, 2, 1000)


@pytest.mark.parametrize("name", ["mse", {"name": "squared_error", "factor": 0.5}])
def test_it_is_the_loss_of_the_whole_whatever_the_batch(name):
    loss = lossfw.loss(name)
    data = Dataset("d", targets=TARGETS, sample_weight=WEIGHT)
    for size in (1, 300, 1000):
        plan = Plan(
            data,
            loss=lossfw.loss("squared_error"),
            outputs=SCORES,
            metrics=(LossMetric(of=loss),),
            batch_size=size,
        )
        result = evaluate(plan)
        assert dict(result.metrics) == {
            "squared_error": loss(SCORES, TARGETS, sample_weight=WEIGHT)
        }


def test_two_forms_of_one_loss_are_told_apart():
    half = LossMetric(of=lossfw.loss("squared_error", factor=0.5))
    whole = LossMetric(of="squared_error")
    plan = Plan(Dataset("d", targets=TARGETS), whole.of, outputs=SCORES, metrics=(whole, half))
    result = evaluate(plan).metrics
    assert list(result) == ["squared_error", "squared_error(factor=0.5)"]
    first, second = result.values()
    assert first == 2 * second


def test_it_says_what_it_takes_and_what_it_is():
    assert LossMetric(of="cross_entropy").accepts == "prediction"
    logits = LossMetric(of={"name": "cross_entropy", "from_logits": True})
    assert logits.accepts == "logits"
    assert logits.to_config() == {"name": "cross_entropy", "from_logits": True}

"""Intervals hold the true number about as often as they say: a seeded simulation."""

import numpy as np
import pytest

import lossfw
from lossfw.evaluation.accumulator import Accumulator
from lossfw.evaluation.batching import PredictedBatch
from lossfw.evaluation.intervals.options import Intervals
from support.drawn import metric

METRICS = ("accuracy", "f1", "roc_auc")
LOSS = lossfw.loss("cross_entropy")
# A level at which intervals that are too wide miss as visibly as those too narrow do.
LEVEL = 0.8
TIMES = 120
# Standard deviation of the fraction that holds: 0.037. Three of them; the draws are fixed.
TOLERANCE = 0.11


def draw(rng, rows):
    """Draw predictions that are too sure of themselves, targets and weights."""
    z = rng.normal(size=(rows, 2))
    truth = 1 / (1 + np.exp(z[:, 0] - z[:, 1]))
    t = (rng.random(rows) < truth).astype(int)
    y = 1 / (1 + np.exp(2 * (z[:, 0] - z[:, 1])))
    weight = rng.uniform(0.5, 1.5, rows)
    return np.stack([1 - y, y], 1), t, weight


@pytest.fixture(scope="module")
def truths():
    y, t, weight = draw(np.random.default_rng(1), 60_000)
    made = [metric(name) for name in METRICS]
    values = [m(y, t, sample_weight=weight) for m in made]
    return [LOSS(y, t, sample_weight=weight), *values]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asked", "rows"),
    [
        (Intervals(LEVEL), 60),
        pytest.param(Intervals(LEVEL), 300, marks=pytest.mark.slow),
        pytest.param(Intervals(LEVEL, "bootstrap", replicates=300), 60, marks=pytest.mark.slow),
    ],
    ids=["jackknife of single rows", "jackknife of folds", "bootstrap"],
)
def test_coverage(asked, rows, truths):
    held = np.zeros(len(truths))
    for seed in range(TIMES):
        y, t, weight = draw(np.random.default_rng([2, rows, seed]), rows)
        tally = Accumulator(LOSS, [metric(name) for name in METRICS], intervals=asked)
        tally.add(PredictedBatch(0, y, None, t, weight))
        found = tally.numbers()
        pairs = [found.loss["interval"], *(m["interval"] for m in found.metrics.values())]
        held += [low <= truth <= high for (low, high), truth in zip(pairs, truths, strict=True)]
    assert held / TIMES == pytest.approx(np.full(len(truths), LEVEL), abs=TOLERANCE)

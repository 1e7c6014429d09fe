"""Numbers of groups: against the call of the loss, by fold and by slice."""

import numpy as np
import pytest

import lossfw
from lossfw import GroupLoss
from lossfw.data import Dataset
from lossfw.errors import ArgumentError, DomainError
from lossfw.evaluation.evaluate import evaluate
from lossfw.evaluation.intervals.freedom import degrees_of_freedom
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.plan import Plan
from lossfw.evaluation.slices import Slice
from lossfw.metrics import LossMetric

SIZES = np.random.default_rng(0).integers(1, 9, 300)
stats = pytest.importorskip("scipy.stats")
GROUP = np.repeat(np.arange(len(SIZES)), SIZES)
ROWS = len(GROUP)


class Spread(GroupLoss):
    """The variance of the residuals of a group; all rows are one without groups."""

    needs_group = False

    def value(self, xp, y, t):
        r = y - t
        return xp.mean((r - xp.mean(r, axis=-1, keepdims=True)) ** 2, axis=-1)


def plan(y, *, groups=GROUP, columns=None, weight=None, **options):
    t = np.random.default_rng(2).random(len(y))
    data = Dataset("d", targets=t, groups=groups, columns=columns or {}, sample_weight=weight)
    return Plan(data, options.pop("loss", Spread()), outputs=y, **options)


@pytest.fixture
def y():
    return np.random.default_rng(1).random(ROWS)


def test_the_units_of_an_interval_are_whole_groups(y):
    """The mean of losses of groups, and of rows, without each group; of which each is a unit."""
    made = plan(y, intervals=Intervals(level=0.9), metrics=(LossMetric(of=lossfw.loss("huber")),))
    numbers = evaluate(made).numbers
    losses = Spread()(y, made.data.targets, group=GROUP, reduction="none")
    of_rows = lossfw.loss("huber")(y, made.data.targets, reduction="none")
    sums = np.bincount(GROUP, of_rows)
    cases = [
        (numbers.loss, losses, np.ones(len(SIZES)), len(SIZES) - 1, False),
        (numbers.metrics["huber"], sums, SIZES, degrees_of_freedom(SIZES), True),
    ]
    for found, sums, size, freedom, claims in cases:
        mean = sums.sum() / size.sum()
        without = (sums.sum() - sums) / (size.sum() - size)
        error = np.sqrt((len(size) - 1) / len(size) * ((without - mean) ** 2).sum())
        half = stats.t.ppf(0.95, freedom) * error
        factor = np.exp(half / mean)
        # A loss that claims to be nonnegative is seen on the scale of its logarithm.
        ends = [mean / factor, mean * factor] if claims else [mean - half, mean + half]
        assert found["value"] == pytest.approx(mean)
        assert found["interval"] == pytest.approx(ends, rel=1e-10)


def test_slices_and_weights_that_split_a_group_are_refused(y):
    inside = np.flatnonzero(np.diff(GROUP) == 0)
    row, last = int(inside[0]), int(inside[-1]) + 1
    side, weight = np.arange(ROWS) % 2, np.ones(ROWS)
    with pytest.raises(ArgumentError, match=rf"slice 'side': .* rows {row} and {row + 1} of one"):
        evaluate(plan(y, columns={"side": side}, slices=(Slice.of("column.side"),)))
    weight[last] = 2.0
    with pytest.raises(DomainError, match=rf"sample_weight\[{last}\] = 2"):
        evaluate(plan(y, weight=weight, batch_size=7))

"""The state of intervals by unit is bounded, whatever the rows, metrics, slices and scores are."""

import numpy as np
import pytest

import lossfw
from lossfw.data import Dataset
from lossfw.evaluation.evaluate import evaluate, result_of
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.intervals.units import Units
from lossfw.evaluation.plan import Plan
from lossfw.evaluation.slices import Slice

# All that intervals keep, in bytes.
MOST = 16e6
RANDOM = np.random.default_rng(5)


def plan(rows, users, metrics, slices=0, units="column.user", scores=None):
    columns = {"user": RANDOM.integers(0, users, rows)}
    columns |= {f"by{number}": RANDOM.integers(0, 4, rows) for number in range(slices)}
    guesses = RANDOM.random(rows) if scores is None else RANDOM.integers(0, scores, rows) / scores
    data = Dataset("rows", (RANDOM.random(rows) < guesses).astype(float), columns=columns)
    return Plan(
        data,
        lossfw.loss("squared_error"),
        outputs=guesses,
        intervals=Intervals(resample=Units.read(units)) if units else None,
        metrics=tuple(lossfw.metric(name) for name in metrics),
        slices=tuple(Slice.of(f"column.by{number}") for number in range(slices)),
    )


def bytes_of(state):
    """Return the bytes of a state, without the sums of all scores that numbers need themselves."""
    arrays = state.pack().arrays
    return sum(one.nbytes for name, one in arrays.items() if ".exact" not in name)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rows", "more"),
    [
        (200_000, {"users": 150_000, "metrics": ("rmse", "mae", "r2")}),
        (200_000, {"users": 150_000, "metrics": ("rmse", "mae", "r2"), "slices": 3}),
        (200_000, {"users": 150_000, "metrics": ("roc_auc", "average_precision", "gini")}),
        (100_000, {"users": 500, "metrics": ("roc_auc", "average_precision"), "scores": 300}),
        (100_000, {"users": 90_000, "metrics": ("roc_auc", "gini", "mae", "r2"), "slices": 3}),
        (100_000, {"users": 2, "metrics": ("roc_auc", "gini"), "units": "rows"}),
    ],
    ids=["sums", "sums in slices", "scores", "scores of few users", "scores in slices", "rows"],
)
def test_the_state_has_at_most_sixteen_megabytes(rows, more):
    state = evaluate(plan(rows, **more), rows=(0, rows))
    assert bytes_of(state) <= MOST


def test_scores_of_fewer_bits_change_no_number_and_intervals_by_little():
    """The number and those of slices are exact; leaving out needs no more than bins of scores."""
    metrics = ("roc_auc", "average_precision", "gini")
    made = plan(30_000, 200, metrics, slices=1)
    state = evaluate(made, rows=(0, 30_000))
    found = result_of(made, state)
    for name in metrics:
        metric = lossfw.metric(name)
        wanted = metric(made.outputs, made.data.targets)
        assert found.numbers.metrics[name]["value"] == pytest.approx(wanted, rel=1e-12)
        table = found.units.metrics[name].sums
        assert table.score_bits < 64
        who, by = made.data.columns["user"].values, made.data.columns["by0"].values
        chosen = by == 2
        (part,) = [one for one in found.numbers.slices if one["value"] == "2"]
        of_part = metric(made.outputs[chosen], made.data.targets[chosen])
        assert part["metrics"][name]["value"] == pytest.approx(of_part, rel=1e-12)
        without = [
            metric(made.outputs[who != user], made.data.targets[who != user]) for user in range(20)
        ]
        # The spread of leaving out 20 of the users anew, and as it is found in bins.
        low, high = found.numbers.metrics[name]["interval"]
        error = (high - low) / 2 / 1.972
        anew = np.sqrt(np.square(np.array(without) - wanted).mean() * 199)
        assert error == pytest.approx(anew, rel=0.5)

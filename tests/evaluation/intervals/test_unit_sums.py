"""Tables of units: the same bits for any split and tree of merging, in bounded memory."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossfw
from lossfw.data import Dataset
from lossfw.evaluation.evaluate import evaluate, result_of
from lossfw.evaluation.intervals.moments import mean_spread, moment_sums
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.intervals.unit_keys import hashed_numbers
from lossfw.evaluation.intervals.unit_sums import TableLimits, UnitCells, UnitSums
from lossfw.evaluation.intervals.units import Units
from lossfw.evaluation.plan import Plan
from lossfw.evaluation.slices import Slice
from lossfw.metrics import SumTerm
from lossfw.metrics.cell_sums import RowTerms

RANDOM = np.random.default_rng(1)
ROWS = 3000
WHO = {
    "one unit": np.zeros(ROWS),
    "each row": np.arange(ROWS),
    "many users": RANDOM.integers(0, 700, ROWS),
}
LOSSES, WEIGHT = RANDOM.lognormal(0, 2, ROWS), RANDOM.random(ROWS)
PARTS = RANDOM.integers(-1, 3, ROWS)
SCORES = RANDOM.integers(0, 50, ROWS) / 7


def terms(rows, *, scores=False):
    number, place = np.arange(len(rows)), np.zeros(len(rows), np.int64)
    score = SCORES[rows] if scores else None
    losses = SumTerm(place, WEIGHT[rows] * LOSSES[rows], score)
    return RowTerms.of(1, 2, number, [losses, SumTerm(place + 1, WEIGHT[rows], score)])


def table(keys, rows, limit, *, parts=False, scores=False, bits=64):
    cells = UnitCells.of(keys[rows], bits)
    own = PARTS[rows] if parts else None
    return UnitSums.of(terms(rows, scores=scores), cells, own, limit)


def state(sums):
    return {name: (array.dtype, array.tobytes()) for name, array in sums.pack().items()}


@given(
    who=st.sampled_from(sorted(WHO)),
    limit=st.sampled_from(
        [TableLimits(10**6, 10**7), TableLimits(300, 10**7), TableLimits(10**6, 2100)]
    ),
    seed=st.integers(0, 2**32 - 1),
    parts=st.booleans(),
    scores=st.booleans(),
)
def test_any_tree_of_merging_has_the_same_bits(who, limit, seed, parts, scores):
    keys, random = hashed_numbers(WHO[who]), np.random.default_rng(seed)
    whole = table(keys, np.arange(ROWS), limit, parts=parts, scores=scores)
    pieces = [
        table(keys, rows, limit, parts=parts, scores=scores)
        for rows in np.array_split(random.permutation(ROWS), random.integers(2, 40))
    ]
    while len(pieces) > 1:
        a, b = (pieces.pop(random.integers(len(pieces))) for _ in range(2))
        pieces.append(UnitSums.unpack(a.pack()).merge(b))
    assert state(pieces[0]) == state(whole)


@given(st.integers(0, 2**32 - 1), st.booleans(), st.sampled_from([0.0, 1e8, -1e12]))
def test_moments_of_a_mean_are_exact_and_the_same_for_any_split(seed, weighted, offset):
    random = np.random.default_rng(seed)
    losses = random.normal(size=400) + offset
    weight = random.integers(1, 4, 400) * 0.5 if weighted else np.ones(400)

    def moments(rows):
        place = np.zeros(len(rows), np.int64)
        every = [SumTerm(place, weight[rows] * losses[rows]), SumTerm(place + 1, weight[rows])]
        return moment_sums(RowTerms.of(1, 2, np.arange(len(rows)), every), None)

    whole = moments(np.arange(400))
    pieces = [moments(rows) for rows in np.array_split(random.permutation(400), 7)]
    merged = pieces[0]
    for piece in pieces[1:]:
        merged = piece.merge(merged)
    assert state(merged) == state(whole)
    # Without cancellation, also where the mean is 1e12 times the spread.
    exact = losses - offset
    centred = exact - (weight * exact).sum() / weight.sum()
    square = ((weight * centred) ** 2).sum() / weight.sum() ** 2 * 400 / 399
    rounding = max(1e-9, 4 * abs(offset) * 2**-53 * 400)
    assert mean_spread(whole).error == pytest.approx(square**0.5, rel=rounding)


def test_scores_have_fewer_bits_where_few_units_have_too_many():
    keys, limit = hashed_numbers(WHO["each row"]), TableLimits(10**6, 2000, 6)
    scores = np.random.default_rng(4).normal(size=ROWS)
    scores[7] = np.nan
    number, place = np.arange(ROWS), np.zeros(ROWS, np.int64)
    rows = RowTerms.of(1, 1, number, [SumTerm(place, WEIGHT, scores)])
    found = UnitSums.of(rows, UnitCells.of(keys), None, limit)
    assert found.bits == 6
    assert 13 <= found.score_bits < 20
    assert len(found.sums.table) <= 2000
    total = found.total()
    order = np.argsort(scores)
    # Neighbours in the order of the scores share one; what is not a number is by itself.
    assert np.isnan(total.scores[-1])
    assert total.table.to_floats()[-1] == WEIGHT[7]
    assert (np.diff(total.scores[:-1]) > 0).all()
    edges = np.searchsorted(scores[order], total.scores[1:-1])
    wanted = np.add.reduceat(WEIGHT[order[:-1]], np.r_[0, edges])
    assert total.table.to_floats()[:-1].tolist() == pytest.approx(wanted.tolist(), rel=1e-12)


# All that intervals keep, in bytes.
MOST = 16e6
DRAWS = np.random.default_rng(5)


def plan_of_users(rows, users, metrics, slices=0, units="column.user", scores=None):
    columns = {"user": DRAWS.integers(0, users, rows)}
    columns |= {f"by{number}": DRAWS.integers(0, 4, rows) for number in range(slices)}
    guesses = DRAWS.random(rows) if scores is None else DRAWS.integers(0, scores, rows) / scores
    data = Dataset("rows", (DRAWS.random(rows) < guesses).astype(float), columns=columns)
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
    state = evaluate(plan_of_users(rows, **more), rows=(0, rows))
    assert bytes_of(state) <= MOST


def test_scores_of_fewer_bits_change_no_number_and_intervals_by_little():
    """The number and those of slices are exact; leaving out needs no more than bins of scores."""
    metrics = ("roc_auc", "average_precision", "gini")
    made = plan_of_users(30_000, 200, metrics, slices=1)
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

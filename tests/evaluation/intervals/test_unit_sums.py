"""Tables of units: the same bits for any split, order and tree of merging."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossfw.evaluation.intervals.moments import mean_spread, moment_sums
from lossfw.evaluation.intervals.unit_keys import hashed_numbers
from lossfw.evaluation.intervals.unit_sums import TableLimits, UnitCells, UnitSums
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

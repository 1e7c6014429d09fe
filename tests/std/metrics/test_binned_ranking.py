"""Ranking metrics with bins: near the exact ones, within the error that they state."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossfw
from lossfw.errors import DomainError


def pairs_in_a_bin(scores, targets, bins):
    """Return the fraction of pairs of a row of class 1 and another that fall into one bin."""
    number = np.minimum((scores * bins).astype(int), bins - 1)
    own, others = (np.bincount(number[targets == of], minlength=bins) for of in (1, 0))
    return (own * others).sum() / (own.sum() * others.sum())


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2), st.integers(2, 50))
def test_the_area_is_off_by_half_the_pairs_of_a_bin_at_most(rows, bins):
    scores, targets = np.array([row[0] for row in rows]), np.array([int(row[1]) for row in rows])
    targets[:2] = 0, 1
    exact = lossfw.metric("roc_auc")(scores, targets)
    binned = lossfw.metric("roc_auc", bins=bins)(scores, targets)
    assert abs(binned - exact) <= pairs_in_a_bin(scores, targets, bins) / 2 + 1e-12


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
def test_bins_keep_no_sum_for_each_score(name):
    random = np.random.default_rng(0)
    scores, targets = random.random(20_000), random.integers(0, 2, 20_000)
    exact, binned = lossfw.metric(name), lossfw.metric(name, bins=1000)
    assert len(exact.partial(scores, targets).table) == 20_000
    assert len(binned.partial(scores, targets).table) <= 2000
    assert binned(scores, targets) == pytest.approx(exact(scores, targets), abs=1e-3)


def test_bins_take_scores_from_0_to_1():
    with pytest.raises(DomainError, match=r"prediction\[1, 0\] = 1\.5"):
        lossfw.metric("roc_auc", bins=10)([0.5, 1.5], [0, 1])

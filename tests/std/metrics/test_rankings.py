"""Metrics of rankings, against scikit-learn and ranx, also with bins, and words for mistakes."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

import lossfw
from lossfw.errors import ArgumentError, DomainError, ShapeError

PEERS = json.loads(Path(__file__).with_name("ranking_peers.json").read_text())
NAMES = {
    "ndcg": ("ndcg", {"gain": "linear"}),
    "ndcg_burges": ("ndcg", {}),
    "map": ("average_precision_at", {}),
    "mrr": ("mrr", {}),
    "precision": ("precision_at", {}),
}


def metric(name, **parameters):
    return lossfw.registry().create("metric", {"name": name, **parameters})


def data(ties):
    """Return scores, relevances and ids of 40 groups of 1 to 12 rows."""
    rng = np.random.default_rng(int(ties))
    ids = np.repeat(np.arange(40), rng.integers(1, 13, 40))
    y = rng.normal(size=len(ids))
    return np.round(y) if ties else y, rng.integers(0, 4, len(ids)), ids


@pytest.mark.parametrize("key", PEERS["values"])
def test_ranx(key):
    y, t, ids = data(ties=False)
    known = np.isin(ids, ids[t > 0])  # ranx has no query without a relevant row
    y, t, ids = y[known], t[known], ids[known]
    measure, _, k = key.partition("@")
    name, parameters = NAMES[measure]
    found = metric(name, **parameters, k=int(k))
    assert found(y, t, group=ids) == pytest.approx(PEERS["values"][key], rel=1e-12)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("k", [None, 3])
@pytest.mark.parametrize("gain", ["exponential", "linear"])
def test_ndcg_is_that_of_scikit_learn_also_with_ties(ties, k, gain):
    y, t, ids = data(ties)
    gains = 2.0**t - 1 if gain == "exponential" else t
    peers = [
        ndcg_score([gains[ids == one]], [y[ids == one]], k=k)
        for one in np.unique(ids)
        if gains[ids == one].any() and (ids == one).sum() > 1
    ]
    # scikit-learn refuses a group of one row: it is 1 if the row is relevant.
    alone = sum(1.0 for one in np.unique(ids) if (ids == one).sum() == 1 and t[ids == one] > 0)
    expected = (sum(peers) + alone) / (len(peers) + alone)
    assert metric("ndcg", k=k, gain=gain)(y, t, group=ids) == pytest.approx(expected, rel=1e-12)


def test_weights_masks_and_unknown_numbers():
    y, t, ids = [3.0, 1.0, 2.0, 1.0], [0, 1, 0, 1], [5, 5, 6, 6]
    mrr = metric("mrr")
    assert mrr(y, t, group=ids, sample_weight=[3.0, 3.0, 1.0, 1.0]) == 0.5
    assert mrr(y, t, group=ids, where=[False, True, True, True]) == 0.75
    assert np.isnan(mrr([3.0, 1.0, np.nan, 1.0], t, group=ids))
    assert np.isnan(mrr(y, [0, 0, 0, 0], group=ids))
    assert mrr(y, [0, 0, 0, 1], group=ids) == 0.5


def test_mistakes_have_words():
    with pytest.raises(ArgumentError, match="pass group=, one id for each row"):
        metric("ndcg")([1.0, 2.0], [0, 1])
    with pytest.raises(ShapeError, match="expected one number for each row"):
        metric("ndcg")([[1.0, 2.0]], [0], group=[1])
    with pytest.raises(DomainError, match="begins at row 0 have different weights"):
        metric("ndcg")([1.0, 2.0], [0, 1], group=[1, 1], sample_weight=[1.0, 2.0])


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

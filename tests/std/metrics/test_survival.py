"""Concordance and the Brier score of survival, against scikit-survival and lifelines."""

import json
from pathlib import Path

import numpy as np
import pytest

import lossfw
from lossfw.errors import ArgumentError, DomainError, ShapeError

PEERS = json.loads(Path(__file__).with_name("survival_peers.json").read_text())


def metric(name, **parameters):
    return lossfw.registry().create("metric", {"name": name, **parameters})


def target_of(case):
    time, event = np.array(case["time"]), np.array(case["event"])
    if case.get("of", "cox") == "cox":
        return np.stack([time, event], axis=-1)
    return np.stack([time, np.where(event, time, np.inf)], axis=-1)


@pytest.mark.parametrize("case", PEERS["concordance"])
def test_concordance_is_that_of_both_packages(case):
    found = metric("concordance")(case["risk"], target_of(case))
    assert found == pytest.approx(case["sksurv"], rel=1e-14)
    assert found == pytest.approx(case["lifelines"], rel=1e-14)


@pytest.mark.parametrize("case", PEERS["brier"])
def test_brier_score_is_that_of_scikit_survival(case):
    score = metric("survival_brier", times=case["times"], of=case["of"])
    found = score(case["prediction"], target_of(case))
    np.testing.assert_allclose(found, case["sksurv"], rtol=1e-13)


def pairs(lower, upper, risk, weight):
    """Return the quotient by the definition, a pair at a time."""
    rows = range(len(lower))
    comparable = [
        (weight[i] * weight[j], risk[i] - risk[j])
        for i in rows
        for j in rows
        if upper[i] < lower[j] or (upper[i] == lower[j] and upper[j] > lower[j])
    ]
    right = sum(w * (1.0 if d > 0 else 0.5 if d == 0 else 0.0) for w, d in comparable)
    return right / sum(w for w, _ in comparable)


def test_concordance_counts_pairs_of_intervals_and_weights():
    rng = np.random.default_rng(3)
    for _ in range(20):
        n = int(rng.integers(5, 40))
        lower = rng.integers(1, 8, n).astype(float)
        upper = np.where(rng.random(n) < 0.4, np.inf, lower + rng.integers(0, 3, n))
        y, weight = rng.integers(0, 5, n).astype(float), rng.integers(1, 4, n).astype(float)
        found = metric("concordance", of="aft")(
            y, np.stack([lower, upper], axis=-1), sample_weight=weight
        )
        # A later median time is a smaller risk.
        assert found == pytest.approx(pairs(lower, upper, -y, weight), rel=1e-13)


def test_hazards_of_intervals_are_scored():
    logits = np.array([[0.0, 0.0], [-2.0, -2.0]])
    t = [[0, 1], [1, 0]]
    assert metric("concordance", of="discrete_hazard")(logits, t) == 1.0
    chance = 1 / (1 + np.exp(2.0))
    expected = (0.5**2 + chance**2) / 2
    score = metric("survival_brier", of="discrete_hazard", times=[0.0])
    assert score(logits, t) == pytest.approx([expected])


@pytest.mark.parametrize(
    ("spec", "target", "error", "message"),
    [
        ({"of": "huber"}, [[1, 1]], ArgumentError, "expected a loss with the columns lower and"),
        ({}, [1.0], ShapeError, "the columns time and event of cox"),
        ({}, [[1.0, 2.0]], DomainError, r"target.event\[0\] = 2"),
        ({"of": "aft"}, [[2.0, 1.0]], DomainError, "expected lower <= upper"),
        ({"name": "survival_brier", "of": "aft"}, [[1.0, 2.0]], DomainError, "between 1 and 2"),
    ],
)
def test_other_targets_are_refused_in_words(spec, target, error, message):
    with pytest.raises(error, match=message):
        metric(**{"name": "concordance", **spec})([0.0], np.array(target))

"""Metrics of distributions and of survival, against counts and packages from elsewhere."""

import json
import math
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest

import lossfw
from lossfw import COUNT, POSITIVE, DistributionLoss, PointwiseLoss
from lossfw.errors import ArgumentError, DomainError, ShapeError

RNG = np.random.default_rng(3)
Y = np.stack([RNG.normal(size=200), 0.5 * RNG.normal(size=200)], axis=-1)
T = Y[:, 0] + np.exp(Y[:, 1]) * RNG.normal(size=200)
WEIGHT = RNG.uniform(0.1, 2.0, 200)
TRANSFORM = np.array(
    [NormalDist(m, math.exp(s)).cdf(x) for (m, s), x in zip(Y.tolist(), T.tolist(), strict=True)]
)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
def test_a_target_is_covered_where_its_transform_lies_in_the_middle(level):
    metric = lossfw.metric("interval_coverage", of="crps_normal", level=level)
    inside = np.abs(TRANSFORM - 0.5) <= level / 2
    assert metric(Y, T) == inside.mean()
    assert metric(Y, T, sample_weight=WEIGHT) == pytest.approx(WEIGHT @ inside / WEIGHT.sum())
    assert metric(Y.astype(np.float32), T.astype(np.float32)) == pytest.approx(
        inside.mean(), abs=0.01
    )


class Geometric(DistributionLoss, PointwiseLoss):
    """The surprise at a count of failures before a success, with odds y of a failure."""

    prediction, target = POSITIVE, COUNT

    def value(self, xp, y, t):
        return -t * xp.log(y) + (t + 1) * xp.log1p(y)

    def quantile(self, xp, y, p):
        return xp.ceil(xp.log1p(-p) / (xp.log(y) - xp.log1p(y)) - 1)

    def cdf(self, xp, y, x):
        reached = 1 - xp.exp((xp.floor(x) + 1) * (xp.log(y) - xp.log1p(y)))
        return xp.where(x < 0, 0.0 * reached, reached)


def test_a_count_is_spread_over_the_range_of_its_transform():
    # With odds of 1, counts 0, 1 and 2 have the ranges (0, 1/2), (1/2, 3/4) and (3/4, 7/8).
    metric = lossfw.metric("pit", of=Geometric(), bins=4)
    curve = metric.curve(metric.partial([1.0, 1.0, 1.0], [0.0, 1.0, 2.0]))
    assert curve["fraction"] == pytest.approx([1 / 6, 1 / 6, 1 / 3, 1 / 3])
    mean = lossfw.metric("pit", of=Geometric(), statistic="mean")
    assert mean([1.0, 1.0, 1.0], [0.0, 1.0, 2.0]) == pytest.approx((1 / 4 + 5 / 8 + 13 / 16) / 3)


def test_quantiles_cross_where_a_later_one_is_lower():
    metric = lossfw.metric("quantile_crossing")
    assert metric([[1, 2, 3], [1, 1, 1], [1, 3, 2], [3, 2, 4]], [0, 0, 0, 0]) == 0.5
    assert metric([[5.0], [1.0]], [0.0, 0.0]) == 0.0


def test_in_a_configuration_the_distribution_is_that_of_the_loss():
    data = {"name": "inline", "targets": T[:20].tolist()}
    config = {
        "data": data,
        "network": {"predictions": Y[:20].tolist()},
        "loss": "crps_normal",
        "evaluate": {"metrics": ["interval_coverage", {"name": "pit", "bins": 2}]},
    }
    metrics = lossfw.evaluate(lossfw.plan(config)).metrics
    assert metrics["interval_coverage"] == lossfw.metric("interval_coverage", of="crps_normal")(
        Y[:20], T[:20]
    )
    with pytest.raises(lossfw.ConfigError, match="pit of squared_error: expected a loss whose"):
        lossfw.plan(
            {**config, "loss": "squared_error", "network": {"predictions": T[:20].tolist()}}
        )


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

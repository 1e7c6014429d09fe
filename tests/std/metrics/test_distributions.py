"""Metrics of predicted distributions, against counts and probabilities from elsewhere."""

import math
from statistics import NormalDist

import numpy as np
import pytest

import lossfw
from lossfw import COUNT, POSITIVE, DistributionLoss, PointwiseLoss

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

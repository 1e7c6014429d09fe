"""lossfw-ngboost: a bridge of lossfw to NGBoost."""

from lossfw import hookimpl

from lossfw_ngboost.bridge import estimator_params, metric, objective

__all__ = ["estimator_params", "metric", "objective"]


@hookimpl
def lossfw_bridges():
    """Offer the bridge."""
    return {"ngboost": "lossfw_ngboost.bridge:NGBoostBridge"}

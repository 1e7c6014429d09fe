"""lossfw-ngboost: a bridge of lossfw to NGBoost."""

from lossfw import hookimpl

from lossfw_ngboost.bridge import metric, objective, settings

__all__ = ["metric", "objective", "settings"]


@hookimpl
def lossfw_bridges():
    """Offer the bridge."""
    return {"ngboost": "lossfw_ngboost.bridge:NGBoostBridge"}

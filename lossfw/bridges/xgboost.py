"""XGBoost: the bridge."""

from __future__ import annotations

from typing import ClassVar

from lossfw.bridges.bridge import Bridge


class XGBoostBridge(Bridge):
    """XGBoost: a loss as the objective and the metric of a gradient boosting model."""

    name: ClassVar[str] = "xgboost"
    library: ClassVar[str] = "xgboost"
    extra: ClassVar[str] = "xgboost"

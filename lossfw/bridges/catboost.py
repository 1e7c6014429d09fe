"""CatBoost: the bridge."""

from __future__ import annotations

from typing import ClassVar

from lossfw.bridges.bridge import Bridge


class CatBoostBridge(Bridge):
    """CatBoost: a loss as the objective and the metric of a gradient boosting model."""

    name: ClassVar[str] = "catboost"
    library: ClassVar[str] = "catboost"
    extra: ClassVar[str] = "catboost"

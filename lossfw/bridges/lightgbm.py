"""LightGBM: the bridge."""

from __future__ import annotations

from typing import ClassVar

from lossfw.bridges.bridge import Bridge


class LightGBMBridge(Bridge):
    """LightGBM: a loss as the objective and the metric of a gradient boosting model."""

    name: ClassVar[str] = "lightgbm"
    library: ClassVar[str] = "lightgbm"
    extra: ClassVar[str] = "lightgbm"

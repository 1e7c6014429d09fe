"""scikit-learn: the bridge."""

from __future__ import annotations

from typing import ClassVar

from lossfw.bridges.bridge import Bridge


class SklearnBridge(Bridge):
    """scikit-learn: a loss as a scorer, and as the loss of HistGradientBoosting."""

    name: ClassVar[str] = "sklearn"
    library: ClassVar[str] = "sklearn"
    distribution: ClassVar[str] = "scikit-learn"
    extra: ClassVar[str] = "sklearn"

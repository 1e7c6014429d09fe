"""Bridges: a loss as an objective, a metric or a module of a library that trains models.

Each library has a module here, ``from lossfw.bridges import xgboost``, which imports the
library on use. What the boosting libraries share is in `boosting` and `boosting_library`.
"""

from lossfw.bridges.bridge import Boosting, BoostingBridge, Bridge
from lossfw.bridges.outputs import EstimatorOutputs, output_activation_of
from lossfw.bridges.raw_form import flat_refusal

__all__ = [
    "Boosting",
    "BoostingBridge",
    "Bridge",
    "EstimatorOutputs",
    "flat_refusal",
    "output_activation_of",
]

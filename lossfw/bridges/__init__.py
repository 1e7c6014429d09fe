"""Bridges: a loss as an objective, a metric or a module of a library that trains models.

Each library has a module here, ``from lossfw.bridges import xgboost``, which imports the library on
use. `boosting_library` has the common code for boosting libraries, and `lossfw.learning` the base
classes of bridges.
"""

from lossfw.learning import (
    BoostingBridge,
    BoostingSettings,
    Bridge,
    EstimatorOutputs,
    output_activation_of,
    zero_gradient_reason,
)

__all__ = [
    "BoostingBridge",
    "BoostingSettings",
    "Bridge",
    "EstimatorOutputs",
    "output_activation_of",
    "zero_gradient_reason",
]

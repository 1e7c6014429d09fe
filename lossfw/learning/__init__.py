"""Learning: what a library needs to train with a loss: its form, a start, gradients."""

from lossfw.learning.bridge import AutogradBridge, BoostingBridge, BoostingSettings, Bridge
from lossfw.learning.outputs import EstimatorOutputs, output_activation_of
from lossfw.learning.raw_form import predictions_of, zero_gradient_reason

__all__ = [
    "AutogradBridge",
    "BoostingBridge",
    "BoostingSettings",
    "Bridge",
    "EstimatorOutputs",
    "output_activation_of",
    "predictions_of",
    "zero_gradient_reason",
]

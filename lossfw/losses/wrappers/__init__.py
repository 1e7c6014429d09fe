"""Wrappers: losses made of other losses, to change or to add them.

A wrapper holds its parts, computes value and derivatives from theirs, and derives its claims from
theirs by the table in `lossfw.losses.wrappers.claim_table`.
"""

from lossfw.losses.wrappers.class_weighted import ClassWeighted
from lossfw.losses.wrappers.focal_modulated import FocalModulated
from lossfw.losses.wrappers.label_smoothed import LabelSmoothed
from lossfw.losses.wrappers.masked import Masked
from lossfw.losses.wrappers.scaled import Scaled
from lossfw.losses.wrappers.sum import Sum
from lossfw.losses.wrappers.tasks import Tasks

__all__ = [
    "ClassWeighted",
    "FocalModulated",
    "LabelSmoothed",
    "Masked",
    "Scaled",
    "Sum",
    "Tasks",
]

"""Wrappers: losses made of other losses, to change or to add them.

A wrapper holds its parts, computes value and derivatives from theirs, and
makes the claims that follow from theirs by the one table in
`lossfw.wrappers.rules`.
"""

from lossfw.parts import argument_of
from lossfw.wrappers.class_weighted import ClassWeighted
from lossfw.wrappers.focal_modulated import FocalModulated
from lossfw.wrappers.label_smoothed import LabelSmoothed
from lossfw.wrappers.masked import Masked
from lossfw.wrappers.scaled import Scaled
from lossfw.wrappers.sum import Sum

__all__ = [
    "ClassWeighted",
    "FocalModulated",
    "LabelSmoothed",
    "Masked",
    "Scaled",
    "Sum",
    "argument_of",
]

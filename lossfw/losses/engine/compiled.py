"""The interface of compiled kernels for the rest of lossfw.

Without the folders ``losses/engine/kernels`` and ``numerics/compiled``, every function here could
answer that there is no kernel, and tiles compute the same bits; ``tests/test_doors.py`` has these
answers.
"""

from __future__ import annotations

from lossfw.losses.engine.kernels.activations import (
    apply_activation,
    why_activation_is_not_compiled,
)
from lossfw.losses.engine.kernels.calls import kernels_for, why_not_compiled
from lossfw.losses.engine.kernels.single_rows import RowKernels
from lossfw.losses.engine.kernels.watched import forget, trust_kernels, wait
from lossfw.numerics.compiled.llvm_target import is_available

__all__ = [
    "RowKernels",
    "apply_activation",
    "forget",
    "is_available",
    "kernels_for",
    "trust_kernels",
    "wait",
    "why_activation_is_not_compiled",
    "why_not_compiled",
]

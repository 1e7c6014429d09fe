"""The interface of compiled kernels for the rest of lossfw.

Without the folders ``losses/engine/kernels`` and ``numerics/compiled``, every function here could
answer that there is no kernel, and tiles compute the same bits; ``tests/test_doors.py`` has these
answers.
"""

from __future__ import annotations

from lossfw.losses.engine.kernels.activations import (
    apply_activation,
    no_activation_kernel_reason,
)
from lossfw.losses.engine.kernels.calls import kernels_for, no_kernel_reason
from lossfw.losses.engine.kernels.single_rows import RowKernels
from lossfw.losses.engine.kernels.watched import forget, trust_kernels, wait
from lossfw.numerics.compiled.llvm_target import is_available

__all__ = [
    "RowKernels",
    "apply_activation",
    "forget",
    "is_available",
    "kernels_for",
    "no_activation_kernel_reason",
    "no_kernel_reason",
    "trust_kernels",
    "wait",
]

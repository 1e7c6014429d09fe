"""Kernels: functions of losses and activations as machine code, with the bits of their bodies.

The rest of lossfw reaches them through `lossfw.losses.engine.compiled` alone.
"""

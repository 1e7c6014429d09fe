"""Kernels: functions of losses and activations as machine code, with the bits of their bodies.

The rest of lossfw uses them only through `lossfw.losses.engine.compiled`.
"""

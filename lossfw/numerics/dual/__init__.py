"""Dual numbers: value and derivatives of a body in one pass."""

"""Sensitivity: loss and metrics along a line in the space of a network's parameters."""

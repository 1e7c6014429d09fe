"""Measure the worst error of every component in units in the last place, and of peers beside it."""

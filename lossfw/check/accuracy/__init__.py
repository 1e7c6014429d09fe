"""Measure the worst error of components in units in the last place."""

"""Measure the worst error of components, and of their peers, in units in the last place."""

"""Runs: evaluations that leave a folder, one or many at a time, and their comparison."""

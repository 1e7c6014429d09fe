"""Runs: evaluations with a folder of results, one or many at a time, and their comparison."""

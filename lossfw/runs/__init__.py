"""Runs: evaluations with a folder that says everything of them, one or many at a time."""

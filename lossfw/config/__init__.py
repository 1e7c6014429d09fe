"""Configurations: from YAML text to a plan that can run, with each mistake at its place."""

"""Configurations: from YAML text to a plan, with the place of each mistake."""

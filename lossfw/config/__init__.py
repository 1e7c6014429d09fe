"""Configurations: text with positions, the checked skeleton, overrides, the plan that is run."""

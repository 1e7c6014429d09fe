"""YAML files and overrides as one tree of values with positions."""

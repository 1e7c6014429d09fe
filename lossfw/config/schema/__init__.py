"""Check sections and components of a configuration, and describe them to editors."""

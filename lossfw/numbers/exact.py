"""Exact numbers (placeholder; see the next commit)."""


class ExactNamespace:
    """Placeholder."""

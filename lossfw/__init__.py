"""lossfw: write a loss once, prove it, use it everywhere."""

__version__ = "0.1.0"

"""Confidence intervals from sums by unit: jackknife and bootstrap."""

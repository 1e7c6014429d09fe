"""Confidence intervals from sums per fold of rows: jackknife and bootstrap."""

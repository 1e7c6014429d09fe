"""Confidence intervals from sums per group of rows: jackknife and bootstrap."""

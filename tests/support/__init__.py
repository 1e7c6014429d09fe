"""Helpers of the tests: samples, oracles, liars, and programs that tests start."""

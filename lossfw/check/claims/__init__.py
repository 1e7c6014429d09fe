"""Tests of claims, one module per family."""

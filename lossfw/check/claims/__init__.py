"""Attacks on claims: one module for each family of them."""

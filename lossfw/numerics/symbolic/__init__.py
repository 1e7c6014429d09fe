"""Symbolic: expressions as a number system; a body run once on them leaves a graph."""

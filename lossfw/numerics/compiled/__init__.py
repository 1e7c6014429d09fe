"""Compiled: machine code of graphs, with the bits of NumPy."""

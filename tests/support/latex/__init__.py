"""Formulas that an author writes in LaTeX: read, and computed at points."""

"""Formulas of components as LaTeX and JavaScript, made from one run of the author's body."""

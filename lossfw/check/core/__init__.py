"""Subjects, points, exact results, the oracle that judges, and the search of a check."""

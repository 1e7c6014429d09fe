"""Subjects, their points, exact results, the judge and its leniency, and the search of a check."""

"""Subjects, points and the judge, which every check uses."""

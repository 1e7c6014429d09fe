"""Losses of other libraries, what was found of them, and the page that tells it."""

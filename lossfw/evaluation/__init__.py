"""Evaluation: from a plan to a result, batch by batch."""

"""Evaluation: a plan in, a result out, batch by batch."""

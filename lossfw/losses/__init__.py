"""Losses: their base classes, the call of a loss, and losses made of losses."""

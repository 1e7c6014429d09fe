"""Losses: the contract, the way every loss is called, and losses made of losses."""

"""Training of any model: the loop, its records and its checkpoints."""

"""Loss and metrics along a line in the space of parameters."""

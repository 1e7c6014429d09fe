"""Learning: gradients of a network, and a network that follows them."""

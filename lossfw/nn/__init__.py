"""Dense networks: activations, gradients, and everything that moves weights."""

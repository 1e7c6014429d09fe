"""Dense networks: activations, gradients, training, sensitivity."""

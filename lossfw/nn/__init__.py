"""Dense networks: activations, gradients, training, sensitivity, and curves along a line."""

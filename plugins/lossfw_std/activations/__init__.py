"""Built-in activations, one file for each or for a close family."""

"""Built-in activations, one file per activation or close family."""

"""Built-in metrics, one file for each or for a close family."""

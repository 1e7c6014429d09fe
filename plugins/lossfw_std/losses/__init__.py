"""Built-in losses, one file for each or for a close family."""

"""Built-in losses, one file per loss or close family."""

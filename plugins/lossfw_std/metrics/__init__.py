"""Built-in metrics, one file per metric or close family."""

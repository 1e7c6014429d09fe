"""Built-in data sources, one file for each."""

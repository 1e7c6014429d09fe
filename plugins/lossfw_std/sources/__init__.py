"""Built-in data sources, one file per source."""

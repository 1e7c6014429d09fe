"""Reports: results for people, as text, plots and HTML pages."""

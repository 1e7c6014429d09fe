"""Reports as self-contained HTML files, without scripts or requests."""

"""Results, components and checks as text, for terminals and Markdown."""

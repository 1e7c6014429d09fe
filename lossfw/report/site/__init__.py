"""The documentation as HTML: a page for each component, a gallery, and pages in Markdown."""

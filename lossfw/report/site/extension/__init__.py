"""A Sphinx extension: MathML, roles for components, and Markdown beside each page."""

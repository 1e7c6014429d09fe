"""Functions of other libraries: find one by name, and call it like a loss."""

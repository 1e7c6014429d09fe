"""Functions of other libraries: find one by its name, and call it as a loss is called."""

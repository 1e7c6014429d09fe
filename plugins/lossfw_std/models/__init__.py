"""The built-in models, each imported on use."""

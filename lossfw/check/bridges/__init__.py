"""Checks of bridges: each installed library gets what the loss promises."""

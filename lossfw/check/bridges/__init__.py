"""Checks of bridges: each installed library gets from a loss what the loss promises."""

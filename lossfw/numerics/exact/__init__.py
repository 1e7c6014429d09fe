"""Reference values with 60 digits, finite differences of them, units in the last place."""

"""Number systems that a body can run on: arrays, exact numbers, dual numbers."""

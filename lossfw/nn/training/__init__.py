"""Training of dense layers: their steps, and advice."""

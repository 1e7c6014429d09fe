"""What is special about training dense layers: their steps, and advice."""

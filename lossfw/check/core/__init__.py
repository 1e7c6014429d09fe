"""What is checked, at which points, and how an answer is judged."""

"""What a run gave, for people: text on a terminal and elsewhere."""

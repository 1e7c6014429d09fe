"""The contract of a loss, and how every loss is called."""

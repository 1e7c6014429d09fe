"""The laws that every component is held to, whatever it claims."""

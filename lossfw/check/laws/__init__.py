"""The laws that every component must obey, whatever it claims."""

"""Which model makes whose list."""

"""Validates events, stores each once, numbers it, and passes it on."""

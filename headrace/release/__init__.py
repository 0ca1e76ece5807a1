"""Releases of models: what is live, what is on its way, and who gets which."""

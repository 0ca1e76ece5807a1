"""Owns the catalogue and keeps each item's CNN vector current."""

"""Vectors by ordinal, and the search for the nearest of them."""

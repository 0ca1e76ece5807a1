"""Headrace: a recommender in which the last click already counts."""

"""Baselines that need torch."""

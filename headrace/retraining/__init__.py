"""Continuous training: whether there is reason for it, a candidate, and its trial against the live
model on the newest events."""

"""Keeps each person's recurrent state and vector current, one RNN step an event."""

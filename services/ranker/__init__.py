"""Retrieves candidates, filters them, scores them, and answers with the best."""

"""Browsing, searching and uploading the catalogue."""

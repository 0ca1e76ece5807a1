"""Accounts of people, and keys of applications."""

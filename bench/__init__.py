"""Measurements: each module is a command that prints a table.

They use the system that `make run` started, or start one and stop it afterwards.
"""

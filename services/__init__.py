"""The services of Headrace: one folder a process, `python -m services.<name>` starts it."""

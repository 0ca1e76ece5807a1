"""What a person, an item, an event and a list cost, and what a system of some size needs.

`python -m bench.capacity`; docs/capacity.md is written from it.
"""

"""What every page looks like: `python -m bench.screens` on the demo's catalogue."""

"""A comparison as people read it: Markdown and one HTML file that needs nothing else."""

"""From interactions to a bundle."""

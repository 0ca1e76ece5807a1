"""What people do, counted, for those who run a shop."""

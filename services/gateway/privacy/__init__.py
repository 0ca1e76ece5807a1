"""What people may ask of those who keep their data."""

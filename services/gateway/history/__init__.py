"""What a person did, for that person to see and to take back."""

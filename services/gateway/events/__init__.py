"""What people did, as the gateway takes it."""

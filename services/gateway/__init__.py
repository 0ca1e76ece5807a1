"""The public door: HTTP and gRPC with the same meaning."""

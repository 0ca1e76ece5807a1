"""What every process of Headrace needs: settings, logs, metrics, gRPC, Kafka, start and stop."""

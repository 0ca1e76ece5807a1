"""The whole system on one machine: embedded Kafka and Postgres, and the supervisor."""

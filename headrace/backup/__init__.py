"""What cannot be made anew, to files and back: Postgres, and what only Kafka has."""

"""Which partition the records of a key are in."""

from kafka.partitioner.default import murmur2


def partition_of(key: bytes, partitions: int) -> int:
    """As Kafka's own clients deal keys out, Headrace's publisher among them."""
    positive: int = murmur2(key) & 0x7FFFFFFF
    return positive % partitions

"""Keys lie where Kafka's clients put them."""

import random

from kafka.partitioner.default import murmur2

from headrace.runtime.kafka_partitions import partition_of


def test_partitions_are_those_of_kafkas_own_clients() -> None:
    # Known answers of org.apache.kafka.common.utils.Utils.murmur2, from Kafka's UtilsTest.
    known = {
        b"21": -973932308,
        b"foobar": -790332482,
        b"a-little-bit-long-string": -985981536,
        b"a-little-bit-longer-string": -1486304829,
        b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
        b"abc": 479470107,
    }
    for key, hashed in known.items():
        assert partition_of(key, 12) == (hashed & 0x7FFFFFFF) % 12


def test_keys_of_every_length_lie_where_kafka_python_puts_them() -> None:
    draw = random.Random(1)
    for length in range(70):
        key = draw.randbytes(length)
        assert partition_of(key, 2**31) == murmur2(key) & 0x7FFFFFFF

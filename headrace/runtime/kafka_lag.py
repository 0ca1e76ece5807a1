"""How many records a consumer still has before it, as the consumer itself knows it."""

import logging
import time
from typing import Any

from kafka.errors import KafkaError

from headrace.runtime.metrics import KAFKA_LAG

log = logging.getLogger(__name__)

LAG_PERIOD_S = 5.0  # one small question to each broker; Prometheus asks every 15 s
_ANSWER_S = 0.5


class LagMeter:
    """Measures, once a period, the ends of a consumer's partitions less what is done of them.

    Each member of a group measures its own share, so the group's lag is the sum over processes.
    To be called on the consumer's own thread.
    """

    def __init__(self, topic: str, group: str, period_s: float = LAG_PERIOD_S) -> None:
        """group: empty for a reader without one. `latest`: None until it was measured."""
        self._topic = topic
        self._group = group
        self._period_s = period_s
        self._measured_at = -period_s
        self.latest: int | None = None

    def measure(self, consumer: Any, under_way: int = 0) -> None:
        """Does nothing before the period is over, and keeps the last figure while Kafka is away.

        under_way: records that were taken and are not done yet.
        """
        now = time.monotonic()
        if now - self._measured_at < self._period_s:
            return
        self._measured_at = now
        lag = under_way
        try:
            assigned = list(consumer.assignment())
            ends = consumer.end_offsets(assigned, timeout_ms=_ANSWER_S * 1_000) if assigned else {}
            for partition, end in ends.items():
                position = consumer.position(partition, timeout_ms=_ANSWER_S * 1_000)
                if position is None:
                    return
                lag += max(0, end - position)
        except KafkaError as error:
            log.debug("lag unknown: %s", error, extra={"topic": self._topic})
            return
        self.latest = lag
        KAFKA_LAG.labels(self._topic, self._group).set(lag)

    def forget(self) -> None:
        """The consumer reads no more: somebody else measures its share."""
        KAFKA_LAG.labels(self._topic, self._group).set(0)

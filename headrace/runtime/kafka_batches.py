"""The work for a batch of records, whatever happens to it.

A batch that fails because a dependency is away is tried again after a pause. A batch that fails for
another reason is halved until the record at fault is alone; that one is dead-lettered.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from headrace.errors import Unavailable
from headrace.runtime.context import within_record
from headrace.runtime.dead_letters import letters
from headrace.runtime.kafka_publisher import Outgoing
from headrace.runtime.kafka_records import Decode, Handle, Message, Record, Refusal, decoded
from headrace.runtime.metrics import KAFKA_RETRIES

log = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")

_BACKOFF_S = (0.1, 0.2, 0.5, 1.0)


class BatchWork(Generic[T]):
    """Decodes, handles, dead-letters.

    publish: takes the dead letters. Raises Unavailable where it cannot.
    wait: passes the seconds given; False: the batch must be given up, to be read again.
    """

    def __init__(
        self,
        *,
        topic: str,
        decode: Decode[T],
        handle: Handle[T],
        publish: Callable[[Sequence[Outgoing]], None],
        wait: Callable[[float], bool],
    ) -> None:
        self._topic = topic
        self._decode = decode
        self._handle = handle
        self._publish = publish
        self._wait = wait

    def do(self, records: Sequence[Record]) -> bool:
        """False: not all of it was done, and the batch must be read again."""
        messages, refusals = decoded(records, self._decode)
        handled = self._handled(messages)
        return handled is not None and self._refused([*refusals, *handled])

    def _handled(self, messages: Sequence[Message[T]]) -> list[Refusal] | None:
        """The refusals of a batch; None: it must be read again."""
        if not messages:
            return []
        try:
            return self._persistently(lambda: list(self._handle(messages)), len(messages))
        except Exception as error:
            if len(messages) == 1:
                with within_record(messages[0].record.headers):
                    log.exception("record refused", extra={"topic": self._topic})
                return [Refusal(messages[0].record, "processing_failed", repr(error))]
        middle = len(messages) // 2
        first = self._handled(messages[:middle])
        second = None if first is None else self._handled(messages[middle:])
        return None if first is None or second is None else first + second

    def _refused(self, refusals: Sequence[Refusal]) -> bool:
        """Dead-letters them. False: the batch must be read again."""
        records = letters(refusals)

        def publish() -> bool:
            self._publish(records)
            return True

        return self._persistently(publish, len(records)) is not None

    def _persistently(self, work: Callable[[], R], records: int) -> R | None:
        """Does the work, again while a dependency is away. None: given up."""
        attempt = 0
        while True:
            try:
                return work()
            except Unavailable as error:
                KAFKA_RETRIES.labels(self._topic).inc()
                log.warning(
                    "batch waits: %s", error, extra={"topic": self._topic, "records": records}
                )
                if not self._wait(backoff_s(attempt)):
                    return None
                attempt += 1


def backoff_s(attempt: int) -> float:
    """How long to wait after the attempts 0, 1, 2, … failed."""
    return _BACKOFF_S[min(attempt, len(_BACKOFF_S) - 1)]

"""What the sender of many records is told, and when."""

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace

from headrace.runtime.kafka_acknowledgements import Answer, Parcel


class Sender:
    def __init__(self, records: int) -> None:
        self.told: list[object] = []
        self.parcel = Parcel(
            records, self.told.append, lambda: self.told.append("all"), self._settled
        )

    def _settled(self, counts: Mapping[str, int]) -> None:
        self.told.append(dict(counts))

    def takes(self, *topics: str) -> None:
        for topic in topics:
            self.parcel.success(SimpleNamespace(topic=topic))


def test_a_sender_hears_of_all_records_at_once() -> None:
    sender = Sender(3)
    sender.takes("a", "b")
    assert sender.told == []
    sender.takes("a")
    assert sender.told == [{"a": 2, "b": 1}, "all"]


def test_a_failure_is_told_at_once_and_the_rest_is_waited_for() -> None:
    sender, error = Sender(2), RuntimeError("refused")
    sender.parcel.failure(error)
    assert sender.told == [error]
    sender.takes("a")
    assert sender.told == [error, {"a": 1}]


def test_what_was_not_sent_is_not_waited_for_and_not_called_taken() -> None:
    sender = Sender(3)
    sender.takes("a")
    sender.parcel.withdraw(2)
    assert sender.told == [{"a": 1}]


async def test_of_several_answers_the_first_counts() -> None:
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Exception | None] = loop.create_future()
    answer, error = Answer(loop, done), RuntimeError("refused")
    answer.give(error)
    answer.give()
    assert await done is error

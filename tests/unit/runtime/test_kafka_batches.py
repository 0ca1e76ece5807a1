"""What becomes of a batch: refused one by one, tried again, or given up."""

from collections.abc import Callable, Sequence

from headrace.errors import MalformedRecord, Unavailable
from headrace.runtime.dead_letters import DETAIL, REASON
from headrace.runtime.kafka_batches import BatchWork
from headrace.runtime.kafka_publisher import Outgoing
from headrace.runtime.kafka_records import Message, Record, Refusal

NO_REFUSALS: list[Refusal] = []


class Batches:
    """Batches of numbers, handled by `handle`; "?" is no number."""

    def __init__(self, handle: Callable[[list[int]], None], patience: int = 0) -> None:
        self.letters: list[Outgoing] = []
        self.waits: list[float] = []
        self.kafka_away = 0
        self._handle = handle
        self._patience = patience
        self.work: BatchWork[int] = BatchWork(
            topic="numbers",
            decode=_decode,
            handle=self._handled,
            publish=self._publish,
            wait=self._wait,
        )

    def do(self, *values: str) -> bool:
        return self.work.do(
            [Record("numbers", 0, at, 0, b"key", text.encode()) for at, text in enumerate(values)]
        )

    def reasons(self) -> dict[str, str]:
        """By the value of the dead letter."""
        return {
            (one.value or b"").decode(): dict(one.headers)[REASON].decode() for one in self.letters
        }

    def _handled(self, messages: Sequence[Message[int]]) -> list[Refusal]:
        self._handle([message.body for message in messages])
        return NO_REFUSALS

    def _publish(self, records: Sequence[Outgoing]) -> None:
        if self.kafka_away:
            self.kafka_away -= 1
            raise Unavailable("Kafka is away")
        self.letters.extend(records)

    def _wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        return len(self.waits) <= self._patience


def _decode(record: Record) -> int:
    assert record.value is not None
    if record.value == b"?":
        raise MalformedRecord("no_number", "it is a question mark")
    return int(record.value)


def test_a_record_at_fault_is_found_and_the_others_are_done() -> None:
    done: list[int] = []

    def handle(numbers: list[int]) -> None:
        if 3 in numbers:
            raise ValueError("three is wrong")
        done.extend(numbers)

    batches = Batches(handle)
    assert batches.do("1", "2", "3", "4", "5")
    assert done == [1, 2, 4, 5]
    assert batches.reasons() == {"3": "processing_failed"}
    assert b"three is wrong" in dict(batches.letters[0].headers)[DETAIL]


def test_what_cannot_be_read_is_refused_without_being_handled() -> None:
    done: list[int] = []
    batches = Batches(done.extend)
    assert batches.do("1", "?", "2")
    assert done == [1, 2]
    assert batches.reasons() == {"?": "no_number"}


def test_while_a_dependency_is_away_the_batch_is_tried_again_and_nothing_is_refused() -> None:
    tries: list[list[int]] = []

    def handle(numbers: list[int]) -> None:
        tries.append(numbers)
        if len(tries) < 7:
            raise Unavailable("Postgres is away")

    batches = Batches(handle, patience=10)
    assert batches.do("1", "2")
    assert tries == [[1, 2]] * 7
    assert batches.waits == [0.1, 0.2, 0.5, 1.0, 1.0, 1.0]
    assert batches.letters == []


def test_a_batch_that_is_given_up_while_it_waits_is_not_done() -> None:
    def handle(numbers: list[int]) -> None:
        raise Unavailable("Postgres is away")

    batches = Batches(handle, patience=2)
    assert not batches.do("1", "2")
    assert len(batches.waits) == 3


def test_a_half_that_waits_in_vain_leaves_the_other_half_alone() -> None:
    tries: list[list[int]] = []

    def handle(numbers: list[int]) -> None:
        tries.append(numbers)
        if len(numbers) > 1:
            raise ValueError("one at a time")
        raise Unavailable("Postgres is away")

    batches = Batches(handle)
    assert not batches.do("1", "2")
    assert tries == [[1, 2], [1]]


def test_dead_letters_wait_for_kafka() -> None:
    batches = Batches(lambda _numbers: None, patience=10)
    batches.kafka_away = 2
    assert batches.do("?")
    assert batches.waits == [0.1, 0.2]
    assert batches.reasons() == {"?": "no_number"}

"""A dead letter keeps the record as it came, and can be turned back into it."""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.runtime import dead_letters
from headrace.runtime.dead_letters import (
    first_written_ms,
    letters,
    reason_of,
    to_dead_letter,
    to_original,
)
from headrace.runtime.kafka_publisher import Outgoing
from headrace.runtime.kafka_records import Record, Refusal
from headrace.runtime.logs import JsonFormatter

headers = st.lists(
    st.tuples(st.text(min_size=1).filter(lambda key: not key.startswith("headrace-")), st.binary())
)
records = st.builds(
    Record,
    topic=st.sampled_from(["events", "items"]),
    partition=st.integers(0, 99),
    offset=st.integers(0, 2**62),
    timestamp_ms=st.integers(0, 2**42),
    key=st.none() | st.binary(),
    value=st.none() | st.binary(),
    headers=headers,
)


def _found(letter: Outgoing) -> Record:
    return Record(letter.topic, 0, 0, 0, letter.key, letter.value, letter.headers)


@given(records, st.text(), st.text())
def test_turning_a_letter_back_gives_the_record(record: Record, reason: str, detail: str) -> None:
    letter = _found(to_dead_letter(Refusal(record, reason, detail)))
    assert letter.topic == f"{record.topic}.dlq"
    assert letter.key == f"{record.partition}/{record.offset}".encode()
    assert reason_of(letter) == reason
    first = (dead_letters.FIRST_WRITTEN_MS, str(record.timestamp_ms).encode())
    original = to_original(letter)
    assert original == Outgoing(
        record.topic, record.key or b"", record.value, [*record.headers, first]
    )
    # However often it is replayed and refused: when it was written first stays known.
    replayed = Record(
        original.topic, 0, 0, record.timestamp_ms + 9, original.key, original.value,
        original.headers,
    )  # fmt: skip
    assert first_written_ms(replayed) == record.timestamp_ms
    again = to_original(_found(to_dead_letter(Refusal(replayed, reason, detail))))
    assert list(again.headers) == list(original.headers)


def test_a_letter_refused_again_carries_the_newest_reason_alone() -> None:
    record = Record("events", 1, 2, 3, b"k", b"v", [("own", b"h")])
    letter = to_dead_letter(Refusal(record, "first", "why"))
    again = Record("events", 0, 9, 4, b"k", b"v", letter.headers)
    headers = list(to_dead_letter(Refusal(again, "second", "why")).headers)
    assert [value for key, value in headers if key == dead_letters.REASON] == [b"second"]
    assert [value for key, value in headers if key == dead_letters.OFFSET] == [b"9"]
    assert ("own", b"h") in headers


def test_a_long_detail_is_cut() -> None:
    record = Record("events", 1, 2, 3, b"k", b"v")
    letter = to_dead_letter(Refusal(record, "reason", "x" * 100_000))
    assert len(dict(letter.headers)[dead_letters.DETAIL]) == 2_000


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, object]]]]:
    """What was logged so far."""
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonFormatter("ranker"))
    dead_letters.log.addHandler(handler)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    dead_letters.log.removeHandler(handler)


def _refused(headers: Sequence[tuple[str, bytes]] = (), offset: int = 7) -> Refusal:
    record = Record("events", 1, offset, 0, b"zoe", b"what zoe did", list(headers))
    return Refusal(record, "undecodable", "the log of 'zoe' ends before n = 3")


def test_a_dead_letter_is_told_within_its_trace_and_without_its_person(
    lines: Callable[[], list[dict[str, object]]],
) -> None:
    letters([_refused([("traceparent", f"00-{'a' * 32}-{'b' * 16}-00".encode())]), _refused()])
    traced, other = lines()
    assert traced["message"] == "a record cannot be used: undecodable"
    assert (traced["topic"], traced["partition"], traced["offset"]) == ("events", 1, 7)
    assert (traced["trace_id"], traced["request_id"]) == ("a" * 32, "b" * 16)
    assert "trace_id" not in other
    assert "zoe" not in json.dumps([traced, other])


def test_of_many_dead_letters_the_first_are_told(
    lines: Callable[[], list[dict[str, object]]],
) -> None:
    assert len(letters([_refused(offset=at) for at in range(100)])) == 100
    assert [line["offset"] for line in lines()] == [0, 1, 2, 3, 4]

"""Dead letters: what cannot be used is kept as it came, with the reason beside it.

Topic `<topic>.dlq`; key `<partition>/<offset>` of the original, so that a record found again keeps
one place; value the original bytes; headers the original ones and those below.
"""

import logging
from collections.abc import Sequence

from headrace.runtime.context import within_record
from headrace.runtime.kafka_publisher import Outgoing
from headrace.runtime.kafka_records import Headers, Record, Refusal
from headrace.runtime.metrics import KAFKA_DEAD_LETTERS
from headrace.runtime.topics import dead_letters

log = logging.getLogger(__name__)

REASON = "headrace-reason"
DETAIL = "headrace-detail"
TOPIC = "headrace-topic"
PARTITION = "headrace-partition"
OFFSET = "headrace-offset"
TIMESTAMP_MS = "headrace-timestamp-ms"
KEY = "headrace-key"
"""The original key; absent where the record had none."""
NULL_VALUE = "headrace-null-value"
"""Present where the original had no value (the dead letter's is then empty)."""

FIRST_WRITTEN_MS = "headrace-first-written-ms"
"""On a record that was replayed: when it was written for the first time."""

_OWN = frozenset({REASON, DETAIL, TOPIC, PARTITION, OFFSET, TIMESTAMP_MS, KEY, NULL_VALUE})
_DETAIL_BYTES = 2_000
# Of a batch: whoever sends nonsense must not fill the log too.
_TOLD = 5


def to_dead_letter(refusal: Refusal) -> Outgoing:
    """The record to write for a refused one; counts it."""
    record = refusal.record
    KAFKA_DEAD_LETTERS.labels(record.topic, refusal.reason).inc()
    headers = [
        *original_headers(record.headers),
        (REASON, refusal.reason.encode(errors="replace")),
        (DETAIL, refusal.detail.encode(errors="replace")[:_DETAIL_BYTES]),
        (TOPIC, record.topic.encode()),
        (PARTITION, str(record.partition).encode()),
        (OFFSET, str(record.offset).encode()),
        (TIMESTAMP_MS, str(record.timestamp_ms).encode()),
    ]
    if record.key is not None:
        headers.append((KEY, record.key))
    if record.value is None:
        headers.append((NULL_VALUE, b"1"))
    return Outgoing(
        topic=dead_letters(record.topic),
        key=f"{record.partition}/{record.offset}".encode(),
        value=record.value or b"",
        headers=headers,
    )


def to_original(letter: Record) -> Outgoing:
    """The record as it first came, to be written to its topic again, with when that was."""
    headers = dict(letter.headers)
    originals = original_headers(letter.headers)
    if FIRST_WRITTEN_MS not in headers and TIMESTAMP_MS in headers:
        originals.append((FIRST_WRITTEN_MS, headers[TIMESTAMP_MS]))
    return Outgoing(
        topic=headers[TOPIC].decode(),
        key=headers.get(KEY, b""),
        value=None if NULL_VALUE in headers else letter.value,
        headers=originals,
    )


def first_written_ms(record: Record) -> int:
    """When a record was written for the first time, in Unix milliseconds."""
    first = dict(record.headers).get(FIRST_WRITTEN_MS, b"")
    return int(first) if first.isdigit() else record.timestamp_ms


def original_headers(headers: Headers) -> list[tuple[str, bytes]]:
    """The headers less those that dead-lettering added."""
    return [(key, value) for key, value in headers if key not in _OWN]


def is_letter(record: Record) -> bool:
    """Whether it says where it came from. What others wrote to the topic does not."""
    return TOPIC in dict(record.headers)


def reason_of(letter: Record) -> str:
    """Why the record was refused."""
    return dict(letter.headers).get(REASON, b"not a dead letter").decode(errors="replace")


def letters(refusals: Sequence[Refusal]) -> list[Outgoing]:
    """The records to write for what was refused, of which the first are told."""
    for refusal in refusals[:_TOLD]:
        record = refusal.record
        place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
        with within_record(record.headers):
            # The detail may be about a person.
            log.warning("a record cannot be used: %s", refusal.reason, extra=place)
    return [to_dead_letter(refusal) for refusal in refusals]

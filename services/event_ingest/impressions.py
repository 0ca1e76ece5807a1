"""What was shown: topic `impressions` to counts by item and hour, and to lists that are kept until
it is known what came of them."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from google.protobuf.message import DecodeError
from psycopg2.extras import execute_values

from headrace.api.impressions.v1.impressions_pb2 import ServedLists
from headrace.runtime.kafka_records import Message, Record, Refusal
from headrace.runtime.timestamps import to_moment
from headrace.store.database import Database
from services.event_ingest.click_through import ServedList, keep

log = logging.getLogger(__name__)

KEPT_DAYS = 30
_FORGOTTEN = 10_000  # rows a statement, so that none holds others up for long

_BEGIN = "INSERT INTO counted_impressions VALUES %s ON CONFLICT DO NOTHING"
_NEXT = """
    SELECT partition, next_offset FROM counted_impressions
    WHERE partition = ANY(%s) ORDER BY partition FOR UPDATE
"""
_ADVANCE = """
    UPDATE counted_impressions AS held SET next_offset = greatest(held.next_offset, v.next_offset)
    FROM (VALUES %s) AS v (partition, next_offset) WHERE held.partition = v.partition
"""
_COUNT = """
    INSERT INTO item_impression_counts (item_id, hour, impressions) VALUES %s
    ON CONFLICT (item_id, hour)
    DO UPDATE SET impressions = item_impression_counts.impressions + excluded.impressions
"""
_FORGET = """
    DELETE FROM item_impression_counts WHERE (item_id, hour) IN (
        SELECT item_id, hour FROM item_impression_counts
        WHERE hour < now() - make_interval(days => %s) LIMIT %s FOR UPDATE SKIP LOCKED
    )
"""

Counts = Mapping[tuple[str, datetime], int]


@dataclass(frozen=True, slots=True)
class Shown:
    """What one record tells: times that items were shown, by item and hour; lists of somebody."""

    partition: int
    offset: int
    counts: Counts
    lists: Sequence[ServedList]


def decode_shown(record: Record) -> Shown:
    """A record that holds no lists counts nothing: there are no dead letters of impressions."""
    counts: Counter[tuple[str, datetime]] = Counter()
    lists: list[ServedList] = []
    try:
        for place, served in enumerate(ServedLists.FromString(record.value or b"").lists):
            served_at = to_moment(served.served_at)
            hour = served_at.replace(minute=0, second=0, microsecond=0)
            counts.update((one.item_id, hour) for one in served.impressions)
            if served.user_id:
                lists.append(
                    ServedList(
                        partition=record.partition,
                        offset=record.offset,
                        place=place,
                        user_id=served.user_id,
                        served_at=served_at,
                        model_version=served.model_version,
                        item_ids=[one.item_id for one in served.impressions],
                        sources=[int(one.source) for one in served.impressions],
                    )
                )
    except (DecodeError, ValueError) as error:
        log.warning("not counted: %s", error, extra={"offset": record.offset})
        return Shown(record.partition, record.offset, {}, ())
    return Shown(record.partition, record.offset, counts, lists)


class ImpressionCounts:
    """Counts in Postgres, and how far they have come. Every method raises Unavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def handle(self, messages: Sequence[Message[Shown]]) -> list[Refusal]:
        """Counts a batch; what was counted before is passed over."""
        shown = {(one.body.partition, one.body.offset): one.body for one in messages}
        ends: dict[int, int] = {}
        for partition, offset in shown:
            ends[partition] = max(offset + 1, ends.get(partition, 0))
        if ends:
            self._count(shown.values(), sorted(ends.items()))
        return []

    def forget(self) -> None:
        """Forgets hours that are longer ago than is promised."""
        count = _FORGOTTEN
        while count == _FORGOTTEN:
            with self._database.transaction() as cursor:
                cursor.execute(_FORGET, (KEPT_DAYS, _FORGOTTEN))
                count = cursor.rowcount

    def _count(self, shown: Iterable[Shown], ends: Sequence[tuple[int, int]]) -> None:
        """ends: partitions with the offset that follows on the last of these records."""
        # In one order everywhere, so that two replicas never wait for each other.
        with self._database.transaction() as cursor:
            execute_values(cursor, _BEGIN, [(partition, 0) for partition, _ in ends])
            cursor.execute(_NEXT, ([partition for partition, _ in ends],))
            following = dict(cursor.fetchall())
            fresh = [one for one in shown if one.offset >= following[one.partition]]
            keep(cursor, [served for one in fresh for served in one.lists])
            counts: Counter[tuple[str, datetime]] = Counter()
            for one in fresh:
                counts.update(one.counts)
            if counts:
                rows = [(item_id, hour, n) for (item_id, hour), n in sorted(counts.items())]
                execute_values(cursor, _COUNT, rows, page_size=1_000)
            execute_values(cursor, _ADVANCE, ends)

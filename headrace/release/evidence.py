"""Reads what a canary's people and the others were shown, and what they did."""

from datetime import UTC, datetime

from google.protobuf.message import DecodeError

from headrace.api.impressions.v1.impressions_pb2 import ServedLists
from headrace.api.ranker.v1.list_options_pb2 import LIST_KIND_SEARCH
from headrace.release.outcomes import Act, Served
from headrace.release.shares import chosen
from headrace.runtime.kafka_client import Kafka
from headrace.runtime.kafka_records import Record
from headrace.runtime.kafka_scan import scan
from headrace.runtime.topics import IMPRESSIONS
from headrace.store.database import Database

_DEADLINE_S = 3_600.0
# A list is made before Kafka is given it, by one clock; that of the broker, and a step of the
# clock in between, are allowed for.
_CLOCKS_S = 60.0
# People of a sample are drawn beside those of the canary, not among them.
_SALT = "report"

_ACTS = """
    SELECT s.user_id, s.accepted_at, i.item_id, s.type
    FROM standing_interactions s JOIN items i ON i.ordinal = s.item_ordinal
    WHERE s.accepted_at >= %s AND s.accepted_at < %s AND NOT s.backfill
"""


def read_served(kafka: Kafka, since: datetime, until: datetime, sample: float) -> list[Served]:
    """Lists of people, of a `sample` of them, 0 to 1. Kafka keeps them for seven days.

    Raises: Unavailable.
    """
    first, last = since.timestamp(), until.timestamp()
    found: list[Served] = []

    def take(record: Record) -> bool:
        assert record.value is not None  # the scan passes over records without a value
        try:
            lists = ServedLists.FromString(record.value).lists
        except DecodeError:
            return False  # event_ingest, which counts impressions, has dead-lettered it
        for one in lists:
            if one.kind == LIST_KIND_SEARCH:
                continue  # people found what they named: that tells little of a model
            at = one.served_at.ToNanoseconds() / 1e9
            if one.user_id and first <= at < last and chosen(one.user_id, _SALT, sample):
                items = tuple(item.item_id for item in one.impressions)
                found.append(Served(one.user_id, at, items))
        return False  # what is needed of the record is taken

    scan(
        kafka,
        lambda topic: topic == IMPRESSIONS,
        take,
        deadline_s=_DEADLINE_S,
        most=0,
        since=first - _CLOCKS_S,
    )
    return found


def read_acts(database: Database, since: datetime, until: datetime, sample: float) -> list[Act]:
    """Raises: Unavailable."""
    with database.transaction() as cursor:
        cursor.execute(_ACTS, (since, until))
        return [
            Act(user_id, at.astimezone(UTC).timestamp(), item_id, kind)
            for user_id, at, item_id, kind in cursor
            if chosen(user_id, _SALT, sample)
        ]

"""Times on the wire and in Python, to the microsecond, as Postgres keeps them.

Timestamp's own conversions take three times as long, and every event has two times.
"""

from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_timestamp(moment: datetime) -> Timestamp:
    """moment: with a time zone."""
    since = moment - _EPOCH
    return Timestamp(seconds=since.days * 86_400 + since.seconds, nanos=since.microseconds * 1_000)


def to_moment(timestamp: Timestamp) -> datetime:
    """Raises: ValueError for a time that no calendar has."""
    if not 0 <= timestamp.nanos < 1_000_000_000:
        raise ValueError(f"nanos must be 0 to 999,999,999, not {timestamp.nanos}")
    try:
        return _EPOCH + timedelta(seconds=timestamp.seconds, microseconds=timestamp.nanos // 1_000)
    except OverflowError as error:
        raise ValueError(f"{timestamp.seconds} s since 1970 is in no calendar") from error

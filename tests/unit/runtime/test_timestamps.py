"""A time keeps its microseconds on the wire, and one that no calendar has is refused."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from headrace.runtime.timestamps import to_moment, to_timestamp


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 1, 31, 12, 0, 0, 123_456, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(hours=-5))),
        datetime.min.replace(tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
    ],
)
def test_a_time_comes_back_as_it_was_sent(moment: datetime) -> None:
    message = to_timestamp(moment)
    assert to_moment(message) == moment
    expected = Timestamp()
    expected.FromDatetime(moment)
    assert message == expected


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (Timestamp(seconds=2**62), "no calendar"),
        (Timestamp(seconds=-(2**62)), "no calendar"),
        (Timestamp(seconds=1, nanos=-5), "nanos"),
        (Timestamp(seconds=1, nanos=1_000_000_000), "nanos"),
    ],
)
def test_a_time_that_no_calendar_has_is_refused(wrong: Timestamp, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        to_moment(wrong)

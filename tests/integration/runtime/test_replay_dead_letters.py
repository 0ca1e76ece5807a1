"""Dead letters are replayed by reason, and are gone afterwards."""

import subprocess
import sys
from collections import Counter

import pytest

from headrace.errors import Unavailable
from headrace.runtime.dead_letters import FIRST_WRITTEN_MS, to_dead_letter
from headrace.runtime.kafka_publisher import Outgoing, Publisher
from headrace.runtime.kafka_records import Record, Refusal
from headrace.runtime.replay_dead_letters import read_letters, replay
from headrace.runtime.topics import dead_letters
from tests.integration.runtime.kafka_world import Topics, publish


def _refusal(topic: str, offset: int, reason: str, key: bytes | None = b"k") -> Refusal:
    record = Record(topic, 1, offset, 1_000, key, b"%d" % offset, [("own", b"h")])
    return Refusal(record, reason, "detail")


@pytest.fixture
def refused(topics: Topics, publisher: Publisher) -> str:
    """A topic that refused 3 records for `a`, one of them twice, and 2 for `b`."""
    topic = topics.create("refused")
    refusals = [
        *(_refusal(topic, offset, "a") for offset in (0, 1, 2, 1)),
        *(_refusal(topic, offset, "b", key=None) for offset in (3, 4)),
    ]
    publish(publisher, [to_dead_letter(refusal) for refusal in refusals])
    return topic


def test_letters_are_replayed_by_reason_and_leave(topics: Topics, refused: str) -> None:
    result = replay(topics.bootstrap_servers, refused, reason="a")
    assert result.found == Counter(a=3, b=2)
    assert result.replayed == Counter(a=3)
    records = topics.records(refused)
    assert [(r.key, r.value, list(r.headers)) for r in records] == [
        (b"k", value, [("own", b"h"), (FIRST_WRITTEN_MS, b"1000")]) for value in (b"0", b"2", b"1")
    ]
    assert replay(topics.bootstrap_servers, refused).found == Counter(b=2)
    assert [(r.key, r.value) for r in topics.records(refused)][3:] == [(b"", b"3"), (b"", b"4")]
    assert read_letters(topics.bootstrap_servers, refused) == []


def test_a_dry_run_only_counts(topics: Topics, refused: str) -> None:
    result = replay(topics.bootstrap_servers, refused, dry_run=True)
    assert result.found == Counter(a=3, b=2)
    assert not result.replayed
    assert topics.records(refused) == []
    assert len(read_letters(topics.bootstrap_servers, refused)) == 5


def test_what_others_wrote_among_the_letters_stays(
    topics: Topics, publisher: Publisher, refused: str
) -> None:
    publish(publisher, [Outgoing(dead_letters(refused), b"theirs", b"1")])
    result = replay(topics.bootstrap_servers, refused)
    assert result.found == Counter({"a": 3, "b": 2, "not a dead letter": 1})
    assert result.replayed == Counter(a=3, b=2)
    assert [r.key for r in read_letters(topics.bootstrap_servers, refused)] == [b"theirs"]


def test_a_topic_without_dead_letters_is_named(topics: Topics) -> None:
    with pytest.raises(Unavailable, match=r"typo\.dlq does not exist"):
        replay(topics.bootstrap_servers, "typo")


def _command(topics: Topics, *given: str) -> subprocess.CompletedProcess[str]:
    module = "headrace.runtime.replay_dead_letters"
    servers = ["--bootstrap-servers", topics.bootstrap_servers]
    return subprocess.run(
        [sys.executable, "-m", module, *servers, *given],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_command_prints_a_line_a_reason(topics: Topics, refused: str) -> None:
    done = _command(topics, "--topic", refused, "--reason", "b")
    assert done.returncode == 0, done.stderr
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["reason", "found", "replayed"],
        ["a", "3", "0"],
        ["b", "2", "2"],
        ["total", "5", "2"],
    ]


def test_the_command_says_what_is_wrong(topics: Topics) -> None:
    done = _command(topics, "--topic", "typo")
    assert done.returncode == 1
    assert "topic typo.dlq does not exist" in done.stderr

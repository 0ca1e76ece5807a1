"""What was done, flushed and committed is kept apart, a partition at a time."""

from headrace.runtime.kafka_progress import Progress


def test_what_is_done_is_to_be_committed_until_it_is() -> None:
    progress: Progress[str] = Progress()
    progress.begin("a", 10)
    assert progress.uncommitted() == {}
    progress.did("a", 19)
    assert progress.uncommitted() == {"a": 20}
    progress.committed({"a": 20})
    assert progress.uncommitted() == {}
    progress.did("a", 20)
    assert progress.uncommitted() == {"a": 21}


def test_a_late_answer_to_an_older_commit_does_not_hide_newer_work() -> None:
    progress: Progress[str] = Progress()
    progress.begin("a", 0)
    progress.did("a", 9)
    progress.did("a", 19)
    progress.committed({"a": 10})
    assert progress.uncommitted() == {"a": 20}


def test_rewinding_goes_back_to_the_last_flush() -> None:
    progress: Progress[str] = Progress()
    for partition in "ab":
        progress.begin(partition, 5)
        progress.did(partition, 9)
    progress.flushed()
    progress.did("a", 14)
    progress.begin("c", 3)
    progress.did("c", 7)
    assert progress.rewind() == {"a": 10, "b": 10, "c": 3}
    assert progress.uncommitted() == {"a": 10, "b": 10, "c": 3}


def test_beginning_again_does_not_move_the_safe_place() -> None:
    progress: Progress[str] = Progress()
    progress.begin("a", 5)
    progress.begin("a", 8)
    assert progress.rewind() == {"a": 5}


def test_a_partition_that_moved_away_is_forgotten() -> None:
    progress: Progress[str] = Progress()
    for partition in "ab":
        progress.begin(partition, 0)
        progress.did(partition, 0)
        progress.committed({partition: 1})
    progress.keep(["b"])
    progress.did("b", 1)
    assert progress.uncommitted() == {"b": 2}
    progress.begin("a", 100)
    assert progress.rewind()["a"] == 100

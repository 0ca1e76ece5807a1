"""Every topic keeps what it holds for as long as the design says."""

from headrace.runtime.topics import (
    LETTER_BYTES,
    RECORD_BYTES,
    TopicSpec,
    dead_letters,
    holds_dead_letters,
    topic_specs,
)

HOUR_MS = 3_600_000


def _specs() -> dict[str, TopicSpec]:
    return {spec.name: spec for spec in topic_specs("v7", partitions=6)}


def test_flowing_topics_forget_and_tables_are_compacted() -> None:
    specs = _specs()
    kept_hours = {"events": 7 * 24, "interactions": 24, "user-vectors.v7": 1, "impressions": 7 * 24}
    for name, hours in kept_hours.items():
        forgettable = name in ("user-vectors.v7", "impressions")
        policy = "compact,delete" if forgettable else "delete"
        assert specs[name].settings["cleanup.policy"] == policy
        # A segment is deleted as a whole: what is in it outlives its time by no more than this.
        assert int(specs[name].settings["segment.ms"]) <= min(HOUR_MS, hours * HOUR_MS / 6)
        assert specs[name].settings["retention.ms"] == str(hours * HOUR_MS)
    for name in ("items", "item-vectors.v7"):
        assert specs[name].settings == {"cleanup.policy": "compact"}
    assert {specs[name].partitions for name in (*kept_hours, "items", "item-vectors.v7")} == {6}


def test_what_a_service_reads_has_dead_letters_with_room_for_the_reasons() -> None:
    specs = _specs()
    read = {name for name in specs if not holds_dead_letters(name)} - {"impressions"}
    assert {dead_letters(name) for name in read} == set(filter(holds_dead_letters, specs))
    for name in read:
        letters = specs[dead_letters(name)]
        assert letters.partitions == 1
        assert letters.settings["cleanup.policy"] == "compact,delete"
        assert letters.settings["retention.ms"] == str(14 * 24 * HOUR_MS)
        assert int(letters.settings["max.message.bytes"]) == LETTER_BYTES > RECORD_BYTES


def test_two_models_share_no_vectors() -> None:
    one, two = ({spec.name for spec in topic_specs(model, 1)} for model in ("a", "b"))
    assert {name.split(".")[0] for name in one - two} == {"item-vectors", "user-vectors"}

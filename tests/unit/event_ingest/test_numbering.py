"""Which events count, and as number what."""

from services.event_ingest.numbering import Counter, Verdict, judge, number, out_of_order
from tests.unit.event_ingest.builders import event, minutes_ago, retraction

KNOWN = {"kettle": 7}


def test_of_two_under_one_key_the_first_counts() -> None:
    first, again, other = event("e1"), event("e1"), event("e1", type=1)
    assert judge([first, again, other], {}, KNOWN) == [
        Verdict.NEW,
        Verdict.REPEATED,
        Verdict.CONFLICT,
    ]


def test_the_same_event_id_of_another_person_is_another_event() -> None:
    assert judge([event("e1", "ann"), event("e1", "bob")], {}, KNOWN) == [Verdict.NEW, Verdict.NEW]


def test_what_is_held_already_is_repeated_or_in_conflict() -> None:
    held = {("ann", "e1"): event("e1").body_hash, ("ann", "e2"): b"another body"}
    assert judge([event("e1"), event("e2")], held, KNOWN) == [Verdict.REPEATED, Verdict.CONFLICT]


def test_an_event_for_an_unknown_item_waits_once() -> None:
    unknown = event(item_id="toaster")
    assert judge([unknown, unknown], {}, KNOWN) == [Verdict.WAITS, Verdict.REPEATED]


def test_only_what_stands_in_the_persons_own_log_is_taken_back_and_once() -> None:
    back = retraction("r1", retracts="e1")
    mine = {("ann", "e1")}
    assert judge([back], {}, KNOWN, mine) == [Verdict.NEW]
    assert judge([back, back], {}, KNOWN, mine) == [Verdict.NEW, Verdict.REPEATED]
    assert judge([back, retraction("r2", retracts="e1")], {}, KNOWN, mine) == [
        Verdict.NEW,
        Verdict.VAIN,
    ]
    assert judge([back], {}, KNOWN, {("bob", "e1")}) == [Verdict.VAIN]
    assert judge([retraction("r1", "bob", retracts="e1")], {}, KNOWN, mine) == [Verdict.VAIN]


def test_an_event_and_its_retraction_may_come_together() -> None:
    back = retraction("r1", retracts="e1")
    assert judge([event("e1"), back], {}, KNOWN) == [Verdict.NEW, Verdict.NEW]
    assert judge([back, event("e1"), back], {}, KNOWN) == [Verdict.VAIN, Verdict.NEW, Verdict.NEW]
    waiting = event("e1", item_id="toaster")
    assert judge([waiting, back], {}, KNOWN) == [Verdict.WAITS, Verdict.VAIN]


def test_a_retraction_is_an_entry_and_begins_an_epoch() -> None:
    counters = {"ann": Counter(epoch=3, n=10)}
    fresh = [(event("e1"), 7), (retraction("r1", retracts="e1"), 0), (event("e2"), 7)]
    entries = number(fresh, counters)
    assert [(e.epoch, e.n, e.item_ordinal) for e in entries] == [(3, 11, 7), (4, 12, 0), (4, 13, 7)]
    assert counters["ann"] == Counter(4, 13)


def test_what_is_said_of_a_category_waits_for_no_item() -> None:
    said = event("e1", item_id="", category="Tea", type=9)
    assert judge([said], {}, {}) == [Verdict.NEW]
    back = retraction("r1", retracts="e1")
    assert judge([said, back], {}, {}) == [Verdict.NEW, Verdict.NEW]
    counters = {"ann": Counter(0, 0)}
    (entry,) = number([(said, 0)], counters)
    assert (entry.item_ordinal, entry.category) == (0, "Tea")


def test_each_person_is_numbered_in_order_of_arrival_from_where_they_stood() -> None:
    counters = {"ann": Counter(epoch=3, n=10), "bob": Counter(epoch=0, n=0)}
    fresh = [(event("e1", "ann"), 7), (event("e2", "bob"), 7), (event("e3", "ann"), 8)]
    entries = number(fresh, counters)
    assert [(e.user_id, e.epoch, e.n, e.item_ordinal) for e in entries] == [
        ("ann", 3, 11, 7),
        ("bob", 0, 1, 7),
        ("ann", 3, 12, 8),
    ]
    assert (counters["ann"].n, counters["bob"].n) == (12, 1)


def test_an_entry_older_than_the_one_before_it_is_out_of_order() -> None:
    counters = {"ann": Counter(0, 1), "bob": Counter(0, 0)}
    ages = [("ann", 5), ("ann", 9), ("bob", 20), ("ann", 7), ("ann", 8)]
    entries = number(
        [
            (event(f"e{at}", user, occurred_at=minutes_ago(age)), 7)
            for at, (user, age) in enumerate(ages)
        ],
        counters,
    )
    assert out_of_order(entries, {}) == 2
    assert out_of_order(entries, {"ann": minutes_ago(1), "bob": minutes_ago(30)}) == 3

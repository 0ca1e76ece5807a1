"""The vector before a click can be had for some seconds after the one with the click came."""

from services.ranker.accuracy.before import Before
from services.ranker.users import UserVector
from tests.unit.ranker.accuracy.reading import Clock
from tests.unit.ranker.world import user


def version(found: UserVector | str) -> tuple[int, int] | str:
    return found if isinstance(found, str) else found.version


def test_the_vector_before_is_there_although_the_next_one_came() -> None:
    before = Before(1_000_000, clock=Clock())
    for n in (1, 2, 3):
        before.came(user("ann", n=n), None)
    assert [version(before.at("ann", (0, n))) for n in (1, 2, 3)] == [(0, 1), (0, 2), (0, 3)]


def test_the_cached_vector_counts_as_the_one_before_the_first_that_comes() -> None:
    before = Before(1_000_000, clock=Clock())
    before.came(user("ann", n=8), user("ann", n=7))
    assert version(before.at("ann", (0, 7))) == (0, 7)


def test_why_a_vector_is_missing_is_told() -> None:
    before = Before(1_000_000, clock=Clock())
    assert before.at("ann", (0, 1)) == "unremembered"
    before.came(user("ann", n=3), None)
    before.came(user("ann", n=6), None)
    assert before.at("ann", (0, 2)) == "unremembered"
    assert before.at("ann", (0, 4)) == "between"
    assert before.at("ann", (0, 7)) == "not_yet"
    assert before.at("ann", (1, 1)) == "not_yet"


def test_a_vector_that_was_replaced_long_ago_is_gone_and_the_newest_stays() -> None:
    clock = Clock()
    before = Before(1_000_000, clock=clock)
    before.came(user("ann", n=1), None)
    before.came(user("ann", n=2), None)
    clock.now += 60
    assert version(before.at("ann", (0, 1))) == (0, 1)
    before.came(user("ann", n=3), None)
    assert before.at("ann", (0, 1)) == "unremembered"
    assert version(before.at("ann", (0, 2))) == (0, 2)


def test_vectors_of_an_erased_log_are_forgotten() -> None:
    before = Before(1_000_000, clock=Clock())
    before.came(user("ann", n=5), None)
    before.came(user("ann", n=1, epoch=1), None)
    assert before.at("ann", (0, 5)) == "unremembered"
    before.came(user("ann", n=6), None)
    assert before.at("ann", (0, 6)) == "unremembered"
    assert version(before.at("ann", (1, 1))) == (1, 1)


def test_a_vector_that_comes_again_or_late_changes_nothing() -> None:
    before = Before(1_000_000, clock=Clock())
    for n in (2, 3, 3, 2):
        before.came(user("ann", n=n), None)
    size = before.size_bytes
    before.came(user("ann", n=3), None)
    assert before.size_bytes == size
    assert version(before.at("ann", (0, 2))) == (0, 2)


def test_memory_is_bounded_and_the_person_least_recently_heard_of_goes() -> None:
    one = user("ann").size_bytes
    before = Before(3 * one, clock=Clock())
    for name in ("ann", "bob", "eve"):
        before.came(user(name), None)
    before.came(user("ann"), None)
    before.came(user("joe"), None)
    assert before.at("bob", (0, 1)) == "unremembered"
    assert [version(before.at(name, (0, 1))) for name in ("ann", "eve", "joe")] == [(0, 1)] * 3
    assert before.size_bytes <= 3 * one


def test_people_who_are_not_looked_at_take_no_memory() -> None:
    before = Before(1_000_000, lambda user_id: user_id == "ann", Clock())
    before.came(user("bob"), None)
    assert before.size_bytes == 0
    before.came(user("ann"), None)
    assert before.size_bytes > 0

"""Each click is scored against the list before it; what cannot be is counted by reason."""

from itertools import count

import pytest

from headrace.contracts.events import EventType
from services.ranker.accuracy.before import Before
from services.ranker.accuracy.prequential import PATIENCE_S, Prequential
from services.ranker.accuracy.sampling import Budget
from services.ranker.users import UserVector
from tests.unit.ranker.accuracy.reading import Clock, Since, click, counted
from tests.unit.ranker.world import user

_NUMBERS = count()


class TheirOwnPlaces:
    """Item 7 at place 1, item 8 at place 2, …; nothing below 7 is shown to anybody."""

    def __init__(self) -> None:
        self.people: list[UserVector | None] = []

    def shows(self, ordinal: int) -> bool:
        return ordinal >= 7

    def place(self, ordinal: int, person: UserVector | None) -> int | None:
        self.people.append(person)
        place = ordinal - 6
        return place if place <= 20 else None


class World:
    def __init__(self, per_s: float = 1_000) -> None:
        self.model = f"prequential-{next(_NUMBERS)}"
        self.clock = Clock()
        self.before = Before(1_000_000, clock=self.clock)
        self.places = TheirOwnPlaces()
        self.scored = Prequential(
            model_version=self.model,
            places=self.places,
            before=self.before,
            budget=Budget(per_s, self.clock),
            clock=self.clock,
        )
        self.since = Since()

    def knows(self, *vectors: UserVector) -> None:
        for vector in vectors:
            self.before.came(vector, None)

    def outcomes(self, *names: str) -> list[float]:
        return [self.since.counted("accuracy_events", outcome=name) for name in names]

    def sums(self, person: str = "known") -> dict[str, float]:
        labels = {"model_version": self.model, "person": person}
        return {
            "clicks": counted("accuracy_clicks", **labels),
            **{k: counted("accuracy_hits", **labels, k=k) for k in ("5", "10", "20")},
            "gains": counted("accuracy_gains", **labels),
            "reciprocals": counted("accuracy_reciprocal_ranks", **labels),
        }


def test_figures_are_those_of_the_hand() -> None:
    world = World()
    world.knows(*(user(name, n=4) for name in "abcd"))
    # Places 1, 3, 11 and none.
    clicks = [click(name, 5, item) for name, item in zip("abcd", (7, 9, 17, 99), strict=True)]
    world.scored.take(clicks)
    world.scored.score()
    assert world.sums() == {
        "clicks": 4,
        "5": 2,
        "10": 2,
        "20": 3,
        "gains": pytest.approx(1 + 1 / 2),  # 1 / log2(2), 1 / log2(4)
        "reciprocals": pytest.approx(1 + 1 / 3),
    }
    assert world.outcomes("scored") == [4]


def test_the_vector_before_the_click_is_asked_though_a_later_one_came() -> None:
    world = World()
    world.knows(user("ann", n=4), user("ann", n=5), user("ann", n=6))
    world.scored.take([click("ann", 5, 7)])
    world.scored.score()
    [person] = world.places.people
    assert person is not None
    assert person.n == 4


def test_a_click_waits_for_the_vector_before_it() -> None:
    world = World()
    world.knows(user("ann", n=3))
    world.scored.take([click("ann", 5, 7)])
    world.scored.score()
    assert world.outcomes("scored", "not_yet") == [0, 0]
    world.knows(user("ann", n=4))
    world.scored.score()
    assert world.outcomes("scored", "not_yet") == [1, 0]


def test_a_vector_that_does_not_come_is_waited_for_so_long_and_no_longer() -> None:
    world = World()
    world.knows(user("ann", n=3))
    world.scored.take([click("ann", 5, 7), click("bob", 2, 7)])
    world.scored.score()
    world.clock.now += PATIENCE_S
    world.scored.score()
    world.scored.score()
    assert world.outcomes("not_yet", "unremembered", "scored") == [1, 1, 0]


def test_of_events_that_one_update_took_together_the_first_is_scored() -> None:
    world = World()
    world.knows(user("ann", n=4), user("ann", n=6))
    world.scored.take([click("ann", 5, 7), click("ann", 6, 8)])
    world.scored.score()
    assert world.outcomes("scored", "between") == [1, 1]


def test_the_first_click_of_a_log_is_scored_against_what_a_stranger_gets() -> None:
    world = World()
    world.scored.take([click("new", 1, 8), click("again", 1, 8, epoch=3)])
    world.scored.score()
    assert world.places.people == [None, None]
    assert world.sums("new")["clicks"] == 2
    assert world.sums("new")["reciprocals"] == 1
    assert world.sums("known")["clicks"] == 0


def test_what_no_list_could_foretell_is_not_scored() -> None:
    world = World()
    world.knows(user("ann", n=4, seen=[9], recent=[10]))
    world.scored.take(
        [
            click("ann", 5, 9),
            click("ann", 5, 10),
            click("ann", 5, 3),
            click("ann", 5, 8, backfill=True),
            click("ann", 5, 8, kind=EventType.DISLIKE),
            click("ann", 5, 8, kind=99),
        ]
    )
    world.scored.score()
    assert world.outcomes("repeat", "hidden", "import", "no_interest") == [2, 1, 1, 2]
    assert world.sums()["clicks"] == 0


def test_a_sampled_click_counts_for_those_that_are_not() -> None:
    world = World(per_s=10)
    for number in range(4_000):  # 100 a second: a tenth is taken after the first ten seconds
        world.clock.now += 0.01
        world.scored.take([click(f"new-{number}", 1, 7)])
        world.scored.score()
    scored, left_out = world.outcomes("scored", "not_sampled")
    assert scored + left_out == 4_000
    assert scored < 1_500
    sums = world.sums("new")
    assert sums["clicks"] == pytest.approx(4_000, rel=0.15)
    assert sums["5"] == sums["clicks"]


def test_the_queue_is_bounded_and_what_finds_no_place_is_counted() -> None:
    world = World(per_s=1_000_000)
    world.scored.take([click(f"new-{number}", 1, 7) for number in range(1_500)])
    assert world.outcomes("too_many") == [500]
    for _ in range(10):
        world.scored.score()
    assert world.outcomes("scored") == [1_000]

"""Who is among the people of a canary."""

import math

from headrace.release.shares import chosen, place_of

PEOPLE = [f"user-{number}" for number in range(20_000)]


def test_who_is_chosen_stays_chosen_while_the_share_grows() -> None:
    small = {user for user in PEOPLE if chosen(user, "salt", 0.05)}
    assert small < {user for user in PEOPLE if chosen(user, "salt", 0.2)}
    assert {user for user in PEOPLE if chosen(user, "salt", 0.05)} == small


def test_a_share_is_that_share() -> None:
    for share in (0.0, 0.01, 0.3, 1.0):
        got = sum(chosen(user, "salt", share) for user in PEOPLE)
        four_sigma = 4 * math.sqrt(len(PEOPLE) * share * (1 - share))
        assert abs(got - share * len(PEOPLE)) <= four_sigma


def test_the_shares_of_two_releases_are_independent() -> None:
    both = sum(chosen(user, "one", 0.3) and chosen(user, "two", 0.3) for user in PEOPLE)
    assert abs(both - 0.09 * len(PEOPLE)) <= 4 * math.sqrt(len(PEOPLE) * 0.09 * 0.91)


def test_places_are_the_same_in_every_process_and_version() -> None:
    # blake2b("salt\0ann", 8 bytes) / 2^64: another number would move people between models.
    assert place_of("ann", "salt") == int.from_bytes(bytes.fromhex("74d4f34aaa3b916d")) / 2**64

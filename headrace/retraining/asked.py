"""Who is asked in a trial, and about what."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headrace.evaluation.metrics import Values
from headrace.training.split import Part

# More of one person's events tell less and less, and whoever does a thousand things is one person.
EVENTS_EACH = 10


def first_events(part: Part, most: int = EVENTS_EACH) -> Part:
    """At most so many events of each person, the earliest. A part has each person's together."""
    starts = np.flatnonzero(np.diff(part.users, prepend=-1))
    lengths = np.diff(starts, append=len(part.users))
    place = np.arange(len(part.users)) - np.repeat(starts, lengths)
    return Part(part.users[place < most], part.positions[place < most])


def some_people(part: Part, most: int, seed: int) -> Part:
    """All events of so many people, drawn at random."""
    people = np.unique(part.users)
    if len(people) <= most:
        return part
    chosen = np.random.default_rng(seed).permutation(people)[:most]
    mark = np.isin(part.users, chosen)
    return Part(part.users[mark], part.positions[mark])


def people_in(part: Part) -> int:
    return len(np.unique(part.users))


def by_person(values: Values, users: NDArray[np.int64]) -> Values:
    """Each person's mean. Shapes: values and users [Q] -> [people]."""
    _, person, counts = np.unique(users, return_inverse=True, return_counts=True)
    means: Values = np.bincount(person, weights=values) / counts
    return means

"""Several processes learn what one learns."""

import numpy as np

from headrace.training.batches import chunks


def test_a_team_learns_from_the_same_events_in_the_same_steps_as_one_process() -> None:
    offsets = np.concatenate([[0], np.cumsum([2, 9, 30, 31, 75])])

    def learned(rank: int, size: int) -> list[list[int]]:
        random = np.random.default_rng(0)
        parts = chunks(offsets, offsets[1:], 3, 10, random, rank=rank, size=size)
        return [sorted(part.events[part.learn].tolist()) for part in parts]

    alone, first, second = learned(0, 1), learned(0, 2), learned(1, 2)
    assert alone == [sorted(a + b) for a, b in zip(first, second, strict=True)]

import numpy as np

from headrace.training.batches import batches_by_length, chunks


def test_every_pair_of_neighbours_is_learned_once() -> None:
    lengths = np.array([1, 2, 9, 30, 31, 75])
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    seen = [
        event
        for chunk in chunks(offsets, offsets[1:], 2, 10, np.random.default_rng(0))
        for event in chunk.events[chunk.learn].tolist()
    ]
    expected = [e for u in range(len(lengths)) for e in range(offsets[u], offsets[u + 1] - 1)]
    assert sorted(seen) == expected


def test_nothing_is_learned_beyond_the_end() -> None:
    offsets, ends = np.array([0, 8, 20]), np.array([5, 20])
    learned = np.concatenate(
        [
            chunk.events[chunk.learn]
            for chunk in chunks(offsets, ends, 2, 6, np.random.default_rng(0))
        ]
    )
    assert set(learned[learned < 8].tolist()) == {0, 1, 2, 3}


def test_chunks_of_a_batch_follow_one_another() -> None:
    offsets = np.array([0, 40])
    parts = list(chunks(offsets, offsets[1:], 1, 10, np.random.default_rng(0)))
    assert [part.first for part in parts] == [True] + [False] * (len(parts) - 1)
    assert np.concatenate([part.events[0] for part in parts]).tolist() == list(range(39))


def test_people_of_like_length_keep_company() -> None:
    lengths = np.array([2, 1000, 2, 1000, 1])
    batches = batches_by_length(lengths, 2, np.random.default_rng(0))
    assert sorted(sorted(batch.tolist()) for batch in batches) == [[0, 2], [1, 3]]

"""Histories whose order means nothing teach none."""

from dataclasses import replace

import numpy as np

from headrace.training.towers import KindIndex, LogTensors
from tests.unit.training.logs import log_of

LOG = replace(log_of(range(8), [9, 8, 7, 6, 5], [1, 2]), ordered=False)
ENDS = np.array([6, 13, 14])  # learning ends two before, at, and one before the ends


def shuffled(seed: int) -> LogTensors:
    events = LogTensors(LOG, KindIndex(LOG.kinds))
    return events.shuffled(ENDS, np.random.default_rng(seed))


def test_everybody_keeps_their_items_in_another_order() -> None:
    items = shuffled(0).items.numpy()
    assert sorted(items[:6]) == list(range(6))
    assert sorted(items[8:13]) == [5, 6, 7, 8, 9]
    assert items[:6].tolist() != list(range(6))


def test_what_is_kept_from_learning_stays_in_its_place() -> None:
    items = shuffled(0).items.numpy()
    assert items[6:8].tolist() == [6, 7]
    assert items[13:].tolist() == [1, 2]


def test_each_epoch_reads_another_order_and_a_repeated_one_the_same() -> None:
    assert shuffled(1).items.tolist() != shuffled(0).items.tolist()
    assert shuffled(1).items.tolist() == shuffled(1).items.tolist()

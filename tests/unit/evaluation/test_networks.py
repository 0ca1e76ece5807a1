"""Parts of the network baselines that can be worked out by hand."""

import numpy as np
import pytest
import torch

from headrace.bundle.content import ItemContent
from headrace.evaluation.baselines.base import People, Training, validation_ndcg
from headrace.evaluation.baselines.neural.deepfm import products_of_pairs
from headrace.evaluation.baselines.neural.learning import Effort
from headrace.evaluation.baselines.neural.pairs import Categories, Events, last_items
from headrace.evaluation.baselines.neural.sequences import NextItem


def training(histories: list[list[int]], items: int, targets: list[int]) -> Training:
    had = [np.array(history, dtype=np.int64) for history in histories]
    catalogue = [ItemContent(f"i{i}") for i in range(items)]
    return Training(catalogue, had, People(np.arange(len(had)), had), np.array(targets))


def test_what_came_before_an_event_ends_at_its_persons_first() -> None:
    events = Events(training([[5, 6, 7], [8, 9]], 10, [0, 0]))
    before = events.before(np.array([0, 2, 3, 4]), 2)
    assert before.tolist() == [[10, 10], [5, 6], [10, 10], [10, 8]]
    assert events.users.tolist() == [0, 0, 0, 1, 1]


def test_padding_lies_in_front_of_the_last_items() -> None:
    had = [np.array([1, 2, 3]), np.array([4]), np.zeros(0, dtype=np.int64)]
    assert last_items(had, 2, padding=9).tolist() == [[2, 3], [9, 4], [9, 9]]


def test_a_factorisation_machine_multiplies_every_two_fields() -> None:
    fields = torch.tensor([[[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]]])
    by_hand = (1 * 3 + 2 * 4) + (1 * 5 + 2 * 6) + (3 * 5 + 4 * 6)
    assert products_of_pairs(fields).item() == pytest.approx(by_hand)


def test_an_item_has_the_mean_of_its_categories_vectors() -> None:
    catalogue = [
        ItemContent("both", categories=("a", "b")),
        ItemContent("one", categories=("a",)),
        ItemContent("other", categories=("b",)),
        ItemContent("none"),
    ]
    both, one, other, none, padding = Categories(catalogue, width=3)(torch.arange(5))
    torch.testing.assert_close(both, (one + other) / 2)
    assert none.tolist() == padding.tolist() == [0, 0, 0]


def test_a_large_catalogue_is_learned_from_items_drawn_at_random() -> None:
    starts = np.random.default_rng(0).integers(0, 12, 60)
    rounds = [[int(start + step) % 12 for step in range(7)] for start in starts]
    train = training([items[:-1] for items in rounds], 40, [items[-1] for items in rounds])
    network = NextItem("gru4rec", Effort(max_epochs=30, patience=30), whole=0, negatives=8)
    network.fit(train)
    # By chance .15: the next one of some 34 items that a person did not have.
    assert validation_ndcg(network, train) > 0.5


def test_every_epoch_is_told_to_who_watches() -> None:
    train = training([[0, 1, 2], [1, 2, 0]], 4, [0, 1])
    seen: list[tuple[int, float]] = []

    def watch(epoch: int, quality: float, left_s: float) -> None:
        assert left_s < 60
        seen.append((epoch, quality))

    network = NextItem("gru4rec", Effort(seconds=60, max_epochs=3, watch=watch))
    network.fit(train)
    assert [epoch for epoch, _ in seen] == [1, 2, 3]
    assert max(quality for _, quality in seen) == validation_ndcg(network, train)


def test_judges_are_some_of_the_people_with_their_own_targets() -> None:
    train = training([[user] for user in range(9)], 9, list(range(9)))
    judged = train.judged_by(4)
    assert len(judged.targets) == 4
    assert [int(had[0]) for had in judged.validation.histories] == judged.targets.tolist()
    assert judged.histories is train.histories
    assert train.judged_by(9) is train


def test_settings_are_what_a_network_prints_as_and_time_is_none() -> None:
    short, long = (NextItem("sasrec", Effort(seconds=seconds)) for seconds in (1, 2))
    assert repr(short) == repr(long)
    assert repr(short) != repr(NextItem("sasrec", Effort(seed=1)))

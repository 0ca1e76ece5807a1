import numpy as np
import pytest
from numpy.typing import NDArray

from headrace.bundle.features import FEATURES, ItemFacts, candidate_features
from headrace.bundle.known import Counted
from tests.unit.bundle.pairs import pairs_of

Array = NDArray[np.float32]


def facts(vectors: object, categories: object, attributes: object) -> ItemFacts:
    return ItemFacts(
        *(np.array([part], dtype=np.float32) for part in (vectors, categories, attributes))
    )


CANDIDATES = facts([[1, 0], [0, 2]], [[1, 0, 0], [1, 1, 0]], [[0.0], [3.0]])
RECENT = facts([[0, 1], [1, 0], [9, 9]], [[1, 0, 0], [0, 0, 1], [1, 1, 1]], [[1.0], [3.0], [8.0]])
MASK = np.array([[1, 1, 0]], dtype=np.float32)
# By link, recent item and candidate.
AFFINITY = np.array(
    [[[[0.1, 0], [0.2, 0.3], [9, 9]], [[0, 0], [0, 0.5], [9, 9]], [[0, 0], [0, 0], [9, 9]]]],
    dtype=np.float32,
)


def computed(
    recent: ItemFacts = RECENT, mask: Array = MASK, affinity: Array = AFFINITY
) -> dict[str, list[float]]:
    out = candidate_features(
        np.array([[2.0, 5.0]], dtype=np.float32),
        np.array([[0.0, 1.5]], dtype=np.float32),
        CANDIDATES,
        recent,
        mask,
        counted=Counted(np.array([[0.5, -0.5]], dtype=np.float32), pairs_of(affinity)),
    )
    return {name: out[0, :, column].tolist() for column, name in enumerate(FEATURES)}


def test_features_are_what_their_names_say() -> None:
    values = computed()
    assert values["retrieval_score"] == [2, 5]
    assert values["score_below_best"] == [-3, 0]
    assert values["popularity"] == [0, 1.5]
    assert values["similarity_last_1"] == pytest.approx([1, 0], abs=1e-5)
    assert values["similarity_last_5"] == pytest.approx([0.5, 0.5], abs=1e-5)
    assert values["similarity_nearest"] == pytest.approx([1, 1], abs=1e-5)
    # Of two recent items one has the first category and none the second.
    assert values["category_overlap"] == pytest.approx([0.5, 0.25])
    assert values["attribute_distance"] == pytest.approx([2, 1])
    assert values["recent_items"] == pytest.approx([np.log(3)] * 2)
    assert values["rating"] == [0.5, -0.5]


def test_links_of_older_items_count_less_and_those_of_padding_nothing() -> None:
    values = {name: np.exp(value) - 1e-3 for name, value in computed().items() if "_" in name}
    assert values["next_1"] == pytest.approx([0.2, 0.3], abs=1e-6)
    assert values["next_5"] == pytest.approx([0.2 + 0.1 / 2, 0.3], abs=1e-6)
    assert values["next_all"] == pytest.approx([0.2 + 0.1, 0.3], abs=1e-6)
    assert values["soon_20"] == pytest.approx([0, 0.5], abs=1e-6)
    assert values["together_all"] == pytest.approx([0, 0], abs=1e-6)


def test_padding_may_stand_at_either_end() -> None:
    turned = ItemFacts(*(np.roll(part, 1, axis=1) for part in RECENT))
    mask, affinity = np.roll(MASK, 1, axis=1), np.roll(AFFINITY, 1, axis=2)
    assert computed(turned, mask, affinity) == computed()


def test_nothing_is_near_a_person_without_history() -> None:
    values = computed(mask=np.zeros((1, 3), dtype=np.float32))
    for name in ("similarity_last_1", "category_overlap", "attribute_distance", "recent_items"):
        assert values[name] == [0, 0]
    assert values["similarity_nearest"] == [-1, -1]

from pathlib import Path

import numpy as np
import pytest

from headrace.bundle import Bundle, ItemContent
from headrace.bundle.features import ItemFacts, candidate_features
from headrace.pictures.pixels import SHAPE
from headrace.training.toy import toy_items

CLICK, VIEW = 2, 1


@pytest.fixture(scope="module")
def bundle(toy_bundle: Path) -> Bundle:
    return Bundle.load(str(toy_bundle))


def test_a_click_moves_its_category_up(bundle: Bundle) -> None:
    items = toy_items()
    vectors, biases = bundle.items.encode(items)
    horror = np.array(["horror" in item.categories for item in items])
    _, before = bundle.user.step(bundle.user.initial_state(1), vectors[[0]], [CLICK], [0.0])
    state = bundle.user.initial_state(1)
    state, _ = bundle.user.step(state, vectors[[0]], [CLICK], [0.0])
    _, after = bundle.user.step(state, vectors[[2]], [CLICK], [60.0])
    gain = (vectors @ after[0] + biases) - (vectors @ before[0] + biases)
    assert gain[horror].min() > gain[~horror].max()


def test_a_new_item_lands_among_its_category(bundle: Bundle) -> None:
    items = toy_items()
    new = ItemContent("new", "Something else", categories=("horror",))
    vectors, _ = bundle.items.encode([*items, new])
    nearest = np.argsort(-(vectors[:-1] @ vectors[-1]))[:10]
    assert all("horror" in items[i].categories for i in nearest)


def test_items_are_encoded_the_same_in_any_company(bundle: Bundle) -> None:
    items = toy_items() * 6  # more than one batch
    vectors, biases = bundle.items.encode(items)
    alone, bias = bundle.items.encode(items[7:8])
    np.testing.assert_allclose(vectors[7 + 5 * 60], alone[0], atol=1e-5)
    np.testing.assert_allclose(biases[7], bias[0], atol=1e-5)
    assert bundle.items.encode([])[0].shape == (0, bundle.width)


def test_a_tower_that_does_not_look_at_pictures_does_not_mind_them(bundle: Bundle) -> None:
    picture = np.full(SHAPE, 7, dtype=np.uint8)
    pair = [ItemContent("new"), ItemContent("new", picture=picture)]
    (without, with_one), _ = bundle.items.encode(pair)
    assert not bundle.items.looks
    assert np.array_equal(without, with_one)


def test_a_sequence_ends_where_stepping_ends(bundle: Bundle) -> None:
    random, length = np.random.default_rng(0), 600  # longer than one run of the graph
    vectors = random.normal(size=(3, length, bundle.width)).astype(np.float32)
    kinds, gaps = random.integers(1, 8, (3, length)), random.uniform(0, 1e5, (3, length))
    lengths = np.array([length, 300, 0])
    state, vector = bundle.user.sequence(
        bundle.user.initial_state(3), vectors, kinds, gaps, lengths
    )
    for person in (0, 1):
        stepped = bundle.user.initial_state(1)
        for t in range(lengths[person]):
            at = slice(person, person + 1), t
            stepped, last = bundle.user.step(stepped, vectors[at], kinds[at], gaps[at])
        np.testing.assert_allclose(state[person], stepped[0], atol=1e-4)
        np.testing.assert_allclose(vector[person], last[0], atol=1e-4)
    assert not state[2].any()
    assert not vector[2].any()


def test_kinds_that_training_never_saw_act_as_the_default(bundle: Bundle) -> None:
    item = np.ones((1, bundle.width), dtype=np.float32)
    start = bundle.user.initial_state(1)
    _, click = bundle.user.step(start, item, [CLICK], [0.0])
    for kind in (VIEW, 7, 99, -1):
        _, other = bundle.user.step(start, item, [kind], [0.0])
        np.testing.assert_array_equal(click, other)


def test_the_toy_head_keeps_retrieval_order(bundle: Bundle) -> None:
    items = toy_items(12)
    vectors, biases = bundle.items.encode(items)
    _, user = bundle.user.step(bundle.user.initial_state(1), vectors[[3]], [CLICK], [0.0])
    scores = (user @ vectors.T + biases).astype(np.float32)
    facts = ItemFacts(
        vectors[None], bundle.items.categories(items)[None], bundle.items.attributes(items)[None]
    )
    recent = ItemFacts(facts.vectors[:, 3:4], facts.categories[:, 3:4], facts.attributes[:, 3:4])
    mask = np.ones((1, 1), dtype=np.float32)
    popularity = np.array([[bundle.items.popularity(i.item_id) for i in items]], dtype=np.float32)
    rows = bundle.items.rows([i.item_id for i in items])[None]
    counted = bundle.known.counted(rows, rows[:, 3:4])
    features = candidate_features(scores, popularity, facts, recent, mask, counted=counted)
    preference, rating = bundle.ranker.score(user, facts.vectors, recent.vectors, mask, features)
    assert np.array_equal(np.argsort(-preference), np.argsort(-scores))
    assert ((preference > 0) & (preference < 1)).all()
    assert ((rating >= 1) & (rating <= 5)).all()


def test_a_person_without_history_is_scored(bundle: Bundle) -> None:
    width, features = bundle.width, len(bundle.manifest.features)
    preference, _ = bundle.ranker.score(
        np.zeros((1, width), np.float32),
        np.ones((1, 5, width), np.float32),
        np.zeros((1, 0, width), np.float32),
        np.zeros((1, 0), np.float32),
        np.zeros((1, 5, features), np.float32),
    )
    assert preference.shape == (1, 5)
    assert np.isfinite(preference).all()

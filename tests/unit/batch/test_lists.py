"""Lists of many are those that the ranker makes one by one."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from pyroaring import BitMap

from headrace.batch.general import GeneralLists, lists_for
from headrace.batch.items import ItemArrays, StoredItem
from headrace.batch.lists import ListMaker, lengths
from headrace.batch.people import People
from headrace.bundle import Bundle
from headrace.index.choice import exact_index
from headrace.index.encoding import to_bytes
from headrace.store.trend import Trend
from headrace.training.toy import toy_items
from services.ranker import lists as ranker
from services.ranker.answers import Source
from services.ranker.catalogue import Catalogue, ItemVersion
from services.ranker.facets import Facets
from services.ranker.neighbours import Neighbours
from services.ranker.query import RecommendQuery
from services.ranker.scoring import Scorer
from services.ranker.trending import Trending
from services.ranker.users import UserCache, UserVector, nobody

HIDDEN = 7
PEOPLE = 40


@pytest.fixture
def bundle(toy_bundle: Path) -> Bundle:
    return Bundle.load(str(toy_bundle), ["ranker", "item"])


def stored(bundle: Bundle) -> list[StoredItem]:
    """Ordinals 1, 3, 5, …: rows and ordinals are not the same. One is hidden."""
    contents = toy_items()
    vectors, biases = bundle.items.encode(contents)
    return [
        StoredItem(2 * i + 1, content, to_bytes(vectors[i]), float(biases[i]), i != HIDDEN)
        for i, content in enumerate(contents)
    ]


def crowd(bundle: Bundle) -> People:
    """Histories of 0 to 50 items, some of which the catalogue lacks; the last saw nearly all."""
    random = np.random.default_rng(3)
    recent = random.integers(0, 130, (PEOPLE, 50))
    for person in range(PEOPLE):
        recent[person, : max(0, 50 - 2 * person)] = -1
    recent[0] = -1
    seen = [BitMap(random.choice(130, 2 * person, replace=False)) for person in range(PEOPLE)]
    seen[-1] = BitMap(range(117))
    return People(
        np.array([f"p{person}" for person in range(PEOPLE)], dtype=np.object_),
        random.normal(size=(PEOPLE, bundle.user_width)).astype(np.float32),
        recent,
        seen,
        np.ones(PEOPLE, dtype=np.int64),
        np.zeros(PEOPLE),
    )


def online(bundle: Bundle, items: list[StoredItem], candidates: int) -> ranker.ListMaker:
    retrieval, similar = exact_index(bundle.width + 1), exact_index(bundle.width)
    catalogue = Catalogue(bundle.width, bundle.items, retrieval, similar)
    catalogue.apply(
        [
            ItemVersion(
                item.content,
                Facets(categories=item.content.categories),
                item.ordinal,
                1,
                not item.visible,
                np.frombuffer(item.vector, dtype=np.float32),
                item.bias,
            )
            for item in items
        ]
    )
    return ranker.ListMaker(
        catalogue=catalogue,
        retrieval=retrieval,
        similar=similar,
        scorer=Scorer(bundle.ranker, catalogue, bundle.known),
        trending=Trending(),
        neighbours=Neighbours(UserCache(1_000, asyncio.new_event_loop()), bundle.width),
        candidates=candidates,
    )


@pytest.mark.parametrize("ranking", ["ncf", "retrieval"])
@pytest.mark.parametrize(("n", "candidates"), [(5, 20), (10, 300), (30, 10)])
def test_lists_are_those_of_the_ranker(
    bundle: Bundle, n: int, candidates: int, ranking: Literal["ncf", "retrieval"]
) -> None:
    bundle = Bundle(
        replace(bundle.manifest, ranking=ranking), bundle._graphs, bundle.items, bundle.known
    )
    items, people = stored(bundle), crowd(bundle)
    arrays = ItemArrays(bundle, items)
    made = ListMaker(bundle, arrays, n=n, candidates=candidates).make(people)
    one_by_one = online(bundle, items, candidates)
    persons = []
    for row, count in enumerate(lengths(made)):
        recent = people.recent[row]
        person = UserVector(
            user_id=str(people.user_ids[row]),
            epoch=0,
            n=1,
            vector=people.vectors[row],
            recent=recent[recent >= 0],
            seen=people.seen[row],
            seen_bytes=0,
            event_ids=(),
            last_occurred_at=0.0,
            last_accepted_at=None,
        )
        persons.append(person)
        expected = one_by_one.make(RecommendQuery(n=n), person).items
        assert arrays.ids[made.rows[row, :count]].tolist() == [one.item_id for one in expected]
        scores = [one.score for one in expected]
        np.testing.assert_allclose(made.scores[row, :count], scores, atol=1e-5)
    for row, listed in enumerate(one_by_one.make_many(RecommendQuery(n=n), persons)):
        assert [one.item_id for one in listed] == arrays.ids[
            made.rows[row, : lengths(made)[row]]
        ].tolist()


def test_who_has_seen_nearly_everything_gets_what_is_left(bundle: Bundle) -> None:
    arrays = ItemArrays(bundle, stored(bundle))
    made = ListMaker(bundle, arrays, n=10, candidates=300).make(crowd(bundle))
    assert sorted(arrays.ids[made.rows[-1, : lengths(made)[-1]]]) == ["item-58", "item-59"]


@pytest.mark.parametrize("n", [5, 200])
def test_who_has_no_personal_list_gets_the_general_one_of_the_ranker(
    bundle: Bundle, n: int
) -> None:
    items, people = stored(bundle), crowd(bundle)
    arrays = ItemArrays(bundle, items)
    # Two that the catalogue lacks or hides, and one whose score is too small to stand out.
    trend = Trend(
        np.array([41, 2 * HIDDEN + 1, 3, 2, 99, 5]),
        np.array([9, 8, 2.5, 2, 0.5, 1e-9], dtype=np.float32),
    )
    general = GeneralLists(arrays, trend, n=n)
    strangers = [0, 7, 8, 20]  # the first has seen nothing
    n_applied = np.ones(PEOPLE, dtype=np.int64)
    n_applied[strangers] = 0
    personal = ListMaker(bundle, arrays, n=n, candidates=20)
    made = lists_for(replace(people, n=n_applied), personal, general)

    alone = personal.make(people)
    known = np.flatnonzero(n_applied)
    np.testing.assert_array_equal(made.rows[known], alone.rows[known])
    assert set(made.sources[known].ravel()) == {Source.RETRIEVAL}

    one_by_one = online(bundle, items, candidates=20)
    one_by_one._trending.now = trend
    for row in strangers:
        stranger = replace(nobody(f"p{row}"), seen=people.seen[row])
        expected = one_by_one.make(RecommendQuery(n=n), stranger).items
        count = lengths(made)[row]
        told = zip(made.scores[row, :count].tolist(), made.sources[row, :count], strict=True)
        assert list(told) == [(one.score, one.source) for one in expected]
        ids = arrays.ids[made.rows[row, :count]].tolist()
        # Where two are equally popular, either may come first.
        told_apart = sum(one.score >= 1 for one in expected)
        assert ids[:told_apart] == [one.item_id for one in expected[:told_apart]]
        if n == 200:
            assert sorted(ids) == sorted(one.item_id for one in expected)

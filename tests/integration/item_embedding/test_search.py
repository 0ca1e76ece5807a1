"""Browsing and searching the catalogue in Postgres."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from headrace.contracts.items import NewItem
from headrace.contracts.violations import check
from headrace.errors import InvalidInput
from headrace.store.database import Database
from services.item_embedding.catalogue_store import CatalogueStore
from services.item_embedding.found import KNOWN
from services.item_embedding.recent import RecentItems
from services.item_embedding.search import Answer, Search
from services.item_embedding.search_store import PostgresSearch
from tests.conftest import PostgresServer, scratch_database
from tests.unit.item_embedding.memory import LengthTower

SHOP: list[dict[str, Any]] = [
    {
        "item_id": "chef",
        "title": "Chef's Knife",
        "description": "Forged steel.",
        "categories": ["Home > Kitchen > Knives"],
        "tags": ["steel"],
        "attributes": {"cm": 20},
        "text_attributes": {"brand": "Mill"},
        "price": {"amount": 5000, "currency": "EUR"},
    },
    {
        "item_id": "bread",
        "title": "Bread knife",
        "categories": ["Home > Kitchen > Knives"],
        "attributes": {"cm": 25},
        "text_attributes": {"brand": "Race"},
        "price": {"amount": 2000, "currency": "EUR"},
        "availability": "out_of_stock",
    },
    {
        "item_id": "board",
        "title": "Board",
        "description": "Kind to any knife.",
        "categories": ["Home > Kitchen"],
        "price": {"amount": 1500, "currency": "EUR"},
    },
    {"item_id": "cafe", "title": "Café noir", "categories": ["Food"], "tags": ["wi-fi 3.5"]},
]


class Shop:
    """A catalogue and its search."""

    def __init__(self, pool: Database) -> None:
        self.catalogue = CatalogueStore(pool, RecentItems())
        self.store = PostgresSearch(pool)
        self.search = Search(self.store, LengthTower())

    def put(self, *bodies: dict[str, Any]) -> None:
        self.catalogue.upsert([check(NewItem, body) for body in bodies])

    def find(self, query: str = "", **asked: Any) -> Answer:
        return asyncio.run(self.search.find({"query": query, **asked}))

    def ids(self, query: str = "", **asked: Any) -> list[str]:
        return [found.item.content.item_id for found in self.find(query, **asked).page.items]

    def suggest(self, query: str) -> list[str]:
        found = asyncio.run(self.search.suggest({"query": query}))
        return [item_id for item_id, _ in found]


@pytest.fixture(scope="module")
def one_pool(postgres: PostgresServer) -> Iterator[Database]:
    """One database for all of them: making one takes longer than any of these tests."""
    with scratch_database(postgres) as dsn:
        pool = Database(dsn, size=8)
        yield pool
        pool.close()


@pytest.fixture
def pool(one_pool: Database) -> Database:
    """Empty."""
    with one_pool.transaction() as cursor:
        cursor.execute(
            "TRUNCATE items, item_search, search_words, search_misses, interactions CASCADE"
        )
    return one_pool


@pytest.fixture
def shop(pool: Database) -> Shop:
    shop = Shop(pool)
    shop.put(*SHOP)
    return shop


def test_a_word_of_the_title_counts_more_than_one_of_the_description(shop: Shop) -> None:
    answer = shop.find("knife")
    assert [one.item.content.item_id for one in answer.page.items][-1] == "board"
    assert (answer.total, answer.match) == (3, "all_words")
    assert answer.page.items[0].score > answer.page.items[-1].score


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("CAFE", ["cafe"]),
        ("wi fi", ["cafe"]),
        ("3.5", ["cafe"]),
        ("mill", []),
        ("forged chef", ["chef"]),
        ("'; DROP TABLE items; --", []),
        ("<knife> bread&nbsp", []),
        ("& | ! :* ()", []),
    ],
)
def test_case_accents_and_punctuation_do_not_matter(
    shop: Shop, query: str, expected: list[str]
) -> None:
    found = shop.find(query)
    exact = found.match == "all_words"
    assert [one.item.content.item_id for one in found.page.items if exact] == expected


@pytest.mark.parametrize("typed", ["knfie", "kniffe", "knif", "knige", "chwf"])
def test_a_slip_of_the_finger_is_forgiven_and_told(shop: Shop, typed: str) -> None:
    answer = shop.find(f"{typed} steel" if typed == "chwf" else typed)
    assert answer.match == "corrected"
    assert "chef" in [one.item.content.item_id for one in answer.page.items]
    assert set(answer.corrected_query.split()) <= {"knife", "chef", "steel"}


def test_some_of_the_words_will_do_where_no_item_has_all(shop: Shop) -> None:
    answer = shop.find("bread spaceship")
    assert (answer.match, answer.total) == ("some_words", 1)


def test_a_search_that_finds_nothing_is_remembered_and_has_a_vector(shop: Shop) -> None:
    for _ in range(2):
        answer = shop.find("Spaceship!", facets=True)
        assert (answer.match, answer.total, answer.page.items) == ("none", 0, [])
        assert len(answer.query_vector) == 4 * LengthTower.width
    assert asyncio.run(shop.search.misses(10)) == [("spaceship", 2)]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"category": {"one_of": ["Home"]}}, {"chef", "bread", "board"}),
        ({"category": {"one_of": ["Home > Kitchen > Knives", "Food"]}}, {"chef", "bread", "cafe"}),
        ({"tag": {"one_of": ["steel"]}}, {"chef"}),
        ({"availability": {"one_of": ["out_of_stock"]}}, {"bread"}),
        ({"text": {"name": "brand", "one_of": ["Mill"]}}, {"chef"}),
        ({"price": {"currency": "EUR", "gt": 1500, "lte": 5000}}, {"chef", "bread"}),
        ({"price": {"currency": "USD", "gte": 0}}, set()),
        ({"number": {"name": "cm", "gte": 25}}, {"bread"}),
        ({"none": [{"number": {"name": "cm", "gte": 25}}]}, {"chef", "board", "cafe"}),
        (
            {
                "all": [
                    {"category": {"one_of": ["Home"]}},
                    {"none": [{"tag": {"one_of": ["steel"]}}]},
                ]
            },
            {"bread", "board"},
        ),
        (
            {"any": [{"tag": {"one_of": ["steel"]}}, {"category": {"one_of": ["Food"]}}]},
            {"chef", "cafe"},
        ),
    ],
)
def test_a_filter_keeps_what_it_says(
    shop: Shop, condition: dict[str, Any], expected: set[str]
) -> None:
    assert set(shop.ids(filter=condition)) == expected


def test_facets_count_ancestors_and_ranges(shop: Shop) -> None:
    facets = shop.find(facets=True).facets
    assert facets is not None
    assert facets.counted == 4
    assert dict(facets.categories) == {
        "Home": 3, "Home > Kitchen": 3, "Home > Kitchen > Knives": 2, "Food": 1,
    }  # fmt: skip
    assert dict(facets.availability) == {"in_stock": 3, "out_of_stock": 1}
    assert facets.texts == {"brand": [("Mill", 1), ("Race", 1)]}
    assert [(one.name, one.count, one.least, one.greatest) for one in facets.numbers] == [
        ("cm", 2, 20.0, 25.0)
    ]
    assert [(one.currency, one.ranges) for one in facets.prices] == [
        ("EUR", [(1500, 1500, 1), (2000, 2000, 1), (5000, 5000, 1)])
    ]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("title", ["board", "bread", "cafe", "chef"]),
        ("price", ["board", "bread", "chef", "cafe"]),
        ("price_descending", ["chef", "bread", "board", "cafe"]),
    ],
)
def test_items_come_in_the_order_asked_for(shop: Shop, sort: str, expected: list[str]) -> None:
    assert shop.ids(sort=sort) == expected


@pytest.mark.parametrize(
    "sort", ["relevance", "popular", "newest", "price", "price_descending", "title"]
)
def test_pages_neither_repeat_nor_leave_out_while_items_come_and_go(shop: Shop, sort: str) -> None:
    shop.put(*({"item_id": f"k{n}", "title": f"Knife {n % 3}"} for n in range(12)))
    query = "knife" if sort == "relevance" else ""
    expected = set(shop.ids(query, sort=sort, n=100))
    seen: list[str] = []
    cursor = ""
    while cursor or not seen:
        answer = shop.find(query, sort=sort, n=3, cursor=cursor)
        seen += [one.item.content.item_id for one in answer.page.items]
        cursor = answer.next_cursor
        shop.put({"item_id": f"new{len(seen)}", "title": "Aaa"})
        shop.catalogue.hide(seen[0])
    assert len(seen) == len(set(seen))
    assert expected <= set(seen)


@pytest.mark.parametrize("cursor", ["x", "e30", "%%%", "eyJkaWdlc3QiOiJ4In0"])
def test_a_cursor_that_was_not_given_out_is_refused(shop: Shop, cursor: str) -> None:
    with pytest.raises(InvalidInput, match="cursor: "):
        shop.find(cursor=cursor)


def test_a_cursor_belongs_to_its_request(shop: Shop) -> None:
    cursor = shop.find("knife", n=1).next_cursor
    with pytest.raises(InvalidInput, match="another query"):
        shop.find("board", n=1, cursor=cursor)


def test_what_is_hidden_or_out_of_its_window_is_found_nowhere(shop: Shop) -> None:
    now = datetime.now(UTC)
    shop.put(
        {"item_id": "later", "title": "Knife", "publish_at": now + timedelta(hours=1)},
        {"item_id": "gone", "title": "Knife", "expire_at": now - timedelta(hours=1)},
    )
    shop.catalogue.hide("chef")
    assert set(shop.ids("knife")) == {"bread", "board"}
    assert set(shop.ids()) == {"bread", "board", "cafe"}
    assert shop.suggest("kni") == ["bread"]
    assert dict(asyncio.run(shop.search.categories(""))) == {
        "Food": 1, "Home": 2, "Home > Kitchen": 2, "Home > Kitchen > Knives": 1,
    }  # fmt: skip
    shop.put(SHOP[0])
    assert "chef" in shop.ids("knife")


def test_the_tree_has_parents_before_children_and_can_be_cut(shop: Shop) -> None:
    assert asyncio.run(shop.search.categories("Home>Kitchen")) == [("Home > Kitchen > Knives", 2)]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("bre", ["bread"]), ("knife b", ["bread"]), ("caf", ["cafe"]), ("forged", []), ("...", [])],
)
def test_a_suggestion_continues_what_was_typed(shop: Shop, typed: str, expected: list[str]) -> None:
    assert shop.suggest(typed) == expected


def test_events_in_the_log_make_an_item_popular(shop: Shop, pool: Database) -> None:
    with pool.transaction() as cursor:
        cursor.execute(
            "INSERT INTO interactions (user_id, n, event_id, item_ordinal, type, occurred_at,"
            " backfill, body_hash) SELECT 'u', n, n::text, (SELECT ordinal FROM items WHERE"
            " item_id = 'board'), 1, now(), false, '' FROM generate_series(1, 50) AS n"
        )
    shop.store.refresh_popularity()
    assert shop.ids()[0] == "board"
    with pool.transaction() as cursor:
        cursor.execute("UPDATE interactions SET type = 9 WHERE n <= 25")
        cursor.execute("UPDATE interactions SET retracted_by = 51 WHERE n > 25")
    shop.store.refresh_popularity()
    assert shop.ids()[0] != "board"


def test_of_more_items_than_are_known_the_most_popular_ones_count(
    shop: Shop, pool: Database
) -> None:
    bodies = [
        {"item_id": f"m{n}", "title": "Mug", "tags": [f"{n % 3}"]} for n in range(KNOWN + 100)
    ]
    for start in range(0, len(bodies), 700):
        shop.put(*bodies[start : start + 700])
    with pool.transaction() as cursor:
        cursor.execute("UPDATE item_search SET popularity = 1 WHERE NOT terms @> '{t:0}'")
    answer = shop.find("mug", facets=True)
    assert (answer.total, len(answer.page.items)) == (KNOWN, 24)
    assert answer.facets is not None
    assert answer.facets.counted == KNOWN
    assert answer.facets.tags == [("1", 700), ("2", 700), ("0", KNOWN - 1_400)]
    last = shop.find("mug", cursor=answer.next_cursor)
    assert (last.total, last.facets) == (KNOWN, None)


def test_each_kind_of_facet_has_room_whatever_the_others_have(shop: Shop) -> None:
    shop.put(
        *(
            {"item_id": f"t{n}", "title": "Tea", "categories": [f"C{n}"], "tags": [f"a{n}", "b"]}
            for n in range(150)
        )
    )
    facets = shop.find("tea", facets=True).facets
    assert facets is not None
    assert (len(facets.categories), len(facets.tags)) == (100, 50)
    assert facets.tags[0] == ("b", 150)
    assert facets.availability == [("in_stock", 150)]

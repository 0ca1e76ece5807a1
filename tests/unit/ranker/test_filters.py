"""Which items pass a filter."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.contracts.categories import SEPARATOR
from headrace.contracts.filters import Condition
from services.ranker.answers import Source
from services.ranker.facets import FacetIndex, Facets, Replaced
from services.ranker.filters import Filters
from services.ranker.query import RecommendQuery
from tests.unit.ranker.world import World, item, user

KNIFE = Facets(
    categories=("Home > Kitchen > Knives",),
    tags=("steel", "new", "steel"),
    numbers={"length_cm": 20.0},
    texts={"brand": "Mill"},
    price=(1999, "EUR"),
)
POT = Facets(
    categories=("Home > Kitchen", "Gifts"),
    numbers={"length_cm": 30.0, "weight_kg": 2.0},
    texts={"brand": "Race"},
    price=(4500, "USD"),
    availability="preorder",
)
LAMP = Facets(categories=("Home",), tags=("new",), availability="out_of_stock")


def shop() -> FacetIndex:
    facets = FacetIndex()
    facets.replace([Replaced(n, None, one) for n, one in enumerate((KNIFE, POT, LAMP))])
    return facets


def passing(facets: FacetIndex, condition: dict[str, Any]) -> list[int]:
    return list(facets.matching(Condition.model_validate(condition))[1])


@pytest.mark.parametrize(
    ("condition", "items"),
    [
        ({"category": {"one_of": ["Home"]}}, [0, 1, 2]),
        ({"category": {"one_of": ["Home>Kitchen"]}}, [0, 1]),
        ({"category": {"one_of": ["Kitchen"]}}, []),
        ({"category": {"one_of": ["Gifts", "Home > Kitchen > Knives"]}}, [0, 1]),
        ({"tag": {"one_of": ["new", "old"]}}, [0, 2]),
        ({"availability": {"one_of": ["in_stock", "preorder"]}}, [0, 1]),
        ({"price": {"currency": "EUR", "gte": 1999}}, [0]),
        ({"price": {"currency": "EUR", "gt": 1999}}, []),
        ({"price": {"currency": "USD", "gt": 0, "lte": 4500}}, [1]),
        ({"number": {"name": "length_cm", "gte": 20, "lt": 30}}, [0]),
        ({"number": {"name": "length_cm", "eq": 30}}, [1]),
        ({"number": {"name": "brand", "gte": 0}}, []),
        ({"text": {"name": "brand", "one_of": ["Race", "None"]}}, [1]),
        ({"text": {"name": "colour", "one_of": ["red"]}}, []),
        ({"none": [{"text": {"name": "brand", "one_of": ["Race"]}}]}, [0, 2]),
        ({"none": [{"tag": {"one_of": ["steel"]}}, {"price": {"currency": "USD", "gte": 0}}]}, [2]),
        (
            {
                "any": [
                    {"number": {"name": "weight_kg", "lte": 2}},
                    {"all": [{"tag": {"one_of": ["new"]}}, {"category": {"one_of": ["Home"]}}]},
                ]
            },
            [0, 1, 2],
        ),
    ],
)
def test_a_condition_holds_for(condition: dict[str, Any], items: list[int]) -> None:
    assert passing(shop(), condition) == items


def test_a_changed_item_passes_by_what_it_is_now() -> None:
    facets = shop()
    facets.replace([Replaced(0, KNIFE, POT), Replaced(2, LAMP, None)])
    assert passing(facets, {"number": {"name": "length_cm", "eq": 30}}) == [0, 1]
    assert passing(facets, {"tag": {"one_of": ["steel", "new"]}}) == []
    assert passing(facets, {"none": [{"tag": {"one_of": ["steel"]}}]}) == [0, 1]
    assert list(facets.in_category("Home")) == [0, 1]


LABEL = st.sampled_from(["a", "b", "c"])
PATH = st.lists(LABEL, min_size=1, max_size=3).map(SEPARATOR.join)
ITEMS = st.builds(
    Facets,
    categories=st.lists(PATH, max_size=2).map(tuple),
    tags=st.lists(LABEL, max_size=3).map(tuple),
    numbers=st.dictionaries(LABEL, st.integers(-2, 2).map(float), max_size=2),
    texts=st.dictionaries(st.sampled_from(["x", "y"]), LABEL, max_size=2),
    price=st.none() | st.tuples(st.integers(0, 3), st.sampled_from(["EUR", "USD"])),
    availability=st.sampled_from(["in_stock", "preorder"]),
)
BOUNDS = st.dictionaries(
    st.sampled_from(["gt", "gte", "lt", "lte"]), st.integers(0, 3), min_size=1, max_size=2
)
LEAVES = st.one_of(
    st.lists(PATH, min_size=1, max_size=2).map(lambda c: {"category": {"one_of": c}}),
    st.lists(LABEL, min_size=1, max_size=2).map(lambda c: {"tag": {"one_of": c}}),
    st.tuples(LABEL, BOUNDS).map(lambda c: {"number": {"name": c[0], **c[1]}}),
    BOUNDS.map(lambda c: {"price": {"currency": "EUR", **c}}),
    LABEL.map(lambda c: {"text": {"name": "x", "one_of": [c]}}),
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda parts: st.tuples(
        st.sampled_from(["all", "any", "none"]), st.lists(parts, min_size=1, max_size=3)
    ).map(lambda c: {c[0]: c[1]}),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.none() | ITEMS), max_size=12), CONDITIONS)
def test_after_any_changes_a_condition_means_what_it_says(
    changes: list[tuple[int, Facets | None]], condition: dict[str, Any]
) -> None:
    facets, now = FacetIndex(), dict[int, Facets]()
    for ordinal, after in changes:
        facets.replace([Replaced(ordinal, now.get(ordinal), after)])
        if after is None:
            now.pop(ordinal, None)
        else:
            now[ordinal] = after
    expected = sorted(ordinal for ordinal, one in now.items() if holds(condition, one))
    assert passing(facets, condition) == expected


def holds(condition: Mapping[str, Any], item: Facets) -> bool:
    """What the words mean, one item at a time."""
    ((kind, asked),) = condition.items()
    if kind in ("all", "any", "none"):
        parts = [holds(part, item) for part in asked]
        return {"all": all(parts), "any": any(parts), "none": not any(parts)}[kind]
    if kind == "category":
        return any(
            f"{path} > ".startswith(f"{c} > ") for c in asked["one_of"] for path in item.categories
        )
    if kind == "tag":
        return bool({*asked["one_of"]} & {*item.tags})
    if kind == "text":
        return item.texts.get(asked["name"]) in asked["one_of"]
    value: float | None = item.numbers.get(asked.get("name"))
    if kind == "price":
        value = item.price[0] if item.price and item.price[1] == asked["currency"] else None
    return value is not None and (
        value > asked.get("gt", -9)
        and value >= asked.get("gte", -9)
        and value < asked.get("lt", 9)
        and value <= asked.get("lte", 9)
    )


def test_a_filter_is_evaluated_once_until_the_catalogue_changes() -> None:
    facets = shop()
    filters = Filters(facets, kept=2)
    new = Condition.model_validate({"tag": {"one_of": ["new"]}})
    first = filters.matching(new)
    assert filters.matching(Condition.model_validate({"tag": {"one_of": ["new"]}})) is first
    facets.replace([Replaced(9, None, KNIFE)])
    assert list(filters.matching(new)) == [0, 2, 9]
    for tag in "abc":
        filters.matching(Condition.model_validate({"tag": {"one_of": [tag]}}))
    assert len(filters) == 2


async def test_every_kind_of_list_is_full_of_what_passes() -> None:
    world = World(candidates=3)
    rare = {3, 11, 26, 30, 31}
    world.catalogue.apply(
        [item(n, revision=2, facets=Facets(categories=("tea",), tags=("rare",))) for n in rare]
    )
    rare_ids = {f"i{n}" for n in rare}
    query = RecommendQuery.model_validate(
        {"user_id": "ann", "n": 5, "filter": {"tag": {"one_of": ["rare"]}}}
    )
    world.embedding.vectors["ann"] = user("ann")
    answer = await world.ranker.recommend(query)
    assert {one.item_id for one in answer.items} == rare_ids
    assert answer.items[0].source is Source.RETRIEVAL
    nobody = await world.ranker.recommend(query.model_copy(update={"user_id": None}))
    assert {one.item_id for one in nobody.items} == rare_ids


async def test_what_a_person_is_done_with_is_shown_where_asked() -> None:
    world = World(candidates=40)
    world.embedding.vectors["ann"] = user("ann", seen=[1, 2])
    query = RecommendQuery(user_id="ann", n=40, include_seen=True, exclude=("i5",))
    answer = await world.ranker.recommend(query)
    assert len(answer.items) == 39
